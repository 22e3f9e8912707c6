"""`number`: numbers are found as people write them and compared exactly."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.gold.item import Item
from harness.scorers._numerals import numeral_value
from harness.scorers._quantities import last_quantity, marked_quantity
from harness.scorers.number import Number, gold_quantity

NUMBER = Number()


def _values(output: str, *answers: str, tolerance: float = 0.0) -> tuple[float | None, ...]:
    scores = Number(tolerance=tolerance).score(Item(question="?", answer=answers), output)
    return tuple(score.value for score in scores)


def _flexible(output: str, *answers: str, tolerance: float = 0.0) -> float | None:
    return _values(output, *answers, tolerance=tolerance)[0]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,000", "1000"), ("1，000", "1000"), ("1,000,000.50", "1000000.5"), ("１８", "18"), ("１，０００", "1000"),
        ("$18.00", "18"), ("＄18", "18"), ("¥18", "18"), ("￥18", "18"), ("US$18", "18"), ("USD 18", "18"),
        ("18元", "18"), ("5km", "5"), ("5千克", "5"), ("5千米", "5"), ("3百", "300"), ("5x", "5"),
        ("-3", "-3"), ("−3", "-3"), ("－3", "-3"), ("–3", "-3"), ("负3", "-3"), ("-$3", "-3"), ("$-3", "-3"),
        ("答案是-3", "-3"), ("x=-3", "-3"), ("(-3)", "-3"), ("$-3$", "-3"), ("negative 3", "-3"), ("零下3度", "-3"),
        ("10-3", "3"), ("x-3", "3"), ("2026-11-22", "22"), ("11/22/2026", "2026"), ("16 - 3 - 4 = 9", "9"),
        ("1.5", "1.5"), (".5", "0.5"), ("-.5", "-0.5"), ("18.", "18"), ("The answer is 18.", "18"),
        ("3/4", "3/4"), ("3 / 4", "3/4"), ("1 1/2", "3/2"), ("-1 1/2", "-3/2"), ("½", "1/2"), ("1½", "3/2"),
        ("1.5e3", "1500"), ("1E-2", "1/100"), ("3×10^5", "300000"), ("3×10⁵", "300000"), ("2^10", "1024"),
        ("2 million", "2000000"), ("3thousand", "3000"),
        (r"\boxed{18}", "18"), (r"$\boxed{-18}$", "-18"), (r"\frac{1}{2}", "1/2"), (r"-\frac{1}{2}", "-1/2"),
        (r"\dfrac12", "1/2"), (r"1\frac{1}{2}", "3/2"), (r"3 \times 10^{5}", "300000"), (r"10,\!000", "10000"),
        (r"\$18", "18"), ("1{,}234", "1234"),
        ("25 cm²", "25"), ("25 m^2", "25"), ("3 s^-1", "3"), ("5 mol H2O", "5"),
        ("1.2万", "12000"), ("3万5千", "35000"), ("3万五千", "35000"), ("1亿2000万", "120000000"),
        ("2万亿", "2000000000000"),
        ("百分之50", "50"), ("3分之1", "1/3"), ("千分之5", "1/200"), ("5‰", "1/200"),
    ],
)  # fmt: skip
def test_numbers_in_arabic_digits_are_read(text: str, value: str) -> None:
    found = last_quantity(text)
    assert found is not None
    assert found.value == Fraction(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("十二", "12"), ("十", "10"), ("二十", "20"), ("一百零五", "105"), ("一百五十", "150"), ("一百五", "150"),
        ("两千三百", "2300"), ("两千三", "2300"), ("两千零三", "2003"), ("三万五千", "35000"), ("三万五", "35000"),
        ("一万零三百", "10300"), ("三千五百万", "35000000"), ("两百万", "2000000"), ("一万亿", "1" + "0" * 12),
        ("二零二六", "2026"), ("壹佰贰拾", "120"), ("三萬", "30000"), ("零", "0"), ("〇", "0"),
        ("负三", "-3"), ("零下五度", "-5"), ("零点五", "1/2"), ("三点一四", "3.14"), ("负零点五", "-1/2"),
        ("三分之一", "1/3"), ("负三分之二", "-2/3"), ("一又二分之一", "3/2"), ("千分之三", "3/1000"),
        ("百分之五十", "50"), ("百分之百", "100"), ("百分之十二点五", "12.5"),
        ("一共十二个", "12"), ("答案是十二，这些都是苹果", "12"), ("唯一的答案是三", "3"), ("三月里卖了五个", "5"),
        ("第三天是十二", "12"), ("五个，万一不够呢", "5"), ("星期三有七只", "7"),
    ],
)  # fmt: skip
def test_numbers_in_chinese_numerals_are_read(text: str, value: str) -> None:
    found = last_quantity(text)
    assert found is not None
    assert found.value == Fraction(value)


@pytest.mark.parametrize(
    "text",
    ["", "no number", "H2O", "Q1", "x_1", "x_{1}", "x^2", "1/0", "三月", "第三", "星期三", "一些", "万一", "统一",
     "百万",
     "三两", "一般来说一定一样", "1e999999999", "9" * 5000, "10^99999999"],
)  # fmt: skip
def test_what_is_no_number_is_not_read(text: str) -> None:
    assert last_quantity(text) is None


@pytest.mark.parametrize("text", ["三个苹果，共5元", "一百零五减 5 等于 5"])
def test_arabic_digits_win_over_chinese_numerals(text: str) -> None:
    found = last_quantity(text)
    assert found is not None
    assert found.value == 5


@pytest.mark.parametrize(
    ("output", "gold", "right"),
    [
        ("50%", "50%", True),
        ("50％", "50%", True),
        ("百分之五十", "50%", True),
        ("50 percent", "50%", True),
        ("50", "50%", True),  # the sign is a unit, which may be left off
        ("50%", "50", True),
        ("0.5", "50%", True),
        ("50%", "0.5", True),
        ("150%", "1.5", True),
        ("0.5", "0.5%", False),
        ("0.5%", "0.5", False),
        ("5%", "50%", False),
        ("50%", "5", False),
        ("1/2", "50%", True),
    ],
)
def test_a_percentage_equals_its_figure_or_its_ratio(output: str, gold: str, right: bool) -> None:
    assert _flexible(output, gold) == float(right)


@pytest.mark.parametrize(
    ("output", "gold"), [("0.5", "1/2"), ("2/4", "1/2"), ("18.00", "18"), ("1.2万", "12,000"), ("十二", "12")]
)
def test_two_ways_to_write_a_number_are_equal(output: str, gold: str) -> None:
    assert _flexible(output, gold) == 1.0


@pytest.mark.parametrize(
    ("output", "gold"), [("0.333", "1/3"), ("15", "1.5"), ("3", "-3"), ("1", "1,000"), ("5", "5千")]
)
def test_two_numbers_are_not(output: str, gold: str) -> None:
    assert _flexible(output, gold) == 0.0


def test_comparison_is_exact_where_floats_would_agree() -> None:
    assert _flexible("0.30000000000000004", "0.3") == 0.0
    assert _flexible("9007199254740993", "9007199254740992") == 0.0


def test_tolerance_is_absolute_and_decimal() -> None:
    assert _flexible("3.1", "3", tolerance=0.1) == 1.0
    assert _flexible("3.1000001", "3", tolerance=0.1) == 0.0
    assert _flexible("0.52", "50%", tolerance=0.02) == 0.0  # in the units of the gold answer: percentage points
    assert _flexible("0.52", "50%", tolerance=2.0) == 1.0


def test_an_answer_in_the_middle_counts_under_strict_only() -> None:
    output = "She has 18 eggs.\n#### 18\nShe started with 20 eggs on day 3."
    assert _values(output, "18") == (0.0, 1.0)


def test_another_number_at_the_end_does_not_fool_strict() -> None:
    # The last number happens to be right, but the answer given is another one.
    assert _values("#### 20\nCheck: 9 * 2 = 18", "18") == (1.0, 0.0)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("#### 18", "18"), ("####18", "18"), ("#### $18.00", "18"), ("#### -3", "-3"), ("#### **18**", "18"),
        (r"#### $\boxed{18}$", "18"), ("#### 1,000 eggs", "1000"), ("#### 18 (not 20)", "18"), ("#### 18.", "18"),
        ("#### 十二", "12"), ("#### 50%", "50"), ("#### 2/3", "2/3"), ("＃＃＃＃ １８", "18"),
        ("#### 3\ntext\n#### 4", "4"), ("#### 18\n#### Notes", "18"), ("#### 18\n\n#### 1. Add the eggs", "18"),
    ],
)  # fmt: skip
def test_strict_takes_the_number_after_the_last_mark(text: str, value: str) -> None:
    found = marked_quantity(text)
    assert found is not None
    assert found.value == Fraction(value)


@pytest.mark.parametrize(
    "text",
    ["18", "### 18", "##### 18", "####\n18", "#### Step 1: add", "#### 1. Add the eggs", "#### 3*6 = 18", "#### 18-20",
     "#### 5 + 6", "#### the answer is 18", "####", "#### 第三步"],
)  # fmt: skip
def test_strict_finds_nothing_without_a_plain_number_after_the_mark(text: str) -> None:
    score = NUMBER.score(Item(question="?", answer="18"), text)[1]
    assert (score.value, score.unextracted) == (0.0, True)


def test_any_accepted_answer_is_right() -> None:
    assert _flexible("7", "5", "seven", "7") == 1.0


def test_without_a_number_in_the_gold_the_item_is_unscored() -> None:
    scores = NUMBER.score(Item(question="?", answer="none at all"), "18")
    assert [score.value for score in scores] == [None, None]
    assert all("no number" in score.note for score in scores)


def test_an_output_without_a_number_is_unextracted() -> None:
    assert [score.unextracted for score in NUMBER.score(Item(question="?", answer="1"), "I do not know")] == [
        True,
        True,
    ]


def test_the_extracted_text_is_as_written() -> None:
    assert NUMBER.score(Item(question="?", answer="18"), "It costs $18.00 per day")[0].extracted == "$18.00"


def test_the_signature_names_the_tolerance() -> None:
    assert NUMBER.signature == "number|norm:nfkc|extract:last/####|tol:0|v:1"
    assert "|tol:0.01|" in Number(tolerance=0.01).signature


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=4))
def test_every_decimal_is_read_back_exactly(number: Decimal) -> None:
    for text in (f"{number:f}", f"{number:,f}", f"答案是{number:f}元。"):
        found = last_quantity(text)
        assert found is not None
        assert found.value == Fraction(number)


@given(st.integers(min_value=1, max_value=10**11))
def test_every_chinese_numeral_is_read_back(number: int) -> None:
    assert numeral_value(_spoken(number)) == number


@given(st.text(alphabet="0123456789.,-%/$#^e万千百三十点分之负 x{}\\\n") | st.text())
def test_any_output_scores_zero_or_one(output: str) -> None:
    for score in NUMBER.score(Item(question="?", answer="18"), output):
        assert score.value in (0.0, 1.0)
        assert score.value == 0.0 or score.extracted is not None


@given(st.fractions(min_value=-1000, max_value=1000, max_denominator=1000))
def test_a_gold_number_scores_one_against_itself(number: Fraction) -> None:
    assert _values(f"#### {number}", str(number)) == (1.0, 1.0)


@pytest.mark.parametrize("split", ["train", "test"])
def test_every_gsm8k_gold_answer_is_read_and_scores_one_against_itself(shared_data: Path, split: str) -> None:
    lines = (shared_data / "gsm8k" / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == {"train": 7473, "test": 1319}[split]
    for line in lines:
        answer = json.loads(line)["answer"]
        expected = answer.rpartition("####")[2].strip().replace(",", "")
        found = gold_quantity(answer)
        assert found is not None, answer
        assert str(found.value) == expected
        assert _values(answer, answer) == (1.0, 1.0), answer


def test_every_mgsm_chinese_gold_answer_is_read(shared_data: Path) -> None:
    lines = (shared_data / "gsm8k_zh" / "mgsm_zh.jsonl").read_text(encoding="utf-8").splitlines()
    assert lines
    for line in lines:
        answer = json.loads(line)["answer"]
        assert _flexible(f"所以答案是{answer}元。", answer) == 1.0


def _spoken(number: int) -> str:
    """The standard Chinese numeral of a positive integer below 10^12."""
    digits = "零一二三四五六七八九"
    for size, unit in ((10**8, "亿"), (10**4, "万"), (1000, "千"), (100, "百"), (10, "十")):
        if number >= size:
            many, rest = divmod(number, size)
            gap = "零" if 0 < rest < size // 10 else ""
            return _spoken(many) + unit + gap + (_spoken(rest) if rest else "")
    return digits[number]
