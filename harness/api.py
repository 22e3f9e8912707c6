"""The public API: what the command line calls, and what notebooks import from `harness`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from harness.candidates.candidate import Candidate, ModelCandidate
from harness.candidates.exported import parent_of
from harness.candidates.reference import resolve
from harness.candidates.workspace import Workspace, load_workspace
from harness.comparison.gate import judge, worst
from harness.comparison.results import CandidateComparison, Comparison, RunIds, compare_runs
from harness.doctor.examination import examine_after, examine_before, examine_fully
from harness.doctor.finding import Finding
from harness.doctor.training_evidence import TrainingFiles
from harness.errors import EXIT_INCOMPLETE, InputError
from harness.gold.parts import Part
from harness.runs.files import RunManifest, RunStore
from harness.runs.manifest import manifest_of, signatures_of
from harness.runs.plan import CandidatePlan, Options, Plan
from harness.runs.planning.endpoints import FORMAT, check_max_cost
from harness.runs.planning.making import make_plan
from harness.runs.planning.tasks import load_tasks
from harness.runs.progress import Progress, Silent
from harness.runs.runner import Answers, Runner
from harness.runs.running import Announced
from harness.runs.samples import Sample
from harness.runs.store import CompletionStore, completions_path
from harness.suites.spec import Suite, load_suite
from harness.version import __version__


@dataclass(frozen=True)
class Request:
    """What a user asks for, whatever the command.

    Attributes:
        references: the base first, then the candidates; a candidate that is resolved already stands for itself.
        suite: name or path.
        engine: overrides `engine.name` of the workspace.
        store: overrides the workspace's store.
        base: `--base`, the model that adapters are put on.
        prompt: "suite" forces the suite's format (the chat template) on everybody.
        part: ask one half of every gold set only.
        max_cost: what endpoints may charge, in the currency of their prices.
        temperature: instead of the tasks' own, on all sides; what a candidate's `sampling` says still goes before it.
    """

    references: tuple[str | Candidate, ...]
    suite: str | Suite
    limit: int | None = None
    engine: str = "auto"
    seed: int = 0
    repeats: int = 1
    alpha: float = 0.05
    fresh: bool = False
    store: str | None = None
    base: str | None = None
    demo: bool = False
    prompt: str | None = None
    goldsets: dict[str, str] = field(default_factory=dict)
    folder: Path | None = None
    part: Part | None = None
    max_cost: float | None = None
    temperature: float | None = None


@dataclass(frozen=True)
class Prepared:
    """A request resolved: ready to be carried out."""

    request: Request
    workspace: Workspace
    candidates: tuple[Candidate, ...]
    plan: Plan
    store: str


@dataclass(frozen=True)
class Outcome:
    """A comparison with the evidence it stands on.

    Attributes:
        samples: by run id.
        exit_code: without `--gate` 0 or 3; the gate's verdict stands in the comparison.
    """

    comparison: Comparison
    plan: Plan
    samples: dict[str, list[Sample]]
    store: str

    @property
    def incomplete(self) -> bool:
        """True when failures exceeded what a task allows."""
        return any(c.gate.exit_code == EXIT_INCOMPLETE for c in self.comparison.comparisons)

    @property
    def gate_code(self) -> int:
        """The gate's exit code over all candidates."""
        return worst([c.gate.exit_code for c in self.comparison.comparisons])


def prepare(request: Request) -> Prepared:
    """Resolve names, read files, render prompts, digest weights. Nothing is started and nothing is written."""
    workspace = load_workspace(request.folder, demo=request.demo)
    candidates: list[Candidate] = []
    for reference in request.references:
        first = candidates[0] if candidates else None
        fallback = first if isinstance(first, ModelCandidate) else None
        candidates.append(_resolved(reference, workspace, request.base, fallback))
    return _planned(request, workspace, candidates)


def _resolved(
    reference: str | Candidate, workspace: Workspace, base: str | None, fallback: ModelCandidate | None = None
) -> Candidate:
    return resolve(reference, workspace, base=base, fallback=fallback) if isinstance(reference, str) else reference


