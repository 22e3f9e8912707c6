"""The five rewards of the well-known GRPO demonstration on GSM8K, as plain functions: text and gold answer to a number.

Scoring (`harness.scorers.format`) and training call these very functions, so that what was rewarded is what is
measured. They follow W. Brown's "GRPO Demo" (gist willccbb/4676755236bb08cab5f4e54a0475d6fb, 2025), which many
notebooks copied, in its later form. The answer is asked for as

    <reasoning>
    …
    </reasoning>
    <answer>
    …
    </answer>

Kept as they are there, because models are trained on them: `strict_format` wants the line break after `</answer>`;
`xml_count` takes 0.001 off for each character after `</answer>`, can fall below zero, and where that last line break is
missing takes it off for the whole text; `integer` knows no minus sign; `correctness` compares texts (`18.0` is not
`18`), and without tags the whole text is the answer.

The one choice: the first form of the demonstration matched without `re.DOTALL`, so that reasoning of more than one line
was never rewarded. Its later form, and the default here, is `multiline=True`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

VERSION = 1

_STRICT = r"^<reasoning>\n.*?\n</reasoning>\n<answer>\n.*?\n</answer>\n$"
_SOFT = r"<reasoning>.*?</reasoning>\s*<answer>.*?</answer>"


def xml_count(text: str, gold: str = "") -> float:
    """0.125 for each of the four tags that stands exactly once on its own line; at most 0.5, less for a tail."""
    tags = ("<reasoning>\n", "\n</reasoning>\n", "\n<answer>\n", "\n</answer>")
    once = [text.count(tag) == 1 for tag in tags]
    reward = 0.125 * sum(once)
    if once[2]:
        reward -= 0.001 * len(text.rpartition("\n</answer>\n")[2])
    if once[3]:
        reward -= 0.001 * (len(text.rpartition("\n</answer>")[2]) - 1)
    return reward


def soft_format(text: str, gold: str = "", *, multiline: bool = True) -> float:
    """0.5 for a text that begins with reasoning in its tags, followed by an answer in its tags."""
    return 0.5 if re.match(_SOFT, text, re.DOTALL if multiline else 0) else 0.0


def strict_format(text: str, gold: str = "", *, multiline: bool = True) -> float:
    """0.5 for a text that is exactly of the form asked for, each tag on its own line."""
    return 0.5 if re.match(_STRICT, text, re.DOTALL if multiline else 0) else 0.0


def integer(text: str, gold: str = "") -> float:
    """0.5 for an answer of nothing but digits."""
    return 0.5 if tagged_answer(text).isdigit() else 0.0


def correctness(text: str, gold: str) -> float:
    """2.0 for the gold answer, character by character."""
    return 2.0 if tagged_answer(text) == gold_answer(gold) else 0.0


#: Each reward with the most it gives, in the order of the demonstration.
REWARDS: dict[str, tuple[Callable[..., float], float]] = {
    "xml_count": (xml_count, 0.5),
    "soft_format": (soft_format, 0.5),
    "strict_format": (strict_format, 0.5),
    "integer": (integer, 0.5),
    "correctness": (correctness, 2.0),
}


def tagged_answer(text: str) -> str:
    """What stands in the last answer tag; the whole text where there is none."""
    return text.split("<answer>")[-1].split("</answer>")[0].strip()


def gold_answer(gold: str) -> str:
    """What follows the first `####` (GSM8K), without thousands separators and dollar signs; without `####`, all."""
    return gold.split("####")[1 if "####" in gold else 0].strip().replace(",", "").replace("$", "")
