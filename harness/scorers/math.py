"""Mathematical equivalence: LaTeX and plain expressions, by normal form and by sympy."""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property

from pydantic import BaseModel, ConfigDict

from harness.gold.item import Item
from harness.scorers import _math_answers, _math_forms
from harness.scorers._math_process import Verdict, compare, label
from harness.scorers.base import Score
from harness.text import VERSION as TEXT_VERSION

_VERSION = 1
_METRICS = ("math", "math_boxed")


class Math(BaseModel):
    """The result in the answer equals an accepted one as mathematics: `\\frac{1}{2}` and `0.5`, `(x+1)^2` expanded.

    `math` reads the last `\\boxed{…}`, else what stands after "the answer is" or "答案是", else the last expression
    (`harness.scorers._math_answers`). `math_boxed` reads `\\boxed{…}` alone. The accepted answer may be bare, in a box
    or a worked solution.

    Two results are equal when their normal forms are the same string (after Hendrycks et al. 2021,
    `harness.scorers._math_forms`), else when math-verify says so, which runs in a process of its own with a budget of
    CPU seconds. An answer in words is compared as words; two numerals that name different bases are different, which
    math-verify does not see.

    An answer that cannot be read or evaluated at all is wrong. An item is unscored when no accepted answer states a
    result, or when the comparison itself ran out of time or memory.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    @property
    def metrics(self) -> tuple[str, ...]:
        """`math` and `math_boxed`."""
        return _METRICS

    @cached_property
    def signature(self) -> str:
        """The rules by version, and the versions and limits of what compares."""
        return (
            f"math|norm:hendrycks{_math_forms.VERSION}+text{TEXT_VERSION}|extract:boxed/mark/last{_math_answers.VERSION}"
            f"|verify:{label()}|v:{_VERSION}"
        )

    def binary(self, metric: str) -> bool:
        """Always true."""
        return True

    def score(self, item: Item, output: str) -> tuple[Score, ...]:
        """1.0 where the result equals any accepted one."""
        gold = [result for answer in item.answer if (result := _math_answers.gold(answer)) is not None]
        if not gold:
            return tuple(Score(metric, None, note="the accepted answers state no result") for metric in _METRICS)
        found = (_math_answers.stated(output), _math_answers.boxed(output))
        return tuple(_judge(metric, given, gold) for metric, given in zip(_METRICS, found, strict=True))


def _judge(metric: str, given: str | None, gold: list[str]) -> Score:
    if given is None:
        return Score(metric, 0.0)
    verdicts = []
    for wanted in gold:
        verdicts.append(same(wanted, given))
        if verdicts[-1] is Verdict.EQUAL:
            return Score(metric, 1.0, given)
    if Verdict.UNDECIDED in verdicts:
        return Score(metric, None, given, f"comparing {given!r} with the accepted answer ran out of time or memory")
    if all(verdict is Verdict.UNREADABLE_GOLD for verdict in verdicts):
        return Score(metric, None, given, f"the accepted answer {gold[0]!r} cannot be read as mathematics")
    return Score(metric, 0.0, given)


def same(gold: str, given: str) -> Verdict:
    """Whether two results, in LaTeX or in words, are the same."""
    if _math_forms.normal(gold) == _math_forms.normal(given):
        return Verdict.EQUAL
    if _math_forms.is_text(gold) or _math_forms.is_text(given):
        if _math_forms.text_of(gold) == _math_forms.text_of(given):
            return Verdict.EQUAL
        number = _math_answers.only_number(given)
        if _math_forms.is_text(gold) or number is None:
            return Verdict.DIFFERENT
        given = number  # \boxed{5 apples}
    one, two = _math_forms.number(gold), _math_forms.number(given)
    if one is not None and two is not None:
        return _decided(one.equals(two, _slack(one.value, two.value)))
    # math-verify drops the base of a numeral, so that 12_3 and 12_4 would be one.
    gold_numeral, given_numeral = _math_forms.numeral(gold), _math_forms.numeral(given)
    if gold_numeral and given_numeral:
        return _decided(gold_numeral == given_numeral)
    return compare(_math_forms.tidy(gold), _math_forms.tidy(given))


def _slack(one: Fraction, two: Fraction) -> Fraction:
    """What two decimals may differ by: as in math-verify at the sixth decimal, of small numbers at the sixth digit."""
    if one.denominator == two.denominator == 1:
        return Fraction(0)
    return Fraction(1, 10**6) * min(Fraction(1), max(abs(one), abs(two)))


def _decided(equal: bool) -> Verdict:
    return Verdict.EQUAL if equal else Verdict.DIFFERENT
