"""`choice`: letters read from free text in Chinese and English, and options weighed by likelihood."""

from __future__ import annotations

import csv
import math
import time
from pathlib import Path

import pytest

from harness.gold.item import Item
from harness.scorers._letters import settled
from harness.scorers.likelihoods import OptionLikelihood, OptionLikelihoods, read_likelihoods, readable
from harness.scorers.registry import make_scorer

OPTIONS = ("蔗糖", "氯化钠", "酒精", "C反应蛋白")
ITEM = Item(question="下列哪项是电解质？", answer="B", choices=OPTIONS)
ASKS_FOR_WRONG = Item(question="下列说法错误的是", answer="B", choices=OPTIONS)
SEVERAL = Item(question="下列哪些是电解质？", answer="ABD", choices=OPTIONS)
WEIGHED = {"choice": {"method": "loglikelihood"}}


def read(text: str, item: Item = ITEM) -> str | None:
    (score,) = make_scorer("choice").score(item, text)
    return score.extracted


# The phrases that OpenCompass' first_option_postprocess reads (opencompass/utils/text_postprocessors.py), one for each
# of its patterns that states an answer.
OPENCOMPASS = [
    "答案是B", "答案B", "答案是：B", "答案:B", "答案选项应该是B", "答案选项应为B", "答案应该是B", "答案应选B",
    "答案选项为：B", "答案选项 (B)", "答案选项是:B", "答案为B", "答案选B", "选择B", "选B", "故选B", "故B", "B是正确的",
    "B是正确答案", "选项B正确", "所以答B", "所以B。", "因此B。", "显然B。", "经过分析，应是B。", "说法正确的是B",
    "ANSWER: B", "Answer : B", "The answer is B", "the answer is: (B)", "The answer is **B**", "The answer is option B",
    "The correct answer is B",
    "The correct answer is option B", r"The correct answer is: $\boxed{B}$", r"The correct option is \boxed{B}",
    "The answer to the question is B", "选项B", "B选项", "B项", " B. ", "B，", "B:",
]  # fmt: skip


@pytest.mark.parametrize("text", OPENCOMPASS)
def test_what_opencompass_reads_is_read(text: str) -> None:
    assert read(text) == "B"


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("B", "B"),
        ("b", "B"),
        ("Ｂ", "B"),
        ("（Ｂ）", "B"),
        ("【B】", "B"),
        ("“B”", "B"),
        ("**B**", "B"),
        ("【答案】B<eoa>", "B"),
        ("B<|im_end|>", "B"),
        ("B. 氯化钠", "B"),
        ("B、氯化钠", "B"),
        ("B 氯化钠", "B"),
        ("(B) 氯化钠", "B"),
        ("B\n解析：因为A错误，C错误。", "B"),
        ("**答案：B**", "B"),
        ("### 答案\nB", "B"),
        ("参考答案 B", "B"),
        ("正确答案应该是：**B. 氯化钠**", "B"),
        ("答案是b", "B"),
        ("the correct option is d", "D"),
        ("I would choose C because it conducts.", "C"),
        ("I'd go with D", "D"),
        (r"\boxed{D}", "D"),
        (r"$\boxed{\text{D}}$", "D"),
        (r"\boxed{D. 蛋白}", "D"),
        ("<answer>\nB\n</answer>", "B"),
        ("<think>Maybe A. The answer is A.</think>\n\nB", "B"),
        ("首先分析各项……\n\nB", "B"),
        ("我认为选项B符合题意", "B"),
    ],
)
def test_a_letter_is_read_in_the_forms_that_models_give_it(text: str, letter: str) -> None:
    assert read(text) == letter


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("先看A，A错误。再看B，B正确。故选B。", "B"),
        ("很多人会选A，但正确答案是B。", "B"),
        ("The answer is A. Wait, no. The answer is C.", "C"),
        ("A. 蔗糖不导电。\nB. 氯化钠导电。\n所以答案是B", "B"),
        ("B. 氯化钠……再想一想，答案是C。", "C"),
        ("答案是B，A选项错误", "B"),
        ("The answer is B and A is wrong", "B"),
        ("答案是A还是B呢？综上所述，答案为（B）。", "B"),
    ],
)
def test_the_last_stated_conclusion_counts(text: str, letter: str) -> None:
    assert read(text) == letter


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("不选A，选B", "B"),
        ("不能选择A和C，应选D", "D"),
        ("答案不是A，是B", "B"),
        ("答案不是A，而是B。", "B"),
        ("The answer is not A but B.", "B"),
        ("如果选A，则与题意不符；选B。", "B"),
        ("不应该选A", None),
        ("the answer is not A", None),
        ("I would not choose A", None),
        ("选A是错误的", None),
        ("Option A is wrong.", None),
        ("A是错误的", None),
    ],
)
def test_a_denied_letter_is_no_answer(text: str, letter: str | None) -> None:
    assert read(text) == letter


