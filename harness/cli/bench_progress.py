"""What a person sees on stderr while deployments are measured."""

from __future__ import annotations

from rich.text import Text

from harness.bench.measuring import Round
from harness.cli.progress import ConsoleProgress
from harness.report.bench_words import bench_words
from harness.report.untrusted import visible


class BenchProgress(ConsoleProgress):
    """Implements `harness.bench.serving.LoadProgress`: a line for each round."""

    def server_starting(self, seconds: float) -> None:
        """A line now and then."""
        if round(seconds) % 15 == 0:
            self._print(bench_words(self._words.language).starting.format(seconds=seconds))

    def round_measured(self, deployment: str, concurrency: int, number: int, rounds: int, found: Round) -> None:
        """One line."""
        self._print(
            bench_words(self._words.language).measured.format(
                name=deployment,
                concurrency=concurrency,
                number=number,
                rounds=rounds,
                tokens=found.tokens / found.seconds,
                seconds=found.seconds,
                errors=len(found.requests) - len(found.answered),
            )
        )

    def _print(self, line: str) -> None:
        self._console.print(Text(visible(line)), soft_wrap=True)
