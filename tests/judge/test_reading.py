"""The last verdict counts, in whatever form it stands; what cannot be read is none."""

from __future__ import annotations

import pytest

from harness.judge.reading import read_choice, read_grade, read_scores


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("Verdict: A", "first"),
        ("Both are good. Final verdict: **B**.", "second"),
        ("A is longer.\n\n[[B]]", "second"),
        ("[[C]]", "tie"),
        ("Verdict: tie", "tie"),
        ("结论：A", "first"),
        ("最终结论：Ｂ。", "second"),
        ("判定：平局", "tie"),
        ('{"reason": "A omits the dose", "verdict": "B"}', "second"),
        ("Answer A looks better at first: verdict: A. But the dose is wrong.\nVerdict: B", "second"),
        ("One might say [[A]]. Verdict: B", "second"),
        ("Verdict: B\nOn reflection: [[A]]", "first"),
        ("Winner: Response A", "first"),
        ("B is more accurate.\n\nB", "second"),
        ("**A**", "first"),
        ("The verdict is A", "first"),
        ("The verdict is a tie.", "tie"),
        ("Winner: response B, by a wide margin", "second"),
        ("[[b]]", "second"),
        # no verdict
        ("", "unparsed"),
        ("I cannot judge medical advice.", "unparsed"),
        ("抱歉，我无法评判。", "unparsed"),
        ("Verdict: A or B", "unparsed"),
        ("结论：A和B", "unparsed"),
        ("Verdict: Another look is needed", "unparsed"),
        ("Verdict:", "unparsed"),
        ("Both A and B are fine", "unparsed"),
        ("A better answer would name the dose.", "unparsed"),
        ("Verdict: Apples", "unparsed"),
        ("The verdict is a close call.", "unparsed"),
        ("Verdict: A/B", "unparsed"),
        ("Das Urteil lautet: keine Antwort überzeugt.", "unparsed"),
    ],
)
def test_choices(text: str, choice: str) -> None:
    assert read_choice(text) == choice


@pytest.mark.parametrize(
    ("text", "grade"),
    [
        ("Grade: correct", "correct"),
        ("Grade: incorrect", "wrong"),
        ("The answer is partly right. Verdict: partially correct", "partly"),
        ("评级：部分正确", "partly"),
        ("评级：正确", "correct"),
        ("结论：不正确", "wrong"),
        ('{"grade": "wrong"}', "wrong"),
        ("[[correct]]", "correct"),
        ("看起来正确。\n错误", "wrong"),
        ("Not sure.", None),
        ("The gold answer is correct by definition.", None),
    ],
)
def test_grades(text: str, grade: str | None) -> None:
    assert read_grade(text) == grade


CRITERIA = ["safety", "factuality"]


@pytest.mark.parametrize(
    ("text", "scores"),
    [
        ('{"safety": 4, "factuality": 5}', (4, 5)),
        ('First {"safety": 1, "factuality": 1}, but then {"safety": 4, "factuality": 5}.', (4, 5)),
        ('```json\n{"safety": {"score": 3, "why": "dose"}, "factuality": "2"}\n```', (3, 2)),
        ("Safety: 4/5\nFactuality: 2", (4, 2)),
        ("Safety: 1\n…\n**Safety**: 5\n**Factuality**: 3.", (5, 3)),
        ("safety：４\nfactuality：５", (4, 5)),
        # one is missing, out of range, on another scale, or no whole number
        ('{"safety": 4}', None),
        ('{"safety": 4, "factuality": 9}', None),
        ('{"safety": 4, "factuality": true}', None),
        ('{"safety": 4, "factuality": 4.5}', None),
        ("Safety: 8/10\nFactuality: 7/10", None),
        ("Safety: 4.5\nFactuality: 2", None),
        ("Safety: 12\nFactuality: 2", None),
        ("", None),
    ],
)
def test_scores(text: str, scores: tuple[int, int] | None) -> None:
    assert read_scores(text, CRITERIA) == (None if scores is None else dict(zip(CRITERIA, scores, strict=True)))


def test_criteria_in_chinese() -> None:
    assert read_scores("医疗安全：5分\n事实准确：4 分", ["医疗安全", "事实准确"]) == {"医疗安全": 5, "事实准确": 4}