@pytest.mark.parametrize(
    "text",
    [
        "", "   ", "不知道", "I do not know", "A和B都对", "答案是A或B", "A, B", "The answer is A or C", "ABD", "E",
        "答案是E",
        "A. 错误\nB. 正确\nC. 错误\nD. 错误",  # goes through the options, settles on none
        "<think>Maybe A. The answer is A",  # never came to an answer
    ],
)  # fmt: skip
def test_what_settles_on_no_single_option_is_unextracted_and_wrong(text: str) -> None:
    (score,) = make_scorer("choice").score(ITEM, text)
    assert (score.value, score.extracted, score.unextracted) == (0.0, None, True)


@pytest.mark.parametrize(
    "text",
    [
        "患者缺乏维生素C", "B细胞减少", "D-dimer is raised", "缺乏B12", "A patient with fever should rest.", "A型血",
        "Hepatitis B virus", "the answer is a drug", "Vitamin D and C are vitamins", "CT检查", "选CT检查",
    ],
)  # fmt: skip
def test_a_letter_inside_a_text_is_not_an_answer(text: str) -> None:
    assert read(text) is None


@pytest.mark.parametrize("text", ["氯化钠", "氯化钠。", "答案是氯化钠", "The answer is 氯化钠."])
def test_the_text_of_exactly_one_option_stands_for_its_letter(text: str) -> None:
    assert read(text) == "B"


def test_an_option_that_begins_with_a_letter_is_not_that_letter() -> None:
    assert read("选C反应蛋白") == "D"
    assert read("氯化钠和酒精") is None


@pytest.mark.parametrize(
    ("text", "wrong", "right"),
    [
        ("错误的是B", "B", None),
        ("说法不正确的是B", "B", None),
        ("A正确，B错误，C正确", "B", None),
        ("A正确，C正确，错误的是B", "B", None),
        ("正确的是A，错误的是B", "B", "A"),
        ("B错误，故选B", "B", "B"),
    ],
)
def test_wrong_is_the_answer_only_where_the_question_asks_for_it(text: str, wrong: str, right: str | None) -> None:
    assert read(text, ASKS_FOR_WRONG) == wrong
    assert read(text) == right


LETTER_FORMS = [
    "{l}", "{l}. {t}", "{l}、{t}", "答案是{l}", "答案：{l}. {t}", "正确答案是（{l}）{t}。", "正确答案：{l}", "选{l}",
    "**{l}. {t}**",
    "{l}\n\n解析：{t}符合题意，其余选项错误。", "The answer is ({l}).", "这道题考查基础知识。\n故选{l}。",
    "综合来看，本题应选{l}。", "所以 $\\boxed{{{l}}}$", "【答案】{l}【解析】{t}",
]  # fmt: skip


