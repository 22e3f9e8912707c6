"""A regular expression of the user's own."""

from __future__ import annotations

from functools import cache, cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from harness.gold.item import Item
from harness.scorers.base import Score
from harness.text import norm_label, normalise

_VERSION = 1
#: CPU seconds for one answer.
_BUDGET = 1.0


class Regex(BaseModel):
    """A pattern is found in the answer; what its group captures equals an accepted answer.

    With one capture group, what it captured (in the last match, or the first) is compared with the accepted answers as
    `exact` does; no match is unextracted. Without a group a match alone is right, whatever the accepted answers are.

    Patterns are Python's (the `regex` package, which reads them as `re` does and can stop). One that backtracks for
    more than a second leaves the item unscored.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    pattern: str = Field(description="a regular expression with at most one capture group")
    match: Literal["last", "first"] = Field(default="last", description="which match counts, where there are several")
    ignore_case: bool = Field(default=False, description="match letters of either case")

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str) -> str:
        import regex

        try:
            groups = regex.compile(value).groups
        except regex.error as error:
            raise ValueError(f"is no regular expression ({error})") from None
        if groups > 1:
            raise ValueError(f"must have at most one capture group, not {groups}; write (?:…) for the others")
        return value

    @property
    def metrics(self) -> tuple[str, ...]:
        """`regex`."""
        return ("regex",)

    @cached_property
    def signature(self) -> str:
        """The pattern and how it is applied."""
        compared = norm_label() if _compiled(self.pattern, self.ignore_case).groups else "no"
        case = "ignored" if self.ignore_case else "kept"
        return f"regex|pattern:{self.pattern!r}|match:{self.match}|case:{case}|compare:{compared}|v:{_VERSION}"

    @property
    def votes(self) -> bool:
        """True where the pattern captures an answer."""
        return bool(_compiled(self.pattern, self.ignore_case).groups)

    def binary(self, metric: str) -> bool:
        """Always true."""
        return True

    def score(self, item: Item, output: str) -> tuple[Score, ...]:
        """1.0 where the pattern is found and what it captured, if it captures, is accepted."""
        pattern = _compiled(self.pattern, self.ignore_case)
        try:
            matches = pattern.finditer(output, timeout=_BUDGET)
            found = next(matches, None)
            for later in matches if self.match == "last" else ():
                found = later
        except TimeoutError:
            return (Score("regex", None, note=f"the pattern backtracked for more than {_BUDGET:g} s"),)
        if not pattern.groups:
            shown = found[0] if found else output
            return (Score("regex", float(found is not None), shown if output.strip() else None),)
        captured = found[1] if found else None
        if captured is None or not captured.strip():
            return (Score("regex", 0.0),)
        given = normalise(captured)
        right = any(given == normalise(answer) for answer in item.answer if answer.strip())
        return (Score("regex", float(right), given),)


@cache
def _compiled(pattern: str, ignore_case: bool) -> Any:
    import regex

    return regex.compile(pattern, regex.IGNORECASE if ignore_case else 0)
