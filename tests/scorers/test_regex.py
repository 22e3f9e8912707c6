"""`regex`: a user's own pattern, with a capture that is compared, and a limit on backtracking."""

from __future__ import annotations

import time

import pytest

from harness.errors import InputError
from harness.gold.item import Item
from harness.scorers.base import Score
from harness.scorers.regex import Regex
from harness.scorers.registry import make_scorer


def _score(scorer: Regex, output: str, *answers: str) -> Score:
    (score,) = scorer.score(Item(question="?", answer=answers or ("x",)), output)
    return score


@pytest.mark.parametrize(
    ("output", "value", "extracted"),
    [
        ("答案：阿司匹林", 1.0, "阿司匹林"), ("答案：布洛芬\n答案：阿司匹林。", 1.0, "阿司匹林"),
        ("答案：阿司匹林\n答案：布洛芬", 0.0, "布洛芬"), ("阿司匹林", 0.0, None), ("", 0.0, None),
    ],
)  # fmt: skip
def test_what_the_group_captured_last_is_compared(output: str, value: float, extracted: str | None) -> None:
    score = _score(Regex(pattern=r"答案：(.+)"), output, "阿斯匹林", "阿司匹林")
    assert (score.value, score.extracted) == (value, extracted)


def test_the_first_match_may_count() -> None:
    output = "Answer: A. Answer: B."
    assert _score(Regex(pattern=r"Answer: (\w)", match="first"), output, "A").value == 1.0
    assert _score(Regex(pattern=r"Answer: (\w)"), output, "A").value == 0.0


def test_a_pattern_without_a_group_is_right_where_it_is_found() -> None:
    scorer = Regex(pattern=r"^\s*\{.*\}\s*$")
    assert [_score(scorer, text).value for text in ('{"a": 1}', "no")] == [1.0, 0.0]
    assert not _score(scorer, "no").unextracted
    assert _score(scorer, "").unextracted


def test_the_case_of_letters_may_be_ignored() -> None:
    assert [_score(Regex(pattern="yes", ignore_case=flag), "YES").value for flag in (True, False)] == [1.0, 0.0]


def test_a_pattern_that_backtracks_for_ever_leaves_the_item_unscored() -> None:
    started = time.process_time()
    score = _score(Regex(pattern=r"(?:a|a|aa)+$"), "a" * 5000 + "b")
    assert score.value is None
    assert "backtracked" in score.note
    assert time.process_time() - started < 3.0


@pytest.mark.parametrize(
    ("spec", "parts"),
    [
        ({"regex": {"pattern": "("}}, ["scorers: regex: pattern", "no regular expression", "'('"]),
        ({"regex": {"pattern": "(a)(b)"}}, ["at most one capture group, not 2", "(?:…)"]),
        ("regex", ["scorers: regex", "the option 'pattern' is missing", "{regex: {pattern: …}}"]),
    ],
)
def test_a_wrong_pattern_is_an_error_that_names_it(spec: str | dict[str, dict[str, object]], parts: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        make_scorer(spec)
    for part in parts:
        assert part in str(caught.value)


def test_the_signature_holds_the_pattern() -> None:
    assert Regex(pattern="a|(b)").signature == (
        "regex|pattern:'a|(b)'|match:last|case:kept|compare:nfkc+case+punct+space|v:1"
    )
    assert "|compare:no|" in Regex(pattern="a").signature
