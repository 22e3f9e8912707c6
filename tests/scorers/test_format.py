"""`format` and the rewards under it: the numbers of the GRPO demonstration, quirks included.

Expected values are worked out by hand from the demonstration (W. Brown, "GRPO Demo"; see `harness.scorers.rewards`).
"""

from __future__ import annotations

import pytest

from harness.gold.item import Item
from harness.scorers import rewards
from harness.scorers.format import Format

GOOD = "<reasoning>\n16 - 3 - 4 = 9\n9 * 2 = 18\n</reasoning>\n<answer>\n18\n</answer>\n"
ONE_LINE = "<reasoning>\n9 * 2 = 18\n</reasoning>\n<answer>\n18\n</answer>\n"


def _values(output: str, *answers: str, multiline: bool = True) -> dict[str, float | None]:
    scores = Format(multiline=multiline).score(Item(question="?", answer=answers or ("18",)), output)
    return {score.metric: score.value for score in scores}


def test_a_perfect_answer_earns_the_most_everywhere() -> None:
    assert [function(GOOD, "#### 18") for function, _ in rewards.REWARDS.values()] == [0.5, 0.5, 0.5, 0.5, 2.0]
    assert set(_values(GOOD).values()) == {1.0}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0.0), ("18", 0.0), ("<reasoning>\n", 0.125), ("<reasoning>\nx\n</reasoning>\n", 0.25), (GOOD, 0.5),
        # Ten characters after the answer are counted by both of the tags that end it.
        (GOOD + "0123456789", 0.5 - 0.010 - 0.010),
        # Tags twice earn nothing.
        ("<reasoning>\n<reasoning>\nx\n</reasoning>\n", 0.125),
        # Without the last line break the whole text counts as a tail (57 characters), and the other tail is -1 long.
        (ONE_LINE.rstrip("\n"), 0.5 - 0.057 + 0.001),
        ("\n<answer>\n" + "x" * 990, 0.125 - 1.0),
    ],
)  # fmt: skip
def test_xml_count_takes_off_for_a_tail_and_may_fall_below_zero(text: str, expected: float) -> None:
    assert len(ONE_LINE.rstrip("\n")) == 57
    assert rewards.xml_count(text) == pytest.approx(expected)


def test_the_metric_does_not_fall_below_zero() -> None:
    assert _values("\n<answer>\n" + "x" * 990)["xml_count"] == 0.0


def test_reasoning_of_several_lines_is_rewarded_unless_the_first_form_is_wanted() -> None:
    assert (rewards.soft_format(GOOD), rewards.strict_format(GOOD)) == (0.5, 0.5)
    assert (rewards.soft_format(GOOD, multiline=False), rewards.strict_format(GOOD, multiline=False)) == (0.0, 0.0)
    single = "<reasoning>x</reasoning> <answer>18</answer>"
    assert rewards.soft_format(single, multiline=False) == 0.5
    assert _values(GOOD, multiline=False)["strict_format"] == 0.0


def test_soft_forgives_what_strict_does_not() -> None:
    for text in (
        "<reasoning>x</reasoning><answer>18</answer>",
        GOOD.rstrip("\n"),
        GOOD + "Hope this helps!",
        GOOD.replace("</reasoning>\n", "</reasoning>\n\n"),
    ):
        assert (rewards.soft_format(text), rewards.strict_format(text)) == (0.5, 0.0)
    # Both want the text to begin with the tag.
    assert (rewards.soft_format("Sure! " + GOOD), rewards.strict_format("Sure! " + GOOD)) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("answer", "reward"),
    [("18", 0.5), (" 18 ", 0.5), ("-3", 0.0), ("1,000", 0.0), ("18.0", 0.0), ("", 0.0), ("十二", 0.0)],
)
def test_a_whole_number_is_digits_alone(answer: str, reward: float) -> None:
    assert rewards.integer(f"<answer>\n{answer}\n</answer>") == reward


def test_correctness_compares_texts() -> None:
    assert rewards.correctness("<answer>\n1000\n</answer>", "#### 1,000") == 2.0
    assert rewards.correctness("<answer>\n1,000\n</answer>", "#### 1,000") == 0.0  # the comma goes from the gold alone
    assert rewards.correctness("<answer>18.0</answer>", "#### 18") == 0.0
    assert rewards.correctness("18", "#### 18") == 2.0  # without tags the whole text is the answer
    assert rewards.correctness("<answer>18</answer>", "$18") == 2.0


def test_rewards_are_scaled_by_the_most_they_give() -> None:
    values = _values("<reasoning>x</reasoning><answer>19</answer>")
    assert values == {
        "xml_count": 0.0, "soft_format": 1.0, "strict_format": 0.0, "integer": 1.0, "correctness": 0.0,
        "reward": (0.5 + 0.5) / 4.0,
    }  # fmt: skip


def test_the_best_accepted_answer_counts() -> None:
    assert _values(GOOD, "17", "18")["correctness"] == 1.0


def test_an_output_without_the_tag_is_unextracted() -> None:
    item = Item(question="?", answer="18")
    assert all(score.unextracted for score in Format().score(item, "It is 18."))
    assert not any(score.unextracted for score in Format().score(item, GOOD))


def test_the_signature_states_the_scale_and_the_form() -> None:
    assert Format().signature == (
        "format|rewards:willccbb1|most:0.5/0.5/0.5/0.5/2|scale:max0(r)/most|multiline:yes|v:1"
    )
    assert "|multiline:no|" in Format(multiline=False).signature
