"""Recorded outputs as an engine: answers made elsewhere are scored and compared like any others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.candidates.recording import recording_digest
from harness.engines.base import Completion, Continuation, Request
from harness.engines.recorded.joining import TaskItems
from harness.engines.recorded.recording import load_recording
from harness.errors import MISSING, HarnessError


class ReplayEngine:
    """The engine of a recording (`harness.engines.recorded` has the formats).

    Args:
        path: a file, or a folder of them.
        tasks: what the recording answers.

    Raises:
        InputError: as `load_recording`; names the file and the place.
    """

    name = "replay"

    def __init__(self, path: Path, tasks: Sequence[TaskItems]) -> None:
        self.path = path
        self._recording = load_recording(path, tasks)
        self.version = f"1 ({self._recording.name}, {path.name}, sha256 {recording_digest(path)[:12]})"

    def __len__(self) -> int:
        return len(self._recording.answers)

    @property
    def summary(self) -> str:
        """What the recording was recognised as and how items were found; "" where it names our items itself."""
        return self._recording.summary

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the results should know about it."""
        return self._recording.notes

    @property
    def repeats(self) -> int:
        """How many answers there are to an item at most."""
        return 1 + max(repeat for _, _, repeat in self._recording.answers)

    def generate(self, requests: Sequence[Request]) -> Iterator[list[Completion]]:
        """See `Engine.generate`: everything comes at once. What is not recorded is an error completion, `MISSING`."""
        if requests:
            yield [self._completion(request) for request in requests]

    def _completion(self, request: Request) -> Completion:
        record = self._recording.find(request.task, request.item_id, request.repeat)
        if record is None:
            return Completion(request.key, "", "error", 0, 0, 0.0, MISSING)
        return Completion(
            request.key,
            record.output,
            record.finish_reason,
            record.prompt_tokens,
            record.completion_tokens,
            record.latency,
            record.error,
        )

    def logprobs(self, continuations: Sequence[Continuation]) -> list[list[float]]:
        """Not possible.

        Raises:
            HarnessError: always; a recording holds answers, not a model.
        """
        raise HarnessError("recorded outputs have no likelihoods", where=str(self.path), remedy="Use the model itself.")

    def close(self) -> None:
        """Nothing to free."""
