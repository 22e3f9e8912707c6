"""A stretch of training in a process of its own.

On a GPU this is how the memory is free again when it ends, so that an engine can ask the checkpoint what it knows; and
what Unsloth patches is gone with it.
"""

from __future__ import annotations

import multiprocessing
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from harness.candidates.lineage import LossPoint
from harness.errors import HarnessError, IncompleteError
from harness.train.backends.base import Backend, Events, GrpoJob, Job, SftJob, Trained


def carry_out(backend: Backend, job: Job, events: Events) -> Trained:
    """Train in this process."""
    if isinstance(job, SftJob):
        return backend.sft(job, events)
    assert isinstance(job, GrpoJob)
    return backend.grpo(job, events)


def carry_out_apart(
    backend: Backend, job: Job, events: Events, *, target: Callable[[Connection, Backend, Job], None] | None = None
) -> Trained:
    """Train in a new process; events arrive here, errors are raised here.

    Args:
        target: what the process does; default: train, and report.

    Raises:
        HarnessError: as `carry_out`.
        IncompleteError: the process died.
    """
    context = multiprocessing.get_context("spawn")  # CUDA does not survive a fork
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=target or _child, args=(theirs, backend, job))
    process.start()
    theirs.close()
    try:
        while True:
            message = ours.recv()
            if isinstance(message, _Logged):
                events.logged(message.point)
            elif isinstance(message, _Saved):
                events.saved(message.checkpoint, message.seconds, message.peak_memory)
            elif isinstance(message, Trained):
                return message
            elif isinstance(message, _Failed):
                raise RuntimeError(message.what) from _There(message.trace)
            else:
                raise message
    except EOFError:
        process.join()
        raise IncompleteError(
            f"the training process died (exit code {process.exitcode})",
            where=str(job.work),
            remedy="Exit code -9 is the kernel's when memory runs out: lower per_device_train_batch_size. "
            "The last whole checkpoint is kept: --resume goes on from it.",
        ) from None
    finally:
        ours.close()
        process.join(timeout=60)
        if process.is_alive():
            process.kill()


@dataclass(frozen=True)
class _Logged:
    point: LossPoint


@dataclass(frozen=True)
class _Saved:
    checkpoint: Path
    seconds: float
    peak_memory: int | None


@dataclass(frozen=True)
class _Failed:
    what: str
    trace: str


class _There(Exception):
    """The traceback of the other process, shown where an error's cause is."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


class _Sender:
    """`Events` that go through a pipe."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def logged(self, point: LossPoint) -> None:
        self._pipe.send(_Logged(point))

    def saved(self, checkpoint: Path, seconds: float, peak_memory: int | None) -> None:
        self._pipe.send(_Saved(checkpoint, seconds, peak_memory))


def _child(pipe: Connection, backend: Backend, job: Job) -> None:
    try:
        pipe.send(carry_out(backend, job, _Sender(pipe)))
    except HarnessError as error:
        pipe.send(type(error)(error.what, where=error.where, remedy=error.remedy))  # without its causes
    except Exception as error:
        pipe.send(_Failed(f"{type(error).__name__}: {error}", traceback.format_exc()))