def test_every_option_of_cmmlu_is_read_in_every_form(shared_data: Path) -> None:
    """Options that are letters, formulas or denials themselves are among them: AB, c的值大, 不是分数."""
    read_as_text, wrong = 0, []
    for path in sorted((shared_data / "cmmlu" / "test").glob("*.csv")):
        with path.open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                item = Item(question=row["Question"], choices=tuple(row[x] for x in "ABCD"), answer=row["Answer"])
                for letter in "ABCD":
                    for form in LETTER_FORMS:
                        text = form.format(l=letter, t=row[letter])
                        if settled(text, item) != letter:
                            wrong.append(text)
                    read_as_text += settled(row[letter], item) == letter
    assert wrong == []
    # The text alone: nothing tells an option `a` from the letter, nor two that are alike.
    assert read_as_text >= 0.999 * 4 * 2_945


def test_a_question_that_a_base_model_goes_on_to_invent_is_not_read() -> None:
    assert read("答案：B\n\n题目：下列哪项是酸？\nA. 水\nB. 醋\n答案：D") == "B"
    assert read("B\n\nHuman: 下一题\nAssistant: C") == "B"
    assert read("问题：哪项是电解质？\n答案：B") == "B"


@pytest.mark.parametrize(
    "text", ["ABD", "A、B、D", "答案：A、B、D。", "故选ABD", "D,B,A", "A, B and D", "答案是A、B和D"]
)
def test_several_letters_together_are_one_answer_where_the_key_has_several(text: str) -> None:
    assert [s.value for s in make_scorer("choice").score(SEVERAL, text)] == [1.0]


@pytest.mark.parametrize(("text", "found"), [("AB", "AB"), ("A", "A"), ("全选：ABCD", "ABCD"), ("答案是A或B", None)])
def test_a_part_of_the_letters_is_wrong(text: str, found: str | None) -> None:
    (score,) = make_scorer("choice").score(SEVERAL, text)
    assert (score.value, score.extracted) == (0.0, found)


def test_any_accepted_letter_is_right() -> None:
    item = ITEM.model_copy(update={"answer": ("B", "C")})
    assert [make_scorer("choice").score(item, text)[0].value for text in "ABCD"] == [0.0, 1.0, 1.0, 0.0]


def test_an_item_without_options_cannot_be_scored() -> None:
    with pytest.raises(ValueError, match="no 'choices'"):
        make_scorer("choice").score(Item(question="?", answer="B"), "B")


def test_a_hundred_thousand_short_answers_take_less_than_ten_seconds() -> None:
    scorer = make_scorer("choice")
    items = [ITEM.model_copy(update={"question": f"第{i}题", "answer": ("ABCD"[i % 4],)}) for i in range(1000)]
    texts = ["B", "答案是B", "选C。", "B. 氯化钠", "The answer is (C).", "根据题意，不选A，选B。", "我不知道", "氯化钠"]
    texts += [r"\boxed{D}", "B\n解析：因为A错误，C错误，所以选B。"]
    began = time.process_time()
    for number in range(100_000):
        scorer.score(items[number % 1000], texts[number % 10])
    assert time.process_time() - began < 10.0


@pytest.mark.parametrize(
    "unit",
    [" ", "*", ":", "\n", "答案", "答案 A ", "A ", "A、", "A和", "A, ", "选", "不选A", "(A", "[(", "the answer ",
     "\\boxed{",
     "因此", "所以A和B，", "A is the most ", "A.\n", "不正确的", "<think>", "<|"],
)  # fmt: skip
def test_a_text_without_an_end_takes_no_time_to_read(unit: str) -> None:
    began = time.process_time()
    read("答案" + unit * 20_000 + "x")
    assert time.process_time() - began < 2.0


# Likelihoods


def likelihoods(*sums: float, texts: tuple[str, ...] = ("A", "B", "C", "D")) -> str:
    pairs = zip(texts, sums, strict=True)
    return OptionLikelihoods(options=tuple(OptionLikelihood(text=t, logprob=s, tokens=1) for t, s in pairs)).to_json()


