"""The shipped suites with pictures, end to end on both engines: what comes out of `harness compare`."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.candidates.tokenizer import PromptTokenizer
from harness.comparison.results import TaskResult
from tests.engines.vision.reading import LIMIT, PHOTOS, SUITES, Compared, Workplace, seen

ENGINES = ["transformers", pytest.param("vllm", marks=[pytest.mark.vllm, pytest.mark.slow])]


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def work(engine: str, request: pytest.FixtureRequest) -> Workplace:
    found: Workplace = request.getfixturevalue(f"{engine}_suites")
    return found


def primary(compared: Compared, task: str) -> TaskResult:
    return next(result for result in compared.result.results if result.task == task and result.primary)


def test_a_lora_that_read_the_photographs_is_better_than_its_base(
    work: Workplace, engine: str, shared_data: Path
) -> None:
    """All are asked about in the same words, and have other right answers: only the pictures tell them apart."""
    compared = work.compared(engine, "odometer")
    (photos,) = (loaded for loaded in seen("odometer") if loaded.task.name == PHOTOS)
    assert compared.engine == engine
    assert len({item.text for item in photos.items}) == 1
    assert len({item.answer for item in photos.items}) == LIMIT
    result = primary(compared, PHOTOS)
    assert (result.n, result.metric, result.base) == (LIMIT, "field_odometer", 0.0)
    assert result.candidate is not None
    assert result.candidate >= 5 / 6
    assert len(result.gained) >= 5
    for item in photos.items:
        scores = compared.right[PHOTOS, item.id].scores
        assert scores["fields_all"].value == scores["field_odometer"].value


@pytest.mark.parametrize("suite", ["odometer", "receipt"])
def test_every_picture_is_asked_and_every_field_scored(
    work: Workplace, engine: str, suite: str, shared_data: Path
) -> None:
    compared = work.compared(engine, suite)
    for loaded in seen(suite):
        name = loaded.task.name
        results = {result.metric: result for result in compared.result.results if result.task == name}
        assert {f"field_{field}" for item in loaded.items for field in item.fields or {}} <= results.keys()
        assert "fields_all" in results
        assert all(result.n == len(loaded.items) for result in results.values() if result.primary)
        for item in loaded.items:
            sample = compared.right[name, item.id]
            assert (sample.error, sample.prompt.count("<|image_pad|>")) == ("", 1)
            # The one place in the text became as many tokens as the picture has.
            assert sample.prompt_tokens > len(PromptTokenizer(work.model).encode(sample.prompt)) + 2


@pytest.mark.parametrize("suite", SUITES)
def test_the_doctor_shows_the_pictures_too(work: Workplace, engine: str, suite: str) -> None:
    """Reference answers are weighed behind prompts with their pictures, in formats that have a place for them."""
    found = {finding.probe: finding for finding in work.compared(engine, suite).result.doctor}
    assert found["adapter-has-effect"].status == "pass", found["adapter-has-effect"]
    assert found["template-match"].status == "pass", found["template-match"]


@pytest.mark.vllm
@pytest.mark.slow
def test_both_engines_write_the_same(
    transformers_suites: Workplace, vllm_suites: Workplace, shared_data: object
) -> None:
    for suite in SUITES:
        one, two = (vllm_suites.compared(name, suite).right for name in ("transformers", "vllm"))
        assert one.keys() == two.keys()
        same = sum(one[key].output == two[key].output for key in one)
        assert same >= 0.9 * len(one)
