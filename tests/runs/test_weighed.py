"""Options weighed through the store: asked once, kept at once, resumed, and measured again where that is meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.engines.base import Adapter, Completion, Continuation, Request, Sampling
from harness.engines.identity import EngineIdentity
from harness.runs import stored_engine
from harness.runs.store import CompletionStore
from harness.runs.stored_engine import StoredEngine
from harness.scorers.likelihoods import read_likelihoods
from tests.engines.conftest import PROMPTS, Reference, Tiny, reference, tiny, transformers_engine

__all__ = ["reference", "tiny", "transformers_engine"]  # fixtures

IDENTITY = EngineIdentity("transformers", "m", "t", "float32")


class Counting:
    """A real engine that counts what it is asked."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self.asked: list[Continuation] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def logprobs(self, continuations: Sequence[Continuation]) -> list[list[float]]:
        self.asked += continuations
        found: list[list[float]] = self._engine.logprobs(continuations)
        return found

    def close(self) -> None: ...


@pytest.fixture
def engine(transformers_engine: Any) -> Counting:
    return Counting(transformers_engine)


def request(tiny: Tiny, text: str, options: tuple[str, ...], adapter: Adapter | None = None, **key: Any) -> Request:
    ids, weighed = tiny.tokenizer.encode(text), tuple(tiny.tokenizer.encode(option) for option in options)
    sampling = Sampling(max_tokens=1)
    name = IDENTITY.completion_key(ids, sampling, adapter, options=weighed, **key)
    return Request(
        name, text, "task", 0, sampling, token_ids=ids, adapter=adapter, options=weighed, option_texts=options
    )


def opened(store: CompletionStore, engine: Counting) -> StoredEngine:
    return StoredEngine(IDENTITY, lambda: engine, engine.version, store)  # type: ignore[arg-type, return-value]


def all_of(stored: StoredEngine, requests: Sequence[Request]) -> dict[str, Completion]:
    return {c.key: c for finished in stored.generate(requests) for c in finished}


OPTIONS = ("cat", "rain stays", "退热")


def test_the_sums_are_those_of_a_plain_forward_pass(
    tiny: Tiny, reference: Reference, engine: Counting, tmp_path: Path
) -> None:
    wanted = {"base": None, "a": tiny.lora_a}
    with CompletionStore(tmp_path / "c.sqlite") as store:
        for name, adapter in wanted.items():
            asked = [request(tiny, text, OPTIONS, adapter) for text in PROMPTS]
            answers = all_of(opened(store, engine), asked)
            for one in asked:
                found = read_likelihoods(answers[one.key].text)
                assert found is not None
                for option, ids in zip(found.options, one.options, strict=True):
                    table = reference.log_softmax(name, one.token_ids + ids)
                    start = len(one.token_ids)
                    expected = sum(float(table[start + i - 1, token]) for i, token in enumerate(ids))
                    assert option.logprob == pytest.approx(expected, abs=1e-3)
                    assert option.tokens == len(ids)
                assert [option.text for option in found.options] == list(OPTIONS)


def test_an_abandoned_run_keeps_what_was_weighed_and_asks_only_for_the_rest(
    tiny: Tiny, engine: Counting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_engine, "WEIGHED_TOGETHER", 3)
    asked = [request(tiny, text, OPTIONS) for text in PROMPTS]
    with CompletionStore(tmp_path / "c.sqlite") as store:
        stream = opened(store, engine).generate(asked)
        first = [c.key for c in next(iter(stream))]
        stream.close()  # type: ignore[attr-defined]
        assert len(first) == 3
        assert len(engine.asked) == 9
    with CompletionStore(tmp_path / "c.sqlite") as store:  # another process
        again = opened(store, engine)
        assert again.missing(r.key for r in asked) == {r.key for r in asked} - set(first)
        answers = all_of(again, asked)
        assert set(answers) == {r.key for r in asked}
        assert len(engine.asked) == 3 * len(PROMPTS), "a stored item was weighed again"
        assert all_of(opened(store, engine), asked) == answers
        assert len(engine.asked) == 3 * len(PROMPTS)


def test_twins_are_weighed_once(tiny: Tiny, engine: Counting, tmp_path: Path) -> None:
    one = request(tiny, PROMPTS[0], OPTIONS)
    with CompletionStore(tmp_path / "c.sqlite") as store:
        assert len(all_of(opened(store, engine), [one, replace(one, task="other", repeat=1)])) == 1
    assert len(engine.asked) == 3


def test_a_second_measurement_is_another_measurement(tiny: Tiny, engine: Counting, tmp_path: Path) -> None:
    with CompletionStore(tmp_path / "c.sqlite") as store:
        all_of(opened(store, engine), [request(tiny, PROMPTS[0], OPTIONS)])
        all_of(opened(store, engine), [request(tiny, PROMPTS[0], OPTIONS, variant="again")])
    assert len(engine.asked) == 6


def test_other_options_are_another_question() -> None:
    keys = {
        IDENTITY.completion_key((1, 2), Sampling(max_tokens=1), None, options=options)
        for options in ((), ((3,), (4,)), ((4,), (3,)), ((3,), (4, 5)), ((3, 4), (5,)))
    }
    assert len(keys) == 5


def test_one_that_the_engine_refuses_does_not_cost_the_others(tiny: Tiny, engine: Counting, tmp_path: Path) -> None:
    asked = [request(tiny, text, OPTIONS) for text in PROMPTS[:3]]
    foreign = replace(asked[1], options=((5,), (320,)), option_texts=("x", "y"), key="foreign")
    with CompletionStore(tmp_path / "c.sqlite") as store:
        stored = opened(store, engine)
        answers = all_of(stored, [asked[0], foreign, asked[2]])
        assert {key: c.finish_reason for key, c in answers.items()} == {
            asked[0].key: "stop",
            "foreign": "error",
            asked[2].key: "stop",
        }
        assert "token id 320" in answers["foreign"].error
        assert stored.missing(["foreign"]) == {"foreign"}, "a failure is tried again"


def test_generated_answers_and_weighed_options_share_a_run(tiny: Tiny, engine: Counting, tmp_path: Path) -> None:
    spoken = tiny.request("spoken", PROMPTS[0], Sampling(max_tokens=3))
    weighed = request(tiny, PROMPTS[0], OPTIONS)
    with CompletionStore(tmp_path / "c.sqlite") as store:
        answers = all_of(opened(store, engine), [weighed, spoken])
    assert read_likelihoods(answers[weighed.key].text) is not None
    assert read_likelihoods(answers["spoken"].text) is None
    assert answers["spoken"].finish_reason == "length"


def test_the_time_needed_is_told_from_the_speed_of_each_kind(tiny: Tiny, engine: Counting, tmp_path: Path) -> None:
    weighed = [request(tiny, text, OPTIONS) for text in PROMPTS]
    spoken = [tiny.request(text, text, Sampling(max_tokens=3)) for text in PROMPTS]
    with CompletionStore(tmp_path / "c.sqlite") as store:
        stored = opened(store, engine)
        assert stored.seconds(weighed) is None, "never done here"
        all_of(stored, weighed)
        once = stored.seconds(weighed)
        assert once is not None
        assert 0.0 < once < 60.0
        assert stored.seconds([*weighed, *spoken]) is None, "weighing says nothing about generating"
        all_of(stored, spoken)
        assert (stored.seconds([*weighed, *spoken]) or 0.0) > once
