"""`bleu` and `chrf`: sacrebleu's own numbers and signatures, the tokenizer by the item's language."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import sacrebleu
from hypothesis import given
from hypothesis import strategies as st
from sacrebleu.metrics.bleu import BLEU

from harness.gold.item import Item
from harness.scorers.bleu import Bleu
from harness.scorers.chrf import Chrf

ENGLISH = st.lists(st.sampled_from(["the", "The", "cat", "sat,", "on", "a", "mat.", "3.5%"]), min_size=1).map(" ".join)
CHINESE = st.text(alphabet="患者头痛发热，建议服用药物。3mgA", min_size=1).filter(str.strip)


def _value(scorer: Bleu | Chrf, output: str, *answers: str, **metadata: object) -> float | None:
    (score,) = scorer.score(Item(question="?", answer=answers, metadata=metadata), output)
    return score.value


@given(ENGLISH, ENGLISH)
def test_english_bleu_is_sacrebleus(reference: str, output: str) -> None:
    expected = sacrebleu.sentence_bleu(output, [reference], tokenize="13a").score / 100
    assert _value(Bleu(), output, reference) == pytest.approx(expected, abs=1e-12)


@given(CHINESE, CHINESE)
def test_chinese_bleu_is_sacrebleus_with_its_chinese_tokenizer(reference: str, output: str) -> None:
    expected = sacrebleu.sentence_bleu(output, [reference], tokenize="zh").score / 100
    assert _value(Bleu(), output, reference, language="zh") == pytest.approx(expected, abs=1e-12)


@given(CHINESE | ENGLISH, CHINESE | ENGLISH, CHINESE | ENGLISH)
def test_chrf_is_sacrebleus(one: str, two: str, output: str) -> None:
    expected = sacrebleu.sentence_chrf(output, [one, two]).score / 100
    assert _value(Chrf(), output, one, two) == pytest.approx(expected, abs=1e-12)
    plus = sacrebleu.sentence_chrf(output, [one, two], word_order=2).score / 100
    assert _value(Chrf(word_order=2), output, one, two) == pytest.approx(plus, abs=1e-12)


def test_published_examples_of_sacrebleu() -> None:
    # sacrebleu's README: sentence_bleu('The dog bit the man.', ["It was not unexpected.", "The dog bit the man."]).
    # and test/test_bleu.py, test_chrf.py of the package: chrF of one text against itself is 100.
    assert _value(Bleu(), "The dog bit the man.", "It was not unexpected.", "The dog bit the man.") == 1.0
    assert (
        _value(
            Chrf(),
            "Niemand hat die Absicht, eine Mauer zu errichten",
            "Niemand hat die Absicht, eine Mauer zu errichten",
        )
        == 1.0
    )


def test_several_references_are_counted_together_as_in_sacrebleu() -> None:
    output, references = "the cat sat on the mat", ("the cat lay there", "it sat on the mat")
    expected = sacrebleu.sentence_bleu(output, list(references)).score / 100
    assert _value(Bleu(), output, *references) == pytest.approx(expected)
    best = max(sacrebleu.sentence_bleu(output, [one]).score / 100 for one in references)
    assert expected > best  # not the best reference: the n-grams of both


def test_news_summaries_score_as_in_sacrebleu(shared_data: Path) -> None:
    pairs = json.loads((shared_data / "rouge" / "pltrdy" / "data.json").read_text(encoding="utf-8"))
    assert pairs
    for pair in pairs:
        hyp, ref = pair["hyp"], pair["ref"]
        assert _value(Bleu(), hyp, ref) == pytest.approx(sacrebleu.sentence_bleu(hyp, [ref]).score / 100)
        assert _value(Chrf(), hyp, ref) == pytest.approx(sacrebleu.sentence_chrf(hyp, [ref]).score / 100)


def test_the_mean_of_sentences_is_not_the_corpus_bleu() -> None:
    outputs = ["the cat sat on the mat", "no"]
    references = ["the cat sat on the mat", "the dog bit the man again today"]
    mean = sum(_value(Bleu(), o, r) or 0.0 for o, r in zip(outputs, references, strict=True)) / 2
    corpus = sacrebleu.corpus_bleu(outputs, [references]).score / 100
    assert abs(mean - corpus) > 0.05


def test_the_tokenizer_goes_by_the_item_never_by_the_output() -> None:
    assert _value(Bleu(), "患者头痛", "患者头痛发热") == pytest.approx(
        sacrebleu.sentence_bleu("患者头痛", ["患者头痛发热"], tokenize="zh").score / 100
    )
    english = sacrebleu.sentence_bleu("rest 休息休息", ["rest well"], tokenize="13a").score / 100
    assert _value(Bleu(), "rest 休息休息", "rest well", language="en") == pytest.approx(english)
    assert _value(Bleu(tokenizer="13a"), "患者头痛", "患者头痛发热") == 0.0  # one word against another


@pytest.mark.parametrize("scorer", [Bleu(), Chrf(), Chrf(word_order=2)])
def test_without_a_reference_the_item_is_unscored_and_an_empty_output_is_unextracted(scorer: Bleu | Chrf) -> None:
    item = Item(question="?", answer="休息", metadata={"reference": " "})
    (score,) = type(scorer)(reference="metadata.reference").score(item, "休息")
    assert (score.value, score.note) == (None, "metadata.reference is missing or empty")
    (empty,) = scorer.score(item, "  ")
    assert (empty.value, empty.unextracted) == (0.0, True)


def test_the_signature_holds_sacrebleus_own() -> None:
    metric = BLEU(effective_order=True, tokenize="zh")
    metric.corpus_score(["x"], [["x"]])
    theirs = str(metric.get_signature())
    assert theirs.startswith("nrefs:1|case:mixed|eff:yes|tok:zh|smooth:exp|version:")
    varying = theirs.replace("nrefs:1", "nrefs:var")
    assert Bleu(tokenizer="zh").signature == f"bleu|sacrebleu({varying})|ref:answer|mean:sentences|v:1"
    assert "|tok:auto(zh/13a)|" in Bleu().signature
    assert "nc:6|nw:0|" in Chrf().signature
    assert "nc:6|nw:2|" in Chrf(word_order=2).signature


def test_sacrebleu_is_not_imported_before_it_is_needed() -> None:
    code = (
        "from harness.scorers.registry import make_scorer; make_scorer('bleu'); make_scorer('chrf')\n"
        "import sys; print('sacrebleu' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
