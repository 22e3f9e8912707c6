"""Two stored runs compared as `harness compare` does, from their samples: nothing is generated, nothing is written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from harness.comparison.gate import judge
from harness.comparison.results import CandidateComparison, Comparison, RunIds, compare_runs
from harness.errors import InputError
from harness.review.catalog import Catalog
from harness.review.query import Query, Row, name
from harness.runs.files import RunManifest
from harness.runs.items import items_of
from harness.runs.samples import Sample
from harness.scorers.base import Score
from harness.suites.choices import floor_of
from harness.suites.spec import Suite, load_suite
from harness.version import __version__

#: Samples of one run that are paired here; more of them are compared by the command.
MOST_SAMPLES = 60_000
ALPHA = 0.05


@dataclass(frozen=True)
class Found:
    """A comparison of two runs.

    Attributes:
        stored: it lies in the store; else it was made here, without the doctor and without a measure of noise.
    """

    comparison: Comparison
    compared: CandidateComparison
    stored: bool


class Comparing:
    """Finds or makes comparisons of runs of one store.

    Args:
        folder: where suites and gold sets are looked up.
        copies: gold set name -> local copy.
    """

    def __init__(self, query: Query, folder: Path, copies: Mapping[str, str]) -> None:
        self._query = query
        self._folder = folder
        self._copies = copies
        self._made = lru_cache(maxsize=64)(self._make)

    def of(self, catalog: Catalog, base: str, candidate: str) -> Found:
        """The newest stored comparison of two runs, else one made now.

        Raises:
            InputError: the runs were asked different things or scored in different ways, their suite is not here, they
                are too large to be compared on a page, or one of them is gone or damaged.
        """
        stored = catalog.between(base, candidate)
        if stored is not None:
            return Found(stored[0].comparison, stored[1], stored=True)
        for run in (base, candidate):
            if run not in catalog.runs:
                raise InputError(f"run {run} is not in the store", remedy="It was pruned, or cannot be read.")
        made = self.make(catalog.runs[base], catalog.runs[candidate])
        return Found(made, made.comparisons[0], stored=False)

    def make(self, base: RunManifest, candidate: RunManifest) -> Comparison:
        """The comparison of two runs from their samples; the same runs are compared once.

        Raises:
            InputError: as `of`.
        """
        return self._made(_Runs(base, candidate))

    def _make(self, runs: _Runs) -> Comparison:
        base, candidate = runs.base, runs.candidate
        suite = self._suite(base, candidate)
        names = {task.name for task in suite.tasks}
        items = items_of([base], self._copies, self._folder)
        results = compare_runs(
            suite,
            self._samples(base),
            self._samples(candidate),
            again={},
            signatures={task.name: task.signatures for task in base.tasks if task.name in names},
            candidate_signatures={task.name: task.signatures for task in candidate.tasks if task.name in names},
            floors={task.name: floor_of(task, tuple(items.get(task.name, {}).values())) for task in suite.tasks},
            alpha=ALPHA,
            seed=base.seed,
        )
        compared = CandidateComparison(
            candidate=candidate.candidate.name,
            results=results,
            gate=judge(results, ()),
            run_ids=RunIds(base=base.id, candidate=candidate.id),
            prompts_differ=base.candidate.prompt_format != candidate.candidate.prompt_format,
        )
        return Comparison(
            suite=suite.name,
            suite_digest=base.suite_digest,
            base=base.candidate.name,
            alpha=ALPHA,
            seed=base.seed,
            limit=base.limit,
            repeats=base.repeats,
            temperature=base.temperature,
            engine=base.engine,
            engine_version=base.engine_version,
            harness_version=__version__,
            comparisons=(compared,),
        ).with_id()

    def _suite(self, base: RunManifest, candidate: RunManifest) -> Suite:
        if base.suite != candidate.suite:
            raise InputError(
                f"{base.id} was asked {base.suite!r} and {candidate.id} {candidate.suite!r}",
                remedy="Runs of one suite can be compared.",
            )
        if base.suite_digest != candidate.suite_digest:
            raise InputError(
                f"the suite {base.suite!r} was edited between the two runs",
                remedy="Run harness compare again: what did not change is stored and not generated.",
            )
        suite, _ = load_suite(base.suite, folder=self._folder)
        asked = {task.name for task in base.tasks}
        if not asked <= {task.name for task in suite.tasks} or (suite := suite.only(asked)).digest != base.suite_digest:
            raise InputError(
                f"the suite {base.suite!r} that is found here is not the one these runs were asked",
                remedy="Run harness compare again: what did not change is stored and not generated.",
            )
        return suite

    def _samples(self, run: RunManifest) -> list[Sample]:
        """A run's samples without their prompts, and with a digest in place of each output."""
        total = sum(task.n for task in run.tasks)
        if total > MOST_SAMPLES:
            raise InputError(
                f"{run.id} has {total:,} samples, and {MOST_SAMPLES:,} are compared on a page at most",
                remedy="Run harness compare on both: everything is stored, so nothing is generated.",
            )
        metrics = sorted({metric for task in run.tasks for metric in task.signatures})
        metrics = [metric for metric in metrics if f"score_{metric}" in self._query.columns(run.id)]
        scores = "".join(f", {name(f'{part}_{one}')}" for one in metrics for part in ("score", "extracted", "note"))
        rows = self._query.rows(
            "SELECT task, item_id, item_digest, repeat, md5(output), finish_reason, error, completion_key, cluster, "
            f"slices{scores} FROM {self._query.samples(run.id)} ORDER BY file_row_number",
            about=f"run {run.id}",
        )
        return [_sample(row, metrics) for row in rows]


@dataclass(frozen=True)
class _Runs:
    """Two runs, whose ids are digests of all they hold."""

    base: RunManifest
    candidate: RunManifest

    def __hash__(self) -> int:
        return hash((self.base.id, self.candidate.id))


def _sample(row: Row, metrics: list[str]) -> Sample:
    scores = {
        metric: Score(metric, *row[at : at + 3])
        for at, metric in zip(range(10, len(row), 3), metrics, strict=True)
        if row[at + 2] is not None
    }
    return Sample(
        task=row[0],
        item_id=row[1],
        item_digest=row[2],
        repeat=row[3],
        prompt="",
        output=row[4],
        finish_reason=row[5],
        prompt_tokens=0,
        completion_tokens=0,
        latency=0.0,
        error=row[6],
        completion_key=row[7],
        cluster=row[8],
        slices=json.loads(row[9]),
        scores=scores,
    )
