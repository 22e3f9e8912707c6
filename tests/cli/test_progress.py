"""What stands on stderr while a run is going on."""

from __future__ import annotations

import io
from dataclasses import dataclass

from rich.console import Console

from harness import api
from harness.cli.options import Asking
from harness.cli.progress import EVERY, ConsoleProgress
from harness.report.words import EN, ZH, Words
from harness.runs.plan import Plan
from harness.runs.samples import Sample
from harness.scorers.base import Score
from tests.cli.conftest import Bench


@dataclass
class Clock:
    """Time that moves only when told to."""

    now: float = 100.0

    def __call__(self) -> float:
        return self.now


class Watch:
    """A progress on a console that keeps what was printed."""

    def __init__(self, *, terminal: bool = False, words: Words = EN) -> None:
        self.out = io.StringIO()
        self.clock = Clock()
        console = Console(file=self.out, width=120, force_terminal=terminal, markup=False, highlight=False)
        self.progress = ConsoleProgress(console, words, clock=self.clock)

    @property
    def text(self) -> str:
        return self.out.getvalue()


def plan(bench: Bench) -> Plan:
    references = ["replay:base.jsonl", "replay:candidate.jsonl"]
    return api.prepare(Asking().request(references, "suite.yaml")).plan


def samples(count: int, value: float) -> list[Sample]:
    score = {"exact": Score("exact", value, "x")}
    return [Sample("facts", f"f{i}", "", 0, "", "x", "stop", 1, 1, 0.1, "", "k", scores=score) for i in range(count)]


def test_the_plan_says_what_is_stored_what_is_generated_and_how_long_it_takes(bench: Bench) -> None:
    watch = Watch()
    watch.progress.planned(plan(bench), {0: 80, 1: 30}, 90.0)
    assert "Plan: small: facts 40 items, general 40 items" in watch.text
    assert "80 stored, 0 to generate" in watch.text
    assert "30 stored, 50 to generate" in watch.text
    assert "facts.jsonl has no card" in watch.text


def test_away_from_a_terminal_a_plain_line_comes_every_few_seconds(bench: Bench) -> None:
    watch = Watch()
    watch.progress.planned(plan(bench), {0: 0, 1: 0}, None)
    watch.progress.started("vllm", 80.0)
    before = watch.text
    watch.clock.now += EVERY / 2
    watch.progress.answered(0, samples(10, 1.0), stored=False)
    assert watch.text == before
    watch.clock.now += EVERY / 2
    watch.progress.answered(0, samples(10, 0.0), stored=False)
    line = watch.text.removeprefix(before)
    assert line == "replay:base.jsonl: 20/80  4.0/s, 15 s left  facts 50.0%\n"
    watch.progress.finished()


def test_what_was_stored_says_nothing_of_the_rate(bench: Bench) -> None:
    watch = Watch()
    watch.progress.planned(plan(bench), {0: 40, 1: 0}, None)
    before = watch.text
    watch.clock.now += 60
    watch.progress.answered(0, samples(40, 1.0), stored=True)
    assert watch.text == before
    watch.progress.started("vllm", 3.0)
    watch.clock.now += 10
    watch.progress.answered(0, samples(10, 1.0), stored=False)
    assert "50/80  1.0/s, 30 s left" in watch.text


def test_on_a_terminal_bars_are_drawn_and_left_standing(bench: Bench) -> None:
    watch = Watch(terminal=True)
    watch.progress.planned(plan(bench), {0: 0, 1: 0}, None)
    watch.progress.started("vllm", 3.0)
    watch.clock.now += 10
    watch.progress.answered(0, samples(40, 1.0), stored=False)
    watch.progress.answered(1, samples(40, 0.0), stored=False)
    watch.progress.finished()
    watch.progress.finished()
    assert "━" in watch.text
    assert "40/80" in watch.text
    assert "facts 100.0%" in watch.text
    assert watch.text.endswith("\x1b[?25h")  # the cursor is back


def test_findings_and_engine_are_announced_in_the_reader_s_language(bench: Bench) -> None:
    watch = Watch(words=ZH)
    watch.progress.planned(plan(bench), {}, None)
    watch.progress.noticed(1, ["base-match: \x1b[31mother"])
    watch.progress.starting("vllm", "because")
    watch.progress.started("vllm", 80.0)
    assert "计划" in watch.text
    assert "! replay:candidate.jsonl: base-match: ␛[31mother" in watch.text
    assert "正在启动 vllm" in watch.text
    assert "用时 80 s" in watch.text
