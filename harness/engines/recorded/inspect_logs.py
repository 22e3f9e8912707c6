"""inspect-ai: `.eval` and `.json` logs, read by inspect-ai's own reader.

It wants other versions of some packages than this project is tested with, so it is imported here alone.
Epochs are repeats. The ids that inspect numbers itself (1, 2, …) are positions and join nothing.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from harness.engines.recorded.evalscope import finish
from harness.engines.recorded.record import Record
from harness.engines.recorded.shape import Shape
from harness.errors import InputError

if TYPE_CHECKING:
    from inspect_ai.log import EvalSample
    from inspect_ai.model import ChatMessage


class InspectLog:
    """Answers of one task of an inspect evaluation."""

    name = "inspect log"
    names_items = False

    def recognises(self, shape: Shape) -> bool:
        """True for an archive with a header or a journal, or an object with a version, a status and what was asked."""
        journal = any(name.startswith("_journal/") for name in shape.members)
        return journal or "header.json" in shape.members or {"version", "status", "eval"} <= shape.keys

    def read(self, path: Path) -> Iterator[Record]:
        """See `Reader.read`. A log of an evaluation that was stopped gives what was answered until then.

        Raises:
            InputError: also where inspect-ai is not installed.
        """
        try:
            from inspect_ai.log import read_eval_log, read_eval_log_samples
        except ImportError as error:
            raise InputError(
                f"is a log of inspect-ai, which reads it and is not installed here ({error})",
                where=str(path),
                remedy="pip install inspect-ai, best in a new environment beside this package: docs/recordings.md.",
            ) from None
        form: Literal["eval", "json"] = "eval" if zipfile.is_zipfile(path) else "json"  # whatever it is called
        try:
            task = read_eval_log(str(path), header_only=True, format=form).eval.task
            samples = read_eval_log_samples(
                str(path),
                all_samples_required=False,
                resolve_attachments="core",
                format=form,
                exclude_fields={"events", "store"},
            )
            for sample in samples:
                yield _record(sample, task, f"{path}: sample {sample.id}, epoch {sample.epoch}")
        except Exception as error:  # whatever inspect's reader meets in a broken file
            raise InputError(
                f"cannot be read by inspect-ai ({type(error).__name__}: {' '.join(str(error).split())[:200]})",
                where=str(path),
                remedy="See whether `inspect log dump` can read it.",
            ) from None


def _record(sample: EvalSample, task: str, where: str) -> Record:
    output = sample.output
    error = sample.error.message if sample.error else output.error or ("" if output.choices else "no output")
    given = sample.input if isinstance(sample.input, str) else _last_user(sample.input)
    usage = output.usage
    return Record(
        where,
        "" if error else output.completion,
        item_id=str(sample.id),
        task=task.rpartition("/")[2],
        repeat=sample.epoch - 1,
        question=given,
        prompt=_last_user(sample.messages) or given,
        finish_reason="error" if error else finish(output.stop_reason),
        error=error,
        prompt_tokens=usage.input_tokens if usage else 0,
        completion_tokens=usage.output_tokens if usage else 0,
        latency=output.time or 0.0,
    )


def _last_user(messages: list[ChatMessage]) -> str:
    return next((m.text for m in reversed(messages) if m.role == "user"), "")