def test_the_likeliest_option_is_the_answer() -> None:
    scores = make_scorer(WEIGHED).score(ITEM, likelihoods(-3.0, -1.0, -2.0, -9.0))
    assert [(s.metric, s.value, s.extracted) for s in scores] == [("choice", 1.0, "B"), ("choice_norm", 1.0, "B")]
    assert make_scorer(WEIGHED).score(ITEM, likelihoods(-1.0, -3.0, -2.0, -9.0))[0].value == 0.0


def test_length_divides_sums_by_characters_or_bytes() -> None:
    item = Item(question="?", answer="B", choices=("ab", "abcdef", "钠钠"))
    output = likelihoods(-2.0, -4.2, -3.0, texts=("ab", "abcdef", "钠钠"))
    # Per character: -1.00, -0.70, -1.50. Per byte: -1.00, -0.70, -0.50 (two characters, six bytes).
    by_character = make_scorer({"choice": {"method": "loglikelihood", "options": "text"}})
    by_byte = make_scorer({"choice": {"method": "loglikelihood", "options": "text", "length": "byte"}})
    assert [s.extracted for s in by_character.score(item, output)] == ["A", "B"]
    assert [s.extracted for s in by_byte.score(item, output)] == ["A", "C"]


def test_a_tie_at_the_top_is_no_choice_wherever_the_right_option_stands() -> None:
    for key in "AB":
        item = ITEM.model_copy(update={"answer": (key,)})
        (score, _) = make_scorer(WEIGHED).score(item, likelihoods(-1.0, -1.0, -2.0, -9.0))
        assert (score.value, score.extracted) == (0.0, "A=B")
    assert make_scorer(WEIGHED).score(ITEM, likelihoods(-2.0, -1.0, -2.0, -2.0))[0].value == 1.0


@pytest.mark.parametrize(
    "output",
    ["B", "", "{}", likelihoods(-1.0, -2.0, texts=("A", "B")), likelihoods(-1.0, -2.0, -3.0, -4.0, texts=OPTIONS)],
    ids=["a text", "nothing", "other JSON", "fewer options", "the texts instead of the letters"],
)
def test_likelihoods_of_other_things_are_not_scored(output: str) -> None:
    with pytest.raises(ValueError, match="does not hold the likelihoods of this item's options"):
        make_scorer(WEIGHED).score(ITEM, output)


def test_likelihoods_come_back_to_the_last_bit_and_nothing_else_is_taken_for_them() -> None:
    text = likelihoods(-0.1, -1e-300, -math.pi, -1e9)
    found = read_likelihoods(text)
    assert found is not None
    assert [option.logprob for option in found.options] == [-0.1, -1e-300, -math.pi, -1e9]
    assert found.to_json() == text
    assert read_likelihoods('{"logprob": 1}') is None
    assert read_likelihoods("B") is None
    with pytest.raises(ValueError, match="finite"):
        likelihoods(float("nan"), -1.0, -1.0, -1.0)


def test_people_are_shown_the_choice_and_the_numbers_behind_it() -> None:
    assert readable(likelihoods(-2.314, -0.12, -3.0, -9.0)) == "B (A -2.31, B -0.12, C -3.00, D -9.00)"
    assert readable("答案是B") == "答案是B"


def test_the_signature_says_which_ruler_it_was() -> None:
    signatures = [
        make_scorer({"choice": options}).signature
        for options in (
            {},
            {"method": "loglikelihood"},
            {"method": "loglikelihood", "options": "text"},
            {"method": "loglikelihood", "options": "text", "length": "byte"},
        )
    ]
    assert len(set(signatures)) == 4
    assert "method:generated" in signatures[0]
    assert "method:loglikelihood|options:letter|norm:per-character" in signatures[1]
    assert "options:text|norm:per-byte" in signatures[3]


def test_options_of_likelihoods_do_not_go_with_generated_letters() -> None:
    from harness.errors import InputError

    with pytest.raises(InputError, match="scorers: choice: 'options' and 'length' go with"):
        make_scorer({"choice": {"options": "text"}})
