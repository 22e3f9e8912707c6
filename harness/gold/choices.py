"""Multiple choice: the options of an item are lettered A, B, C … in the order of `Item.choices`."""

from __future__ import annotations

import re
import string
from functools import lru_cache

from harness.gold.item import Item
from harness.text import fold_width, normalise

LETTERS = string.ascii_uppercase

# One letter or several, as answer keys write them: B, (B), ABD, A、B、D, A和D.
_KEY = re.compile(r"[(\[【]?\s*([A-Z](?:[\s,、;/&和与及]*[A-Z])*)\s*[)\]】]?\s*[.。]?")


def letters(item: Item) -> str:
    """The letters of an item's options, in order: `ABCD`; empty without options."""
    return LETTERS[: len(item.choices or ())]


def listed(item: Item) -> str:
    """The options as a prompt shows them: `A. …`, one a line."""
    return "\n".join(f"{letter}. {text}" for letter, text in zip(letters(item), item.choices or (), strict=True))


def gold_letters(item: Item) -> tuple[str, ...]:
    """The accepted answers as letters, in the order of `answer`.

    An answer is a letter, several letters that are right together (`ABD`), or the text of exactly one option.

    Returns:
        Each as its letters in alphabetical order without repetition, such as `("B",)` or `("ABD",)`.

    Raises:
        ValueError: there are no options to choose from, or an answer names none of them or could mean two.
    """
    return _gold_letters(item.choices or (), item.answer)


def chance(item: Item) -> float:
    """What guessing scores: accepted letters over options; one over all non-empty sets where several go together."""
    accepted = set(gold_letters(item))
    count = len(letters(item))
    several = any(len(answer) > 1 for answer in accepted)
    return len(accepted) / (2**count - 1 if several else count)


# The same items are scored for every candidate and repeat.
@lru_cache(maxsize=16_384)
def _gold_letters(choices: tuple[str, ...], answers: tuple[str, ...]) -> tuple[str, ...]:
    if len(choices) < 2:
        raise ValueError("there are no 'choices' to choose from")
    if len(choices) > len(LETTERS):
        raise ValueError(f"{len(choices)} choices are more than there are letters")
    if not all(text.strip() for text in choices):
        raise ValueError("one of the 'choices' is empty")
    given = [_read(answer, choices) for answer in answers if answer.strip()]
    return tuple(dict.fromkeys(given))


def _read(answer: str, choices: tuple[str, ...]) -> str:
    known = LETTERS[: len(choices)]
    match = _KEY.fullmatch(fold_width(answer).strip().upper())
    named = "".join(sorted(set(match[1]) & set(LETTERS))) if match else ""
    as_letters = named if named and set(named) <= set(known) else ""
    wanted = normalise(answer)
    same = [letter for letter, text in zip(known, choices, strict=True) if normalise(text) == wanted]
    if as_letters and same and same != [as_letters]:
        raise ValueError(
            f"the answer {answer!r} is a letter and the text of option {'/'.join(same)}: write the letter of the option"
        )
    if as_letters:
        return as_letters
    if len(same) == 1:
        return same[0]
    if same:
        raise ValueError(f"the answer {answer!r} is the text of options {' and '.join(same)}: write one letter")
    raise ValueError(f"the answer {answer!r} is neither a letter from A to {known[-1]} nor the text of an option")
