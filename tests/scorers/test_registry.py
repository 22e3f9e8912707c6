"""Scorers by name: options are checked, faults name what is wrong, and nothing is imported before it is needed."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from harness.errors import InputError
from harness.gold.item import Item
from harness.scorers.contains import Contains
from harness.scorers.number import Number
from harness.scorers.registry import describe, make_scorer, names
from harness.scorers.rouge import Rouge


def test_a_name_gives_the_scorer_with_its_defaults() -> None:
    assert make_scorer("contains") == Contains()
    assert make_scorer({"contains": None}) == Contains()
    assert make_scorer({"contains": {}}) == Contains()


def test_a_mapping_gives_the_scorer_with_options() -> None:
    assert make_scorer({"number": {"tolerance": 1}}) == Number(tolerance=1.0)
    assert make_scorer({"rouge": {"tokenizer": "char"}}) == Rouge(tokenizer="char")


@pytest.mark.parametrize(
    ("spec", "parts"),
    [
        ("exakt", ["unknown scorer 'exakt'", "Did you mean 'exact'?"]),
        ({"numbers": {}}, ["unknown scorer 'numbers'", "'number'"]),
        ({"number": {"tolerence": 1}}, ["scorers: number", "unknown option 'tolerence'", "'tolerance'"]),
        ({"number": {"tolerance": -1}}, ["scorers: number: tolerance", "-1"]),
        ({"number": {"tolerance": "0.1"}}, ["scorers: number: tolerance", "'0.1'"]),
        ({"exact": {"case": "no"}}, ["scorers: exact: case", "'no'"]),
        ({"rouge": {"tokenizer": "bpe"}}, ["scorers: rouge: tokenizer", "'jieba'", "'bpe'"]),
        ({"exact": ["case"]}, ["scorers: exact", "must be a mapping"]),
        ({"fields": {"kinds": {"a": {"tolerence": 0}}}}, ["scorers: fields", "unknown option 'kinds.a.tolerence'"]),
        ({"fields": {"kinds": {"a": "numbr"}}}, ["scorers: fields: kinds.a.type", "'number'", "'numbr'"]),
        ({"fields": {"kinds": {"a": {"type": "time", "tolerance": 1}}}}, ["tolerance does not go with type time"]),
        ({"exact": {}, "number": {}}, ["a name or one name with its options"]),
        ({}, ["a name or one name with its options"]),
        (["exact"], ["a name or one name with its options"]),
        ({1: {}}, ["1 is not the name of a scorer"]),
    ],
)
def test_a_wrong_spec_is_an_error_that_names_the_fault(spec: Any, parts: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        make_scorer(spec)
    for part in parts:
        assert part in str(caught.value)


# Options that have to be given. An embedding model is made in test_embedding.py, which holds it to the same contract.
REQUIRED: dict[str, dict[str, Any]] = {"regex": {"pattern": r"is (.+)"}}


@pytest.mark.parametrize("name", [name for name in names() if name != "embedding"])
def test_every_scorer_keeps_the_contract(name: str) -> None:
    scorer = make_scorer({name: REQUIRED.get(name)})
    item = Item(
        question="?",
        answer="the answer is 12",
        choices=("the answer is 12", "the answer is 13"),
        fields={"answer": 12},
    )
    for output in ("the answer is 12", "something else", ""):
        scores = scorer.score(item, output)
        assert tuple(score.metric for score in scores) == scorer.metrics
        for score in scores:
            assert score.value is not None
            assert 0.0 <= score.value <= 1.0
            assert not scorer.binary(score.metric) or score.value in (0.0, 1.0)
    assert all(score.unextracted for score in scorer.score(item, ""))
    assert scorer.signature.startswith(f"{name}|")
    assert scorer.signature.rpartition("|")[2].startswith("v:")
    with pytest.raises(ValueError, match="frozen"):
        scorer.anything = 1  # type: ignore[attr-defined]


def test_metrics_are_unique_across_scorers() -> None:
    metrics = [metric for info in describe() for metric in info.metrics]
    assert len(metrics) == len(set(metrics))


def test_every_option_is_described() -> None:
    described = describe()
    assert [info.name for info in described] == list(names())
    for info in described:
        assert info.summary.endswith(".")
        assert all(option.description for option in info.options)
    assert [option.name for option in described[names().index("rouge")].options] == ["tokenizer", "reference"]


def test_options_that_must_be_given_are_told() -> None:
    described = {info.name: info for info in describe()}
    required = {(info.name, option.name) for info in described.values() for option in info.options if option.required}
    assert required == {("regex", "pattern"), ("embedding", "model")}
    assert described["regex"].signature is None
    assert described["number"].signature == make_scorer("number").signature


def test_every_option_moves_the_signature() -> None:
    other: dict[str, Any] = {
        "tolerance": 0.5, "tokenizer": "char", "reference": "metadata.reference", "method": "loglikelihood",
        "options": "text", "length": "byte", "kinds": {"total": "money"}, "aliases": {"total": ["sum"]},
        "word_order": 2, "unit": "word", "pattern": r"was (.+)", "match": "first",
    }  # fmt: skip
    needed = {"options": {"method": "loglikelihood"}, "length": {"method": "loglikelihood"}}
    others = {"bleu": {"tokenizer": "13a"}}
    for info in describe():
        if info.name == "embedding":  # test_embedding.py
            continue
        for option in info.options:
            values = {**other, **others.get(info.name, {})}
            value = not option.default if isinstance(option.default, bool) else values[option.name]
            beside = {**REQUIRED.get(info.name, {}), **needed.get(option.name, {})}
            without = make_scorer({info.name: beside}).signature
            assert make_scorer({info.name: {**beside, option.name: value}}).signature != without


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("from harness.scorers import registry", {"harness.scorers.exact", "harness.scorers.rouge", "rapidfuzz"}),
        ("from harness.scorers.registry import make_scorer; make_scorer('exact')", {"harness.scorers.rouge"}),
        (
            "from harness.scorers.registry import describe; describe()",
            {"jieba", "scipy", "torch", "transformers", "rouge_score", "sympy", "math_verify"},
        ),
    ],
)
def test_nothing_is_imported_before_it_is_needed(code: str, absent: set[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; import sys; print(' '.join(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert not absent & set(done.stdout.split())
