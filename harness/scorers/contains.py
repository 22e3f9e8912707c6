"""An accepted answer occurs in the output."""

from __future__ import annotations

import re
from functools import cached_property

from pydantic import BaseModel, ConfigDict, Field

from harness.gold.item import Item
from harness.scorers.base import Score
from harness.text import norm_label, normalise

_VERSION = 1

# Latin and Greek letters and digits; Chinese has no word boundaries, and "12元" does hold "12".
_WORD = "0-9A-Za-z_\u00c0-\u024f\u0370-\u03ff"
_REACH = 8  # characters beside a hit that decide whether it stands alone

_WORD_BEFORE = re.compile(rf"[{_WORD}]\Z")
_WORD_AFTER = re.compile(rf"[{_WORD}]|\+\+|#|'t(?![{_WORD}])")  # C++ and C# are not C; "can't" is not "can"
# A digit, a decimal point, the numerator of a fraction, or a sign that is no subtraction.
_NUMBER_BEFORE = re.compile(rf"[{_WORD}]\Z|\d/\Z|(?:\A|\D)\.\Z|\d\.\Z|(?:\A|[^0-9A-Za-z)\]])-\Z")
_NUMBER_AFTER = re.compile(r"\d|\.\d|,\d{3}(?!\d)|/\d|\^")
_SIGN_BEFORE = re.compile(r"[0-9A-Za-z)\]]\Z")
_GROUP_BEFORE = re.compile(r"\d,\Z")
_GROUP = re.compile(r"\d{3}(?!\d)")


class Contains(BaseModel):
    """An accepted answer stands somewhere in the output.

    Lenient by design: "not Paris" contains "Paris", and an output that lists every option is right. Prefer `exact`
    where the answer can be asked for alone. With `words`, "12" is not found in "112", "12.5", "1/12" or "-12", nor
    "no" in "know"; a unit may follow a number ("12km"). Chinese text is searched as it stands.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    words: bool = Field(default=True, description="Latin words and numbers must stand alone")

    @property
    def metrics(self) -> tuple[str, ...]:
        """`contains`."""
        return ("contains",)

    @cached_property
    def signature(self) -> str:
        """The normalisation, and whether words must stand alone."""
        return f"contains|norm:{norm_label()}|words:{'yes' if self.words else 'no'}|v:{_VERSION}"

    @property
    def votes(self) -> bool:
        """False: what is found is an accepted answer or the whole text."""
        return False

    def binary(self, metric: str) -> bool:
        """Always true."""
        return True

    def score(self, item: Item, output: str) -> tuple[Score, ...]:
        """1.0 when any accepted answer is found; `extracted` is then that answer, else the whole output."""
        if not output.strip():
            return (Score("contains", 0.0),)
        text = normalise(output)
        for answer in item.answer:
            needle = normalise(answer)
            if needle and (_stands_in(needle, text) if self.words else needle in text):
                return (Score("contains", 1.0, needle),)
        return (Score("contains", 0.0, text),)


def _stands_in(needle: str, text: str) -> bool:
    start = text.find(needle)
    while start >= 0:
        end = start + len(needle)
        if _free_before(needle, text[max(0, start - _REACH) : start]) and _free_after(needle, text[end : end + _REACH]):
            return True
        start = text.find(needle, start + 1)
    return False


def _free_before(needle: str, before: str) -> bool:
    first = needle[0]
    if first.isdigit():
        return not (
            _NUMBER_BEFORE.search(before) or (_GROUP.match(needle) is not None and _GROUP_BEFORE.search(before))
        )
    if first == "-":
        return _SIGN_BEFORE.search(before) is None
    return not (_WORD_BEFORE.match(first) and _WORD_BEFORE.search(before))


def _free_after(needle: str, after: str) -> bool:
    last = needle[-1]
    if last.isdigit():
        return _NUMBER_AFTER.match(after) is None
    return not (_WORD_BEFORE.match(last) and _WORD_AFTER.match(after))
