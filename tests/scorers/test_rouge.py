"""`rouge`: the reference package's numbers on English, and sensible ones on Chinese."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score import rouge_scorer

from harness.gold.item import Item
from harness.scorers._tokenizers import TokenizerName, tokenizer
from harness.scorers.rouge import Rouge

METRICS = ("rouge1", "rouge2", "rougeL")
ENGLISH = Rouge(tokenizer="rouge_score")
REFERENCE_PACKAGE = rouge_scorer.RougeScorer(list(METRICS), use_stemmer=False)

# Few distinct words, so that they overlap; and whatever Unicode can do to a lower-casing tokenizer.
ENGLISH_TEXTS = (
    st.lists(st.sampled_from(["the", "The", "cat", "CAT's", "sat,", "on", "3", "mats.", "İ", "naïve", "-"])).map(
        " ".join
    )
    | st.text()
)
CHINESE_TEXTS = st.text(alphabet="患者头痛发热，建议服用药物。3mg A", min_size=1)


def _values(scorer: Rouge, output: str, *answers: str, question: str = "?") -> tuple[float | None, ...]:
    return tuple(score.value for score in scorer.score(Item(question=question, answer=answers), output))


class _Injected:
    """Our tokenizer in the form that the reference package takes."""

    def __init__(self, name: TokenizerName) -> None:
        self.tokenize = tokenizer(name)


@given(ENGLISH_TEXTS.filter(lambda text: any(c.isascii() and c.isalnum() for c in text)), ENGLISH_TEXTS)
def test_english_equals_the_reference_package(reference: str, output: str) -> None:
    expected = REFERENCE_PACKAGE.score(reference, output)
    values = _values(ENGLISH, output, reference)
    assert values == pytest.approx([expected[metric].fmeasure for metric in METRICS], abs=1e-9)


@given(CHINESE_TEXTS.filter(lambda text: bool(tokenizer("jieba")(text))), CHINESE_TEXTS)
def test_chinese_equals_the_reference_package_given_the_same_tokens(reference: str, output: str) -> None:
    expected = rouge_scorer.RougeScorer(list(METRICS), tokenizer=_Injected("jieba")).score(reference, output)
    values = _values(Rouge(tokenizer="jieba"), output, reference)
    assert values == pytest.approx([expected[metric].fmeasure for metric in METRICS], abs=1e-9)


def test_the_ground_truth_of_the_original_perl_package_is_met(shared_data: Path) -> None:
    folder = shared_data / "rouge" / "google_research"
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    targets = (folder / "target.txt").read_text(encoding="utf-8").splitlines()
    predictions = (folder / "prediction.txt").read_text(encoding="utf-8").splitlines()
    cases = expected["use_stemmer_false"]
    assert len(cases) == len(targets) == len(predictions) == 2
    place = expected["order"].index("fmeasure")
    for case, target, prediction in zip(cases, targets, predictions, strict=True):
        values = _values(ENGLISH, prediction, target)
        assert [round(value or 0.0, expected["places"]) for value in values] == [case[name][place] for name in METRICS]


def test_news_summaries_score_as_in_the_reference_package(shared_data: Path) -> None:
    pairs = json.loads((shared_data / "rouge" / "pltrdy" / "data.json").read_text(encoding="utf-8"))
    assert pairs
    for pair in pairs:
        expected = REFERENCE_PACKAGE.score(pair["ref"], pair["hyp"])
        values = _values(ENGLISH, pair["hyp"], pair["ref"])
        assert values == pytest.approx([expected[metric].fmeasure for metric in METRICS], abs=1e-9)


def test_the_numbers_that_stand_beside_those_summaries_follow_another_definition(shared_data: Path) -> None:
    # They are of the package `rouge` (pltrdy): words split at spaces, with punctuation, and each n-gram counted once.
    pairs = json.loads((shared_data / "rouge" / "pltrdy" / "data.json").read_text(encoding="utf-8"))
    differ = 0
    for pair in pairs:
        hyp, ref = pair["hyp"].split(), pair["ref"].split()
        values = _values(ENGLISH, pair["hyp"], pair["ref"])
        for n in (1, 2):
            given, wanted = (set(zip(*(words[i:] for i in range(n)), strict=False)) for words in (hyp, ref))
            common = len(given & wanted)
            f1 = 2 * common / (len(given) + len(wanted))
            theirs = pair["scores"][f"rouge-{n}"]["f"]
            assert f1 == pytest.approx(theirs, abs=1e-7)
            differ += abs((values[n - 1] or 0.0) - theirs) > 1e-3
    assert differ >= 6


@pytest.mark.parametrize("scorer", [Rouge(), Rouge(tokenizer="jieba"), Rouge(tokenizer="char")])
def test_identical_chinese_texts_score_one(scorer: Rouge) -> None:
    text = "患者头痛发热三天，建议服用布洛芬。"
    assert _values(scorer, text, text) == (1.0, 1.0, 1.0)
    # The trap that this avoids:
    assert REFERENCE_PACKAGE.score(text, text)["rougeL"].fmeasure == 0.0


def test_a_worked_example_in_chinese_characters() -> None:
    # 4 of 5 reference characters in order, of 6 given: precision 4/6, recall 4/5.
    values = _values(Rouge(tokenizer="char"), "他今天去公园", "今天去学园")
    assert values[0] == pytest.approx(2 * (4 / 6) * (4 / 5) / (4 / 6 + 4 / 5))
    assert values[1] == pytest.approx(2 * (2 / 5) * (2 / 4) / (2 / 5 + 2 / 4))
    assert values[2] == values[0]


def test_full_width_case_and_punctuation_do_not_count_in_chinese() -> None:
    assert _values(Rouge(), "服用 ５ＭＧ 布洛芬", "服用5mg布洛芬。") == (1.0, 1.0, 1.0)


def test_each_metric_takes_its_best_reference() -> None:
    values = _values(ENGLISH, "a b c d", "d c b a", "a b x y")
    # The first has all the words, the second a bigram.
    assert values == (1.0, pytest.approx(1 / 3), 0.5)


@pytest.mark.parametrize(
    ("question", "answer", "language", "output", "expected"),
    [
        ("头痛怎么办？", "休息", None, "休息", 1.0),
        ("What is this in Chinese?", "休息", None, "休息", 1.0),  # a Chinese answer to an English question
        ("What?", "rest well", None, "Rest, well!", 1.0),
        ("What?", "2.5", "en", "2 5", 1.0),  # as the reference package splits it
        ("What?", "2.5", "zh", "2 5", 0.0),  # jieba keeps the decimal whole
    ],
)
def test_auto_chooses_by_the_item(
    question: str, answer: str, language: str | None, output: str, expected: float
) -> None:
    metadata = {"language": language} if language else {}
    item = Item(question=question, answer=answer, metadata=metadata)
    assert Rouge().score(item, output)[0].value == expected


def test_auto_never_chooses_by_the_output() -> None:
    # An English item: the Chinese half of the output has no token, whichever side of a comparison wrote it.
    assert _values(Rouge(), "rest 休息休息休息", "rest")[0] == 1.0


def test_the_reference_may_stand_in_the_metadata() -> None:
    scorer = Rouge(reference="metadata.reference", tokenizer="char")
    item = Item(question="?", answer="B", metadata={"reference": "多喝水"})
    assert [score.value for score in scorer.score(item, "多喝水")] == [1.0, 1.0, 1.0]
    several = Item(question="?", answer="B", metadata={"reference": ["休息", "多喝水"]})
    assert scorer.score(several, "多喝水")[0].value == 1.0


@pytest.mark.parametrize("metadata", [{}, {"reference": ""}, {"reference": None}, {"reference": 5}])
def test_without_a_reference_the_item_is_unscored(metadata: dict[str, object]) -> None:
    scores = Rouge(reference="metadata.reference").score(Item(question="?", answer="B", metadata=metadata), "x")
    assert [score.value for score in scores] == [None, None, None]
    assert all("metadata.reference is missing" in score.note for score in scores)


def test_a_reference_without_tokens_is_unscored_rather_than_wrong() -> None:
    scores = ENGLISH.score(Item(question="?", answer="休息"), "休息")
    assert [score.value for score in scores] == [None, None, None]
    assert "no token under the tokenizer rouge_score" in scores[0].note


@pytest.mark.parametrize("output", ["", "  ", "。。。"])
def test_an_output_without_tokens_is_unextracted(output: str) -> None:
    scores = Rouge().score(Item(question="?", answer="休息"), output)
    assert [(score.metric, score.value, score.unextracted) for score in scores] == [
        (metric, 0.0, True) for metric in METRICS
    ]


def test_a_single_word_has_no_bigram() -> None:
    assert _values(ENGLISH, "rest", "rest") == (1.0, 0.0, 1.0)


@given(CHINESE_TEXTS.filter(str.strip), CHINESE_TEXTS.filter(str.strip))
def test_scores_lie_between_zero_and_one_and_are_symmetric(one: str, two: str) -> None:
    scorer = Rouge(tokenizer="char")
    there, back = _values(scorer, one, two), _values(scorer, two, one)
    if None not in there + back:
        assert all(0.0 <= (value or 0.0) <= 1.0 for value in there)
        assert there == pytest.approx(back)


def test_the_signature_names_tokenizer_version_and_reference() -> None:
    assert Rouge(tokenizer="jieba").signature == "rouge|tok:jieba-0.42.1|ref:answer|agg:max|v:1"
    assert Rouge().signature == "rouge|tok:auto(jieba-0.42.1/rouge_score)|ref:answer|agg:max|v:1"
    assert "|tok:char|ref:metadata.reference|" in Rouge(tokenizer="char", reference="metadata.reference").signature


def test_words_added_to_the_global_jieba_change_nothing() -> None:
    code = (
        "import jieba; jieba.add_word('头痛发热', freq=10**9)\n"
        "from harness.scorers._tokenizers import tokenizer\n"
        "assert jieba.lcut('头痛发热') == ['头痛发热']\n"
        "print(tokenizer('jieba')('头痛发热'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", check=True)
    assert "头痛发热'" not in done.stdout.replace("'头痛', '发热'", "")
    assert "头痛" in done.stdout