def _planned(request: Request, workspace: Workspace, candidates: Sequence[Candidate]) -> Prepared:
    if not 0.0 < request.alpha < 1.0:
        raise InputError(f"--alpha must lie between 0 and 1, not {request.alpha}")
    if request.temperature is not None and not 0.0 <= request.temperature < float("inf"):
        raise InputError(f"--temperature must be 0 (greedy) or above, not {request.temperature}")
    check_max_cost(candidates, request.max_cost)
    if isinstance(request.suite, Suite):
        suite, folder = request.suite, workspace.here
    else:
        suite, folder = load_suite(request.suite, folder=workspace.here)
    options = Options(
        settings=workspace.engine(request.engine),
        limit=request.limit,
        repeats=request.repeats,
        temperature=request.temperature,
        seed=request.seed,
        prompt=request.prompt,
        goldsets={**workspace.goldsets, **request.goldsets},
        part=request.part,
    )
    tasks = load_tasks(suite, folder, options)
    plan = make_plan(candidates, suite, tasks, options)
    return Prepared(request, workspace, tuple(candidates), plan, request.store or workspace.store)


#: What is asked of a plan beside its questions, while the engine that answered them is still up.
Also = Callable[[Plan, Runner, Answers], None]


def compare(request: Request, progress: Progress | None = None, *, also: Also | None = None) -> Outcome:
    """Ask base and candidates the suite, pair them, judge them, and keep runs and comparison in the store.

    Raises:
        InputError: anything wrong with names, files or the store, before or while running.
    """
    prepared = prepare(request)
    plan = prepared.plan
    count = len(plan.candidates)
    with ExitStack() as stack:
        store = stack.enter_context(CompletionStore(completions_path(prepared.store)))
        told = stack.enter_context(Announced(progress or Silent(), store, "compare", alpha=request.alpha))
        runner = stack.enter_context(Runner(plan, store, told, fresh=request.fresh, max_cost=request.max_cost))
        before = {index: examine_before(plan, index) for index in range(1, count)}
        runner.announce()
        for index, findings in before.items():
            trouble = [f"{f.probe}: {f.detail}" for f in findings if f.status in ("warn", "fail")]
            if trouble:
                runner.progress.noticed(index, trouble)
        answers = runner.answer()
        doctor = {index: examine_after(plan, runner, answers, index) for index in range(1, count)}
        if also is not None:
            also(plan, runner, answers)
    runs = RunStore(prepared.store)
    run_ids = {i: runs.write_run(manifest_of(plan, answers, i), answers.samples[i]) for i in range(count)}
    comparison = _comparison(prepared, answers, doctor, run_ids)
    runs.write_document("comparison", comparison.id, comparison.to_json().encode())
    samples = {run_ids[index]: answers.samples[index] for index in range(count)}
    return Outcome(comparison, plan, samples, prepared.store)


def run(request: Request, progress: Progress | None = None) -> tuple[list[RunManifest], dict[str, list[Sample]]]:
    """Ask candidates a suite without comparing them; returns the manifests and the samples by run id."""
    prepared = prepare(request)
    with ExitStack() as stack:
        store = stack.enter_context(CompletionStore(completions_path(prepared.store)))
        told = stack.enter_context(Announced(progress or Silent(), store, "run", alpha=request.alpha))
        runner = stack.enter_context(
            Runner(
                prepared.plan,
                store,
                told,
                fresh=request.fresh,
                measure_noise=False,
                max_cost=request.max_cost,
            )
        )
        runner.announce()
        answers = runner.answer()
    runs = RunStore(prepared.store)
    ids = [
        runs.write_run(manifest_of(prepared.plan, answers, index), answers.samples[index])
        for index in range(len(prepared.candidates))
    ]
    return [runs.read_manifest(i) for i in ids], {i: answers.samples[n] for n, i in enumerate(ids)}


