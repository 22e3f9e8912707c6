"""What a sweep shows: gain on the target against what was kept, and the points that no other beats on both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from harness.comparison.results import CandidateComparison, Comparison, TaskResult
from harness.comparison.statistics.verdict import Verdict
from harness.errors import InputError


class Measured(BaseModel):
    """A task's difference from the base, in shares of 1, with its interval and verdict."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: str
    delta: float
    ci: tuple[float, float] | None
    n: int
    verdict: Verdict | None


class SweepPoint(BaseModel):
    """One candidate of a sweep.

    Attributes:
        worst: the guard that lost most; what was kept is as good as its worst part.
        front: no other point has both a larger gain and a smaller loss (Pareto).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    candidate: str
    settings: dict[str, str]
    target: Measured
    guards: tuple[Measured, ...]
    worst: Measured
    front: bool = False


class Sweep(BaseModel):
    """`harness train sweep --json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = Field(1, alias="schema")
    suite: str
    base: str
    comparison: str = Field(description="id of the comparison that all points were asked in")
    points: tuple[SweepPoint, ...]


def build_sweep(comparison: Comparison, settings: Mapping[str, dict[str, str]]) -> Sweep:
    """The points of a comparison.

    Args:
        settings: of each candidate, by name, in the order in which they are shown.

    Raises:
        InputError: the suite has no target or no guard, or nothing could be scored.
    """
    by_name = {compared.candidate: compared for compared in comparison.comparisons}
    points = [_point(by_name[name], chosen) for name, chosen in settings.items()]
    front = [on_front(point, points) for point in points]
    return Sweep(
        schema=1,
        suite=comparison.suite,
        base=comparison.base,
        comparison=comparison.id,
        points=tuple(point.model_copy(update={"front": on}) for point, on in zip(points, front, strict=True)),
    )


def check_drawable(path: Path) -> None:
    """Before hours of training.

    Raises:
        InputError: matplotlib is not installed, or the file's kind is unknown.
    """
    if find_spec("matplotlib") is None:
        raise InputError("--plot needs matplotlib", remedy="pip install 'finetune-harness[train]'.")
    if path.suffix.lower() not in (".svg", ".png", ".pdf"):
        remedy = "Use .svg, .png or .pdf."
        raise InputError(f"{path.suffix!r} is no kind of picture", where=f"--plot {path}", remedy=remedy)


def draw(sweep: Sweep, path: Path) -> None:
    """Gain against retention with intervals, as an SVG, PNG or PDF file."""
    check_drawable(path)
    import matplotlib

    matplotlib.use("Agg")
    # The same points give the same bytes, and texts stay texts.
    matplotlib.rcParams |= {"svg.hashsalt": "finetune-harness", "svg.fonttype": "none"}
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    axes.axhline(0, color="#999", linewidth=0.8)
    axes.axvline(0, color="#999", linewidth=0.8)
    for point in sweep.points:
        x, y = 100 * point.target.delta, 100 * point.worst.delta
        colour = "#0b6e4f" if point.front else "#888888"
        axes.errorbar(
            x, y, xerr=_bars(point.target), yerr=_bars(point.worst), fmt="o" if point.front else "x", color=colour,
            elinewidth=1, capsize=3, zorder=3,
        )  # fmt: skip
        label = ", ".join(f"{name} {value}" for name, value in point.settings.items())
        axes.annotate(label, (x, y), textcoords="offset points", xytext=(7, 6), fontsize=9, color=colour)
    front = sorted((p for p in sweep.points if p.front), key=lambda p: p.target.delta)
    axes.plot(
        [100 * p.target.delta for p in front],
        [100 * p.worst.delta for p in front],
        color="#0b6e4f",
        alpha=0.4,
        zorder=2,
    )
    axes.set_xlabel(f"gain on {sweep.points[0].target.task}, points (95% interval)")
    axes.set_ylabel("worst guard, points (95% interval)")
    axes.set_title(f"{sweep.suite}: gain against retention, base {sweep.base}", fontsize=11)
    figure.savefig(path, metadata={"Date": None} if path.suffix.lower() == ".svg" else None, dpi=150)
    plt.close(figure)


def _point(compared: CandidateComparison, settings: dict[str, str]) -> SweepPoint:
    primary = [result for result in compared.results if result.primary]
    targets = [_measured(result) for result in primary if result.role == "target"]
    guards = [_measured(result) for result in primary if result.role == "guard"]
    if not targets or not guards:
        raise InputError("a sweep needs a suite with a target and a guard", where=compared.candidate)
    worst = min(guards, key=lambda guard: guard.delta)
    return SweepPoint(
        candidate=compared.candidate, settings=settings, target=targets[0], guards=tuple(guards), worst=worst
    )


def _measured(result: TaskResult) -> Measured:
    if result.delta is None:
        raise InputError(f"task {result.task!r} could not be scored on any item", where="sweep")
    return Measured(task=result.task, delta=result.delta, ci=result.ci, n=result.n, verdict=result.verdict)


def on_front(point: SweepPoint, points: Sequence[SweepPoint]) -> bool:
    """True where no other point is at least as good on both sides and better on one."""
    here = (point.target.delta, point.worst.delta)
    return not any(
        other.target.delta >= here[0]
        and other.worst.delta >= here[1]
        and (other.target.delta, other.worst.delta) != here
        for other in points
    )


def _bars(measured: Measured) -> Any:
    if measured.ci is None:
        return None
    return [[100 * (measured.delta - measured.ci[0])], [100 * (measured.ci[1] - measured.delta)]]
