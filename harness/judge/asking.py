"""Asking judges: they are candidates like any other, asked through the same plan, engines and completion store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from harness.candidates.candidate import Candidate, ModelCandidate, ReplayCandidate
from harness.candidates.settings import EngineSettings
from harness.errors import InputError
from harness.gold.goldset import GoldSet
from harness.gold.item import Item
from harness.runs.plan import LoadedTask, Options
from harness.runs.planning.endpoints import check_max_cost
from harness.runs.planning.making import make_plan
from harness.runs.progress import Progress
from harness.runs.runner import Runner
from harness.runs.store import CompletionStore, completions_path
from harness.suites.spec import Suite

#: Room for the reasons before the verdict.
MAX_TOKENS = 512


@dataclass(frozen=True)
class Settings:
    """How pairs are judged.

    Attributes:
        store: folder or URL of the run store that the comparison lies in and judgements are kept in.
        engine: how a judge with weights is started.
        reference: the judge is shown the gold answer.
        fresh: judge again what was judged before.
        structured: verdicts are JSON where the engine or server can hold a judge to it.
        max_cost: what judges behind URLs may charge, in the currency of their prices.
    """

    store: str
    engine: EngineSettings = field(default_factory=EngineSettings)
    alpha: float = 0.05
    seed: int = 0
    repeats: int = 1
    temperature: float | None = None
    reference: bool = True
    fresh: bool = False
    structured: bool = True
    max_cost: float | None = None


@dataclass(frozen=True)
class Question:
    """One question to every judge.

    Attributes:
        schema: a JSON schema of the verdict, for judges that can be held to one.
    """

    id: str
    text: str
    system: str
    schema: str = ""


@dataclass(frozen=True)
class JudgeOutputs:
    """What the judges wrote, by question id, for each judge and repeat; "" where an answer failed.

    Attributes:
        engines: name and version of what answered, for each judge.
        digests: the identity of each judge.
    """

    texts: tuple[Mapping[str, tuple[str, ...]], ...]
    engines: tuple[tuple[str, str], ...]
    digests: tuple[str, ...]


def special_tokens(judges: Sequence[Candidate]) -> tuple[str, ...]:
    """Special and added tokens of the judges whose tokenizer is here."""
    here = [judge.tokenizer for judge in judges if isinstance(judge, ModelCandidate)]
    return tuple(sorted({token for tokenizer in here for token in tokenizer.added_tokens}))


def ask_judges(
    judges: Sequence[Candidate], questions: Sequence[Question], settings: Settings, progress: Progress
) -> JudgeOutputs:
    """Ask every judge every question. What was asked before, in the same words, comes from the store.

    Raises:
        InputError: a recording as a judge, a limit on costs where nobody charges, or as `Runner`.
    """
    for judge in judges:
        if isinstance(judge, ReplayCandidate):
            raise InputError(f"{judge.name!r} is a recording, and cannot be asked", where="--judge")
    check_max_cost(judges, settings.max_cost)
    alike: dict[tuple[str, str], list[Question]] = {}
    for question in questions:
        alike.setdefault((question.system, question.schema if settings.structured else ""), []).append(question)
    tasks = tuple(_task(number, *told, asked) for number, (told, asked) in enumerate(alike.items()))
    suite = Suite(name="judging", tasks=tuple(loaded.task for loaded in tasks))
    options = Options(
        settings=settings.engine, repeats=settings.repeats, seed=settings.seed, temperature=settings.temperature
    )
    plan = make_plan(judges, suite, tasks, options)
    with ExitStack() as stack:
        kept = stack.enter_context(CompletionStore(completions_path(settings.store)))
        runner = stack.enter_context(
            Runner(plan, kept, progress, fresh=settings.fresh, measure_noise=False, max_cost=settings.max_cost)
        )
        runner.announce()
        answers = runner.answer()
    texts = []
    for index in range(len(judges)):
        failed = [sample.error for sample in answers.samples[index] if sample.error]
        if failed:
            progress.noticed(index, [f"{len(failed)} of {len(answers.samples[index])} answers failed: {failed[0]}"])
        said: dict[str, list[str]] = {}
        for sample in answers.samples[index]:
            said.setdefault(sample.item_id, []).append("" if sample.error else sample.output)
        texts.append({key: tuple(values) for key, values in said.items()})
    engines = tuple(answers.engines[index] for index in range(len(judges)))
    return JudgeOutputs(tuple(texts), engines, tuple(one.fingerprint.digest for one in plan.candidates))


def _task(number: int, system: str, schema: str, asked: Sequence[Question]) -> LoadedTask:
    """Questions as a task: what a judge says is read by `reading`, so the score of `exact` is looked at by nobody."""
    name = f"judging-{number}"
    suite = Suite.model_validate(
        {
            "name": "judging",
            "tasks": [
                {
                    "name": name, "role": "guard", "goldset": name, "prompt": "{question}", "system": system,
                    "scorers": ["exact"], "primary": "exact",
                    "generation": {"max_tokens": MAX_TOKENS, "json_schema": schema},
                    "max_error_rate": 0.0,
                }
            ],
        }
    )  # fmt: skip
    items = tuple(Item(id=one.id, question=one.text, answer=("-",)) for one in asked)
    return LoadedTask(suite.tasks[0], GoldSet(name, items, Path(name)), items)
