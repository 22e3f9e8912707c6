"""The one table of a bench: a row for each deployment and concurrency, as texts; every rendering shows these."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.bench.results import DeploymentResult, Estimate, LevelResult, Note, Quantiles, ServingBench, TaskQuality
from harness.report.bench_words import BenchWords
from harness.report.numbers import NONE, interval, level, points, share
from harness.report.words import Words

#: A name in a note.
_NAME = 60


@dataclass(frozen=True)
class BenchTable:
    """Texts that may hold anything that a file or a server said: a rendering makes them safe.

    Attributes:
        rows: cells of one or several lines.
        warnings: what makes a number doubtful; `notes`: what it stands on.
    """

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[tuple[str, ...], ...], ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]


def bench_table(bench: ServingBench, words: BenchWords, verdicts: Words) -> BenchTable:
    """The table in one language."""
    heads = (
        words.deployment, words.concurrency, words.requests, words.tokens, words.ratio, words.first_token,
        words.per_token, words.latency, words.per_gpu, words.errors, words.quality.format(level=level(bench.alpha)),
    )  # fmt: skip
    rows = []
    for index, deployment in enumerate(bench.deployments):
        for number, found in enumerate(deployment.levels):
            name = (deployment.name,) if number == 0 else ()
            quality = tuple(_quality(deployment, index, words, verdicts)) if number == 0 else ()
            rows.append((name, *_numbers(deployment, found, index, words), quality))
    return BenchTable(
        words.title.format(suite=bench.suite, count=len(bench.deployments)),
        heads,
        tuple(rows),
        tuple(_warnings(bench, words)),
        tuple(_notes(bench, words)),
    )


def _numbers(
    deployment: DeploymentResult, found: LevelResult, index: int, words: BenchWords
) -> tuple[tuple[str, ...], ...]:
    gpus = {None: words.unknown, 0: words.none}.get(deployment.gpus, _figure(found.tokens_per_second_per_gpu))
    errors = NONE if found.error_rate is None else f"{found.errors}/{found.answered + found.errors}"
    failed = () if not found.errors else (share(found.error_rate),)
    return (
        (str(found.concurrency),),
        _rate(found.requests_per_second),
        _rate(found.output_tokens_per_second),
        _ratio(found, index, words),
        (_times(found.first_token, 1000.0),),
        (_times(found.per_token, 1000.0),),
        (_times(found.latency, 1.0),),
        (gpus,),
        (errors, *failed),
    )


def _rate(found: Estimate | None) -> tuple[str, ...]:
    if found is None:
        return (NONE,)
    between = _between(found.low, found.high)
    return (_figure(found.value), between) if between else (_figure(found.value),)


def _ratio(found: LevelResult, index: int, words: BenchWords) -> tuple[str, ...]:
    if index == 0:
        return ("1",)
    rate = found.against_first.output_tokens_per_second if found.against_first else None
    if rate is None or found.against_first is None:
        return (NONE,)
    lines = [f"{rate.value:.2f}"]
    if rate.low is not None and rate.high is not None:
        lines += [f"[{rate.low:.2f}, {rate.high:.2f}]", words.speeds[found.against_first.speed]]
    return tuple(lines)


def _times(found: Quantiles | None, factor: float) -> str:
    if found is None:
        return NONE
    return "/".join(_figure(one.value * factor) for one in (found.p50, found.p95, found.p99))


def _quality(deployment: DeploymentResult, index: int, words: BenchWords, verdicts: Words) -> Iterator[str]:
    if not deployment.quality:
        yield words.no_quality
    for task in deployment.quality:
        yield f"{task.task} {share(task.score)}{_delta(task, verdicts) if index else ''}"


def _delta(task: TaskQuality, verdicts: Words) -> str:
    verdict = f" {verdicts.verdicts[task.verdict]}" if task.verdict else ""
    return f", {points(task.delta)} {interval(task.delta_ci)}".rstrip() + verdict


def _warnings(bench: ServingBench, words: BenchWords) -> Iterator[str]:
    for note in bench.notes:
        yield _said(note, "", words)
    for deployment in bench.deployments:
        for note in deployment.notes:
            yield _said(note, deployment.name, words)
        for found in deployment.levels:
            if not found.answered:
                continue  # its reason stands in its own note
            for reason in found.reasons:
                yield words.reasons.format(
                    name=deployment.name, concurrency=found.concurrency, count=reason.count, why=reason.why
                )


def _said(note: Note, name: str, words: BenchWords) -> str:
    return words.notes[note.code].format(**({"name": name} | note.params))


def _notes(bench: ServingBench, words: BenchWords) -> Iterator[str]:
    levels = bench.deployments[0].levels
    each = "/".join(str(found.planned // bench.rounds) for found in levels)
    parts = [
        words.load.format(
            rounds=words.rounds.format(count=bench.rounds),
            requests=each,
            levels="/".join(str(found.concurrency) for found in levels),
        )
    ]
    if bench.max_tokens is not None:
        parts.append(words.tokens_at_most.format(count=bench.max_tokens))
    if bench.ignore_eos:
        parts.append(words.to_the_end)
    yield "; ".join(parts)
    yield words.legend.format(level=level(bench.alpha))
    if bench.comparison:
        yield words.legend_quality.format(comparison=bench.comparison)
    yield words.footer.format(
        id=bench.id, load=bench.load_digest[:12], seed=bench.seed, version=bench.harness_version, client=bench.client
    )


def _figure(value: float | None) -> str:
    """Three digits that say something: `1,234`, `123`, `12.3`, `1.23`, `0.0123`."""
    if value is None:
        return NONE
    if value >= 100:
        return f"{value:,.0f}"
    if value >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if value >= 1 else f"{value:#.3g}"


def _between(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"[{_figure(low)}, {_figure(high)}]"