def examine(
    request: Request, progress: Progress | None = None, *, training: TrainingFiles | None = None
) -> dict[str, list[Finding]]:
    """Every probe of the doctor on each candidate beside its own bare base, and an export beside its adapter.

    Findings are by the candidate's name.

    Answers and log-probabilities go through the completion store; no run and no comparison is written.

    Args:
        training: what the candidate was trained with, besides what lies in its folder.

    Raises:
        InputError: as `compare`, for recorded outputs, which have no weights to examine, and for training files of
            several candidates at once.
    """
    if training is not None and len(request.references) > 1:
        raise InputError(
            "training data belongs to one candidate, not to several",
            where="--train-data",
            remedy="Examine them one by one.",
        )
    workspace = load_workspace(request.folder, demo=request.demo)
    found: dict[str, list[Finding]] = {}
    for reference in request.references:
        candidate = _resolved(reference, workspace, request.base)
        if not isinstance(candidate, ModelCandidate):
            raise InputError(f"the weights of {candidate.name!r} are not here: there is nothing to examine")
        bare = ModelCandidate(candidate.model.name, candidate.model, quantization=candidate.quantization)
        parent = parent_of(candidate)  # of an export: what it has to answer like
        prepared = _planned(request, workspace, [bare, candidate, *([parent] if parent else [])])
        with ExitStack() as stack:
            store = stack.enter_context(CompletionStore(completions_path(prepared.store)))
            runner = stack.enter_context(
                Runner(prepared.plan, store, progress or Silent(), fresh=request.fresh, measure_noise=False)
            )
            runner.announce()
            found[candidate.name] = examine_fully(prepared.plan, runner, runner.answer(), 1, files=training)
    return found


def _comparison(
    prepared: Prepared, answers: Answers, doctor: dict[int, list[Finding]], run_ids: dict[int, str]
) -> Comparison:
    plan, request = prepared.plan, prepared.request
    signatures = {loaded.task.name: signatures_of(loaded) for loaded in plan.tasks}
    base = plan.candidates[0]
    compared = []
    for index in range(1, len(plan.candidates)):
        planned = plan.candidates[index]
        results = compare_runs(
            plan.suite,
            answers.samples[0],
            answers.samples[index],
            again=answers.again,
            signatures=signatures,
            floors={loaded.task.name: loaded.floor for loaded in plan.tasks},
            alpha=request.alpha,
            seed=request.seed,
        )
        compared.append(
            CandidateComparison(
                candidate=planned.candidate.name,
                results=results,
                doctor=tuple(doctor[index]),
                gate=judge(results, doctor[index]),
                run_ids=RunIds(base=run_ids[0], candidate=run_ids[index]),
                prompts_differ=_prompts_differ(base, planned),
                warnings=(
                    *plan.left_out,
                    *plan.undrawn,
                    *_noted(base),
                    *planned.notes,
                    *_settings_differ(base, planned),
                ),
            )
        )
    engine, version = answers.engines[0]
    return Comparison(
        suite=plan.suite.name,
        suite_digest=plan.suite.digest,
        base=base.candidate.name,
        alpha=request.alpha,
        seed=request.seed,
        limit=request.limit,
        part=request.part.name if request.part else None,
        repeats=request.repeats,
        temperature=request.temperature,
        engine=engine,
        engine_version=version,
        harness_version=__version__,
        comparisons=tuple(compared),
    ).with_id()


def _noted(base: CandidatePlan) -> tuple[str, ...]:
    """What to say about a base whose weights are not here."""
    return tuple(f"{base.candidate.name}: {note}" for note in base.notes) if base.written_elsewhere else ()


def _prompts_differ(base: CandidatePlan, candidate: CandidatePlan) -> bool:
    both_asked_by_conversation = {base.prompt_format, candidate.prompt_format} == {FORMAT}
    if (base.written_elsewhere or candidate.written_elsewhere) and not both_asked_by_conversation:
        return False
    pairs = zip(base.asked, candidate.asked, strict=True)
    return any(a.prompt != b.prompt for a, b in pairs)


def _settings_differ(base: CandidatePlan, candidate: CandidatePlan) -> tuple[str, ...]:
    """What to say when the two sides generate with other settings: the comparison then measures those too."""
    if "recorded" in (base.prompt_format, candidate.prompt_format):
        return ()
    for ours, theirs in zip(base.asked, candidate.asked, strict=True):
        # The room that a longer prompt leaves and the end tokens belong to the model.
        left, right = (a.request.sampling.model_dump(exclude={"stop_token_ids", "max_tokens"}) for a in (ours, theirs))
        if changed := [name for name in left if left[name] != right[name]]:
            return (f"generated with another {', '.join(changed)} than {base.candidate.name}",)
    return ()
