"""Answers as a judge is shown them: fenced, and without anything that could end the fence or speak for somebody else.

Whoever is judged writes the text that the judge reads, and a fine-tune on judged data learns what moves judges. Three
things are taken from an answer before it is shown: characters that nobody sees (they hide instructions and split words
that would be recognised), whatever a chat template could read as one of its own tokens (a fake end of the turn, a fake
system turn), and the fence's own marks. What is left can still argue ("ignore the rubric"), which no escaping prevents;
the fence lets the prompt say where the argument begins and ends. See Raina et al. (2024) "Is LLM-as-a-judge robust?",
Zheng et al. (2024) "Cheating automatic LLM benchmarks: null models achieve high win rates" (constant answers that
imitate the prompt's structure), and Shi et al. (2024) "Optimization-based prompt injection attack to LLM-as-a-judge".

Nothing readable is removed: a judge has to see what was said, also that an answer tried this.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

#: What chat templates of common models write around turns, in the ASCII and the full-width forms that some tokenizers
#: (NFKC) take for the same: ChatML, Llama 2 and 3, Mistral, Gemma, DeepSeek, GLM, Phi, Command R.
_TEMPLATES = re.compile(
    r"[<＜][|｜][^<>＜＞\n]{0,80}?[|｜][>＞]"
    r"|[<＜]/?\s?(?:s|bos|eos|pad|unk|sep|cls|mask|endoftext|image|video|audio)[>＞]"
    r"|[<＜]/?(?:start_of_turn|end_of_turn|think|tool_call|tool_response|answer|system|user|assistant)[>＞]"
    r"|[\[［]/?\s?(?:INST|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|SYSTEM_PROMPT)[\]］]"
    r"|[<＜]{2}/?SYS[>＞]{2}"
    r"|\[?gMASK\]?|[<＜]sop[>＞]",
    re.IGNORECASE,
)

#: Characters that stand for the ones that open and close a token; no normalisation turns them back.
_INSTEAD = str.maketrans({"<": "‹", ">": "›", "＜": "‹", "＞": "›", "[": "⁅", "]": "⁆", "［": "⁅", "］": "⁆"})

_KEPT_CONTROLS = "\n\t"


@dataclass(frozen=True, slots=True)
class Fence:
    """Marks around what is judged, which nobody who wrote it could know.

    Attributes:
        mark: a part of both lines, derived from everything that is shown.
    """

    mark: str

    def around(self, label: str, text: str) -> str:
        """A text between its two lines."""
        return f"<<<{label} {self.mark}>>>\n{text}\n<<<end of {label} {self.mark}>>>"


def fence_for(texts: Sequence[str]) -> Fence:
    """A fence for these texts: the same for the same texts, so that a judgement is found again in the store.

    The mark is a digest of the texts, which hold it only if somebody inverted SHA-256; it is checked all the same.
    """
    for attempt in range(1000):
        digest = hashlib.sha256("\0".join([str(attempt), *texts]).encode("utf-8", "surrogatepass")).hexdigest()
        mark = digest[:12]
        if not any(mark in text.lower() for text in texts):
            return Fence(mark)
    raise AssertionError("a thousand digests stand in the texts")


def neutral(text: str, special: Iterable[str] = ()) -> str:
    """A text that no tokenizer reads as anything but text.

    Args:
        special: the judge's own special and added tokens, besides those of common templates.
    """
    text = "".join(filter(_seen, text.replace("\r\n", "\n").replace("\r", "\n")))
    text = _TEMPLATES.sub(_broken, text)
    own = sorted({token for token in special if token.strip()}, key=len, reverse=True)
    if own:
        text = re.sub("|".join(map(_spelt, own)), _broken, text, flags=re.IGNORECASE)
    # The fence's own brackets: an answer cannot know the mark, but need not look as if it did.
    return text.replace("<<<", "‹‹‹").replace(">>>", "›››")


def _seen(character: str) -> bool:
    """True for what a reader sees, spaces and line ends included."""
    return character in _KEPT_CONTROLS or unicodedata.category(character) not in ("Cc", "Cf", "Co", "Cs", "Cn")


def _broken(match: re.Match[str]) -> str:
    """The same to the eye, and no token: its brackets are others, or its first character is set apart."""
    found = match.group()
    changed = found.translate(_INSTEAD)
    return changed if changed != found else f"{found[0]}·{found[1:]}"


def _spelt(token: str) -> str:
    """A token as a pattern that also finds its full-width spelling."""
    return "".join(f"[{re.escape(one)}{wide}]" if (wide := _wide(one)) else re.escape(one) for one in token)


def _wide(character: str) -> str:
    """The full-width form of an ASCII character, "" where there is none."""
    return chr(ord(character) + 0xFEE0) if "!" <= character <= "~" else ""
