"""The likelihood strategy: show the question, and ask how likely each option is as what follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.candidates.prompt import PromptFormat
from harness.candidates.tokenizer import PromptTokenizer


@dataclass(frozen=True, slots=True)
class Continued:
    """A prompt and what may follow it, in token ids. `prompt` is what all continuations have in common."""

    prompt: tuple[int, ...]
    options: tuple[tuple[int, ...], ...]


def separator(prompt: str, form: PromptFormat) -> str:
    """What stands between a prompt and an option.

    Nothing behind a chat template, as in lm-evaluation-harness (lm_eval/api/task.py, `construct_requests`), and nothing
    behind white space. Else a space, its `target_delimiter`; but none in Chinese, which has no spaces between words
    (CMMLU's own evaluation continues `答案是：` with the bare letter).
    """
    if not form.special or not prompt or prompt[-1].isspace() or ord(prompt[-1]) >= 0x2E80:
        return ""
    return " "


def continued(
    prompts: Sequence[str], options: Sequence[Sequence[str]], tokenizer: PromptTokenizer, form: PromptFormat
) -> list[Continued]:
    """Each prompt with each of its options.

    Prompt and option are tokenised together and cut where the prompt's own tokens end (lm-evaluation-harness,
    `_encode_pair` in lm_eval/api/model.py), because a tokenizer may join the end of one with the beginning of the
    other. Where it does, the cut is made before the joined token, in the same place for all options, so that every
    option is weighed after the same tokens.

    Args:
        prompts: rendered texts.
        options: the texts that may follow, by prompt.
    """
    texts = list(prompts)
    for prompt, given in zip(prompts, options, strict=True):
        glue = separator(prompt, form)
        texts += [prompt + glue + option for option in given]
    ids = tokenizer.encode_batch(texts, special=form.special)
    found, start = [], len(prompts)
    for alone, given in zip(ids, options):  # noqa: B905 (the whole texts follow the prompts)
        whole = ids[start : start + len(given)]
        start += len(given)
        cut = _common([alone, *whole])
        found.append(Continued(alone[:cut], tuple(text[cut:] for text in whole)))
    return found


def _common(rows: Sequence[tuple[int, ...]]) -> int:
    """How many ids at the front all rows share."""
    first, last = min(rows), max(rows)  # what these two share, everything between them shares
    return next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
