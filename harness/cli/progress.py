"""What a person sees on stderr while a run is going on: the plan, then how far it is.

On a terminal a bar for each candidate; elsewhere a plain line every few seconds, without control characters.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as Bars
from rich.text import Text

from harness.report.numbers import duration, share
from harness.report.untrusted import visible
from harness.report.words import Words
from harness.runs.plan import Plan
from harness.runs.samples import Sample

#: Seconds between two lines where there is no terminal.
EVERY = 5.0


@dataclass
class _Tally:
    """How far one candidate is."""

    name: str
    total: int
    done: int = 0
    generated: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    bar: TaskID | None = None

    def scores(self) -> str:
        """The running primary score of each task that has answers."""
        return "  ".join(f"{task} {share(self.sums[task] / n)}" for task, n in self.counts.items() if n)


class ConsoleProgress:
    """Implements `harness.runs.progress.Progress`."""

    def __init__(self, console: Console, words: Words, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._words = words
        self._clock = clock
        self._tallies: list[_Tally] = []
        self._primary: dict[str, str] = {}
        self._bars: Bars | None = None
        self._began: float | None = None
        self._spoke = clock()

    def planned(self, plan: Plan, cached: dict[int, int], seconds: float | None) -> None:
        """Print what will be done. A second plan starts a second count."""
        words = self._words
        self.finished()
        self._tallies, self._began = [], None
        self._primary = {loaded.task.name: loaded.task.primary for loaded in plan.tasks}
        tasks = words.list_join.join(
            f"{loaded.task.name} {words.plan_items.format(count=len(loaded.items))}" for loaded in plan.tasks
        )
        settings = [words.repeats.format(count=plan.repeats)] if plan.repeats > 1 else []
        if plan.temperature is not None:
            settings.append(words.temperature.format(temperature=plan.temperature))
        self._say(words.join.join([f"{words.plan}: {plan.suite.name}: {tasks}", *settings]))
        width = max(len(planned.candidate.name) for planned in plan.candidates)
        waiting = 0
        for index, planned in enumerate(plan.candidates):
            total = len(planned.asked)
            # Repeats of a greedy answer are one answer: asked once, and one in what is stored.
            wanted = len({asked.request.key for asked in planned.asked if not asked.error})
            self._tallies.append(_Tally(visible(planned.candidate.name), total))
            if index in cached:
                missing = wanted - cached[index]
                waiting += missing
                what = words.list_join.join(
                    [words.plan_cached.format(count=cached[index]), words.plan_missing.format(count=missing)]
                )
            else:
                summary = planned.recording.summary if planned.recording else ""
                what = f"{words.plan_recorded}: {summary}" if summary else words.plan_recorded
            form = f"  [{planned.prompt_format}]" if index in cached else ""
            self._say(f"  {planned.candidate.name:<{width}}  {what}{form}")
        for group in plan.groups:
            self._say("  " + words.plan_engine.format(engine=group.choice.name, reason=group.choice.reason))
        for far in plan.endpoints:
            self._say("  " + words.plan_engine.format(engine=far.identity.engine, reason=far.endpoint.label))
        if plan.groups or plan.endpoints:
            if not waiting:
                self._say(f"  {words.plan_nothing}")
            elif seconds is None:
                self._say(f"  {words.plan_time_unknown}")
            else:
                self._say("  " + words.plan_time.format(time=duration(seconds)))
        for warning in plan.warnings:
            self._say(f"! {warning}")
        for planned in plan.candidates:
            for note in planned.notes if planned.written_elsewhere else ():
                self._say(f"! {planned.candidate.name}: {note}")

    def noticed(self, candidate: int, lines: list[str]) -> None:
        """Print what the doctor saw before waiting for answers."""
        for line in lines:
            self._say(f"! {self._tallies[candidate].name}: {line}")

    def starting(self, engine: str, reason: str) -> None:
        """Say so; the reason stands in the plan."""
        self._say(self._words.engine_starting.format(engine=engine))

    def started(self, engine: str, seconds: float) -> None:
        """From here on the rate is measured."""
        self._say(self._words.engine_started.format(engine=engine, time=duration(seconds)))
        self._began = self._clock()

    def answered(self, candidate: int, samples: list[Sample], *, stored: bool) -> None:
        """Count what finished and show it."""
        tally = self._tallies[candidate]
        tally.done += len(samples)
        if not stored:
            tally.generated += len(samples)
            if self._began is None:
                self._began = self._clock()
        for sample in samples:
            score = sample.scores.get(self._primary[sample.task])
            if score is not None and score.value is not None:
                tally.sums[sample.task] = tally.sums.get(sample.task, 0.0) + score.value
                tally.counts[sample.task] = tally.counts.get(sample.task, 0) + 1
        if self._began is None:
            return  # everything so far was there already
        if self._console.is_terminal:
            self._draw(tally)
        elif self._clock() - self._spoke >= EVERY or tally.done >= tally.total:
            self._spoke = self._clock()
            self._say(self._line(tally))

    def charged(self, cost: float, answers: int) -> None:
        """Say what was spent."""
        self._say(self._words.charged.format(cost=cost, answers=answers))

    def finished(self) -> None:
        """Leave the finished bars standing."""
        if self._bars is not None:
            self._bars.stop()
            self._bars = None

    def _draw(self, tally: _Tally) -> None:
        if self._bars is None:
            self._bars = Bars(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                TextColumn("{task.completed}/{task.total}", markup=False),
                TextColumn("{task.fields[pace]}", markup=False),
                console=self._console,
                refresh_per_second=4,
            )
            self._bars.start()
            for known in self._tallies:
                known.bar = self._bars.add_task(known.name, total=known.total, completed=known.done, pace="")
        assert tally.bar is not None
        self._bars.update(tally.bar, completed=tally.done, pace=self._pace(tally))

    def _line(self, tally: _Tally) -> str:
        return f"{tally.name}: {tally.done:,}/{tally.total:,}  {self._pace(tally)}"

    def _pace(self, tally: _Tally) -> str:
        elapsed = self._clock() - (self._began or 0.0)
        if elapsed < 1.0 or not tally.generated:
            return tally.scores()  # too early to speak of a rate
        rate = tally.generated / elapsed
        left = duration((tally.total - tally.done) / rate)
        return self._words.pace.format(rate=rate, left=left, scores=tally.scores())

    def _say(self, line: str) -> None:
        self._console.print(Text(visible(line)), soft_wrap=True)
