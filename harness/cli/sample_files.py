"""Samples as JSON lines or CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from harness.report.untrusted import spreadsheet
from harness.runs.samples import Sample

_FIELDS = (
    "task", "item_id", "item_digest", "repeat", "prompt", "output", "finish_reason", "prompt_tokens",
    "completion_tokens", "latency", "error",
)  # fmt: skip


def to_jsonl(samples: Sequence[Sample]) -> str:
    """One object a line, texts as they were given (JSON escapes control characters)."""
    return "".join(json.dumps(_row(sample), ensure_ascii=False) + "\n" for sample in samples)


def to_csv(samples: Sequence[Sample]) -> str:
    """For a spreadsheet: cells that it would run as formulas begin with an apostrophe."""
    rows = [_row(sample) for sample in samples]
    columns = list(dict.fromkeys(column for row in rows for column in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({k: spreadsheet(v) if isinstance(v, str) else v for k, v in row.items()} for row in rows)
    return "\ufeff" + out.getvalue()  # Excel reads UTF-8 only after a byte order mark


def _row(sample: Sample) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(sample, name) for name in _FIELDS}
    for metric, score in sample.scores.items():
        row[f"score_{metric}"] = score.value
        row[f"extracted_{metric}"] = score.extracted
    return row
