"""The whole way of the data, with an engine whose answers are known."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from harness import api
from harness.engines.base import Completion, Continuation, EngineSpec, Request
from harness.engines.select import EngineChoice
from harness.errors import InputError
from harness.runs import runner as runner_module
from harness.runs.planning import weights as weights_module
from tests.candidates.test_identity import make_adapter, make_model
from tests.candidates.test_prompt import CHATML, tokenizer_folder

SUITE = """
name: small
tasks:
  - {name: capital, role: target, goldset: gold.jsonl, scorers: [exact], primary: exact, margin: 0.05}
  - {name: sums, role: guard, goldset: sums.jsonl, scorers: [number], primary: number, margin: 0.05,
     slices: [difficulty], prompt: "sum {question}"}
"""


@dataclass
class Script:
    """What the scripted engine was asked, and how it answers."""

    starts: int = 0
    running: int = 0
    most_running: int = 0
    asked: list[Request] = field(default_factory=list)
    version: str = "1.0"
    failing: set[str] = field(default_factory=set)

    def text(self, request: Request) -> str:
        right = {"capital": "yes", "sums": "#### 4"}[request.task]
        wrong = "no"
        number = int(request.item_id)
        if request.adapter is None:  # the base knows the sums and few capitals
            return right if request.task == "sums" or number < 10 else wrong
        return right if request.task == "capital" or number < 20 else wrong  # the LoRA forgot half of the sums


class ScriptedEngine:
    name = "transformers"

    def __init__(self, script: Script) -> None:
        self.script = script
        self.version = script.version
        self.open = True
        script.running += 1
        script.most_running = max(script.most_running, script.running)

    def generate(self, requests: Sequence[Request]) -> Iterator[list[Completion]]:
        for request in requests:
            self.script.asked.append(request)
            if request.item_id in self.script.failing:
                yield [Completion(request.key, "", "error", 3, 0, 0.0, "out of memory")]
            else:
                yield [Completion(request.key, self.script.text(request), "stop", 3, 2, 0.01)]

    def logprobs(self, continuations: Sequence[Continuation]) -> list[list[float]]:
        return [
            [-0.5 - (0.1 if c.adapter else 0.0) - 0.01 * n for n in range(len(c.continuation_ids))]
            for c in continuations
        ]

    def close(self) -> None:
        self.script.running -= self.open
        self.open = False


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_model(tmp_path / "base")
    tokenizer_folder(tmp_path / "base", CHATML)
    (tmp_path / "base" / "config.json").write_text('{"eos_token_id": 1, "max_position_embeddings": 512}')
    make_adapter(tmp_path / "lora")
    for name, answer in (("gold", "yes"), ("sums", "#### 4")):
        rows = [
            {"id": str(n), "question": f"hello {n}", "answer": answer, "metadata": {"difficulty": tier}}
            for n, tier in enumerate(["easy"] * 30 + ["hard"] * 30)
        ]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "suite.yaml").write_text(SUITE)
    return tmp_path


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Script:
    made = Script()

    def choose(*_: object, **__: object) -> EngineChoice:
        return EngineChoice("transformers", "cpu", "float32", made.version, "scripted.")

    def open_engine(choice: EngineChoice, spec: EngineSpec) -> ScriptedEngine:
        made.starts += 1
        return ScriptedEngine(made)

    monkeypatch.setattr(weights_module, "choose_engine", choose)
    monkeypatch.setattr(runner_module, "open_engine", open_engine)
    return made


def asked(folder: Path, *references: str, **options: object) -> api.Request:
    return api.Request(references=references or ("./base", "./lora"), suite="suite.yaml", folder=folder, **options)  # type: ignore[arg-type]


def test_one_start_answers_base_and_adapter_and_the_verdicts_follow(folder: Path, script: Script) -> None:
    outcome = api.compare(asked(folder))
    assert script.starts == 1
    capital, sums = (r for r in outcome.comparison.comparisons[0].results if r.primary)
    assert (capital.base, capital.candidate, capital.verdict) == (pytest.approx(1 / 6), 1.0, "improved")
    assert (sums.base, sums.candidate, sums.verdict) == (1.0, pytest.approx(1 / 3), "regressed")
    assert len(capital.gained) == 50
    assert not capital.lost
    assert len(sums.lost) == 40
    assert [s.value for s in sums.slices] == ["easy", "hard"]
    gate = outcome.comparison.comparisons[0].gate
    assert (gate.passed, gate.exit_code) == (False, 1)


def test_two_bases_never_run_at_the_same_time(folder: Path, script: Script) -> None:
    make_model(folder / "merged", seed=5)
    tokenizer_folder(folder / "merged", CHATML)
    (folder / "merged" / "config.json").write_text('{"eos_token_id": 1, "max_position_embeddings": 512}')
    outcome = api.compare(asked(folder, "./base", "./lora", "./merged"))
    assert script.starts >= 2
    assert (script.most_running, script.running) == (1, 0)
    assert [c.results[0].n for c in outcome.comparison.comparisons] == [60, 60]


def test_a_second_comparison_starts_nothing_and_has_the_same_id(folder: Path, script: Script) -> None:
    first = api.compare(asked(folder))
    second = api.compare(asked(folder))
    assert script.starts == 1
    assert second.comparison == first.comparison


def test_fresh_ignores_the_store_and_answers_each_question_once(folder: Path, script: Script) -> None:
    api.compare(asked(folder))
    before = len(script.asked)
    api.compare(asked(folder, fresh=True))
    assert script.starts == 2
    assert len(script.asked) == 2 * before


def test_an_edited_gold_answer_rescores_without_generating(folder: Path, script: Script) -> None:
    first = api.compare(asked(folder))
    gold = (folder / "gold.jsonl").read_text().replace('"answer": "yes"', '"answer": "no"')
    (folder / "gold.jsonl").write_text(gold)
    second = api.compare(asked(folder))
    assert script.starts == 1
    assert second.comparison.comparisons[0].results[0].candidate == 0.0
    assert second.comparison.id != first.comparison.id


def test_a_retrained_adapter_is_asked_again_and_the_base_is_not(folder: Path, script: Script) -> None:
    api.compare(asked(folder))
    script.asked.clear()
    make_adapter(folder / "lora", seed=9)
    api.compare(asked(folder))
    assert len(script.asked) == 120
    assert all(request.adapter is not None for request in script.asked)


def test_a_new_engine_version_regenerates_the_older_side(folder: Path, script: Script) -> None:
    api.compare(asked(folder))
    make_adapter(folder / "lora", seed=9)
    script.version = "2.0"
    script.asked.clear()
    outcome = api.compare(asked(folder))
    assert any(request.adapter is None for request in script.asked), "the base's old answers were mixed in"
    assert outcome.comparison.engine_version == "2.0"


def test_complete_answers_of_an_older_version_are_not_thrown_away(folder: Path, script: Script) -> None:
    api.compare(asked(folder))
    script.version = "2.0"
    outcome = api.compare(asked(folder))
    assert script.starts == 1
    assert outcome.comparison.engine_version == "1.0"


def test_a_candidate_against_itself_is_held_and_identical(folder: Path, script: Script) -> None:
    outcome = api.compare(asked(folder, "./base", "./base"))
    for result in outcome.comparison.comparisons[0].results:
        assert (result.delta, result.identical, result.p) == (0.0, True, 1.0)
        assert result.verdict == ("held" if result.primary else None)


def test_a_copied_adapter_is_the_same_candidate_and_is_asked_once(folder: Path, script: Script) -> None:
    make_adapter(folder / "copy")
    outcome = api.compare(asked(folder, "./base", "./lora", "./copy"))
    assert len({r.key for r in script.asked}) == len(script.asked)
    one, two = outcome.comparison.comparisons
    assert [r.delta for r in one.results] == [r.delta for r in two.results]


def test_failures_are_counted_apart_and_both_sides_keep_one_denominator(folder: Path, script: Script) -> None:
    script.failing = {"5"}
    outcome = api.compare(asked(folder))
    result = outcome.comparison.comparisons[0].results[0]
    assert (result.n, result.errors.base, result.errors.candidate) == (59, 1, 1)
    assert outcome.incomplete
    script.failing = set()
    again = api.compare(asked(folder))
    assert again.comparison.comparisons[0].results[0].n == 60
    assert not again.incomplete


def test_a_prompt_longer_than_the_window_is_an_error_of_that_item(folder: Path, script: Script) -> None:
    (folder / "base" / "config.json").write_text('{"eos_token_id": 1, "max_position_embeddings": 64}')
    with (folder / "gold.jsonl").open("a") as gold:
        gold.write(json.dumps({"id": "60", "question": "hello " * 200, "answer": "yes"}) + "\n")
    outcome = api.compare(asked(folder))
    samples = outcome.samples[outcome.comparison.comparisons[0].run_ids.base]
    failed = [s for s in samples if s.error]
    assert [s.item_id for s in failed] == ["60"]
    assert "the model's window is 64" in failed[0].error
    assert max(r.sampling.max_tokens for r in script.asked) < 64


def test_the_base_is_asked_some_items_again_to_measure_its_noise(folder: Path, script: Script) -> None:
    outcome = api.compare(asked(folder))
    again = [r for r in script.asked if r.adapter is None]
    assert 120 < len(again) <= 120 + 2 * runner_module.NOISE_ITEMS
    assert outcome.comparison.comparisons[0].results[0].noise == 0.0


def test_a_limit_draws_the_same_items_for_everybody_and_grows(folder: Path, script: Script) -> None:
    small = api.compare(asked(folder, limit=10))
    runs = list(small.samples.values())
    drawn = {s.item_id for s in runs[0] if s.task == "capital"}
    assert len(drawn) == 10
    assert drawn == {s.item_id for s in runs[1] if s.task == "capital"}
    larger = api.compare(asked(folder, limit=20))
    assert drawn < {s.item_id for s in next(iter(larger.samples.values())) if s.task == "capital"}
    other = api.prepare(asked(folder, limit=10, seed=1))
    assert {a.item.id for a in other.plan.candidates[0].asked if a.task == "capital"} != drawn


@pytest.mark.parametrize("options", [{"limit": 0}, {"repeats": 0}, {"alpha": 1.5}])
def test_impossible_options_are_refused_before_anything_starts(
    folder: Path, script: Script, options: dict[str, object]
) -> None:
    with pytest.raises(InputError):
        api.compare(asked(folder, **options))
    assert script.starts == 0


def test_repeats_are_asked_and_averaged(folder: Path, script: Script) -> None:
    outcome = api.compare(asked(folder, repeats=3))
    result = outcome.comparison.comparisons[0].results[0]
    assert result.n == 60
    assert len(next(iter(outcome.samples.values()))) == 360


def test_candidates_prompted_differently_are_said_to_be(folder: Path, script: Script) -> None:
    (folder / "harness.yaml").write_text(
        "candidates:\n  b: {model: base}\n  l: {base: b, adapter: lora, prompt: alpaca}\n"
    )
    assert api.compare(asked(folder, "b", "l")).comparison.comparisons[0].prompts_differ
    assert not api.compare(asked(folder, "b", "l", prompt="suite")).comparison.comparisons[0].prompts_differ


def test_candidates_sampled_differently_are_said_to_be(folder: Path, script: Script) -> None:
    (folder / "harness.yaml").write_text(
        "candidates:\n  b: {model: base}\n  l: {base: b, adapter: lora, sampling: {temperature: 0.7}}\n"
    )
    compared = api.compare(asked(folder, "b", "l")).comparison.comparisons[0]
    assert any("another temperature, seed" in w or "another temperature" in w for w in compared.warnings)


def test_recorded_outputs_compare_without_any_engine(folder: Path, script: Script) -> None:
    for name, right in (("old", 20), ("new", 55)):
        rows = [
            {"item_id": str(n), "task": task, "output": answer if n < right else "?"}
            for task, answer in (("capital", "Yes!"), ("sums", "so #### 4"))
            for n in range(60)
        ]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    outcome = api.compare(asked(folder, "replay:old.jsonl", "replay:new.jsonl"))
    result = outcome.comparison.comparisons[0].results[0]
    assert (result.base, result.candidate, result.verdict) == (pytest.approx(1 / 3), pytest.approx(11 / 12), "improved")
    assert script.starts == 0


def test_missing_recorded_outputs_are_counted(folder: Path, script: Script) -> None:
    rows = [{"item_id": str(n), "output": "yes"} for n in range(50)]
    (folder / "some.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    outcome = api.compare(asked(folder, "./base", "replay:some.jsonl"))
    result = outcome.comparison.comparisons[0].results[0]
    assert (result.n, result.missing.candidate, result.missing.base) == (50, 10, 0)
    assert outcome.incomplete
    assert outcome.gate_code == 3


def test_a_scorer_that_fails_leaves_items_unscored_not_wrong(
    folder: Path, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.scorers.exact import Exact

    real = Exact.score

    def broken(self: Exact, item: object, output: str) -> object:
        if output == "no":
            raise RuntimeError("boom")
        return real(self, item, output)  # type: ignore[arg-type]

    monkeypatch.setattr(Exact, "score", broken)
    result = api.compare(asked(folder)).comparison.comparisons[0].results[0]
    assert (result.n, result.unscored.base, result.unscored.candidate) == (10, 50, 0)


def test_a_run_without_comparison_writes_runs_only(folder: Path, script: Script) -> None:
    manifests, samples = api.run(asked(folder, "./lora", base="base"))
    assert [m.candidate.name for m in manifests] == ["./lora"]
    assert len(samples[manifests[0].id]) == 120
    assert len(script.asked) == 120
    assert not (folder / "runs" / "comparisons").exists()


def test_the_order_of_answers_does_not_matter(folder: Path, script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    straight = api.compare(asked(folder)).comparison
    real = ScriptedEngine.generate

    def shuffled(self: ScriptedEngine, requests: Sequence[Request]) -> Iterator[list[Completion]]:
        yield [c for finished in reversed(list(real(self, requests))) for c in finished]

    monkeypatch.setattr(ScriptedEngine, "generate", shuffled)
    mixed = api.compare(asked(folder, store=str(folder / "other"))).comparison
    assert mixed.comparisons[0].results == straight.comparisons[0].results
    assert mixed.comparisons[0].run_ids == straight.comparisons[0].run_ids
