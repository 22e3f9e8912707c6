"""Samples as a Parquet file and back.

Columns are built from buffers: `pyarrow.array(list)` imports pandas whenever it is installed, which costs more time
than a whole repeated comparison.
"""

from __future__ import annotations

import io
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from harness.runs.samples import Sample
from harness.scorers.base import Score

_TEXTS = (
    "task", "item_id", "item_digest", "prompt", "output", "finish_reason", "error", "completion_key", "cluster",
)  # fmt: skip
#: Rows that are compressed together: who wants the texts of a few items of a large run unpacks no more than these.
_TOGETHER = 1 << 14
_COUNTS = ("repeat", "prompt_tokens", "completion_tokens")


def to_parquet(samples: Sequence[Sample]) -> bytes:
    """One row a sample; for each metric the columns `score_…`, `extracted_…` and `note_…`.

    A null note means that the metric belongs to another task.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns: dict[str, Any] = {name: _texts([getattr(s, name) for s in samples]) for name in _TEXTS}
    columns.update({name: _numbers([getattr(s, name) for s in samples], "int64") for name in _COUNTS})
    columns["latency"] = _numbers([s.latency for s in samples], "float64")
    columns["slices"] = _texts([json.dumps(dict(s.slices), ensure_ascii=False) for s in samples])
    for metric in dict.fromkeys(metric for s in samples for metric in s.scores):
        scores = [s.scores.get(metric) for s in samples]
        columns[f"score_{metric}"] = _numbers([s.value if s else None for s in scores], "float64")
        columns[f"extracted_{metric}"] = _texts([s.extracted if s else None for s in scores])
        columns[f"note_{metric}"] = _texts([s.note if s else None for s in scores])
    out = io.BytesIO()
    table = pa.Table.from_arrays(list(columns.values()), names=list(columns))
    pq.write_table(table, out, compression="zstd", row_group_size=_TOGETHER)
    return out.getvalue()


def table_of(texts: Mapping[str, Sequence[str | None]], counts: Mapping[str, Sequence[int]]) -> Any:
    """A table of columns of texts and of whole numbers."""
    import pyarrow as pa

    columns = {**{n: _texts(v) for n, v in texts.items()}, **{n: _numbers(v, "int64") for n, v in counts.items()}}
    return pa.Table.from_arrays(list(columns.values()), names=list(columns))


def from_parquet(file: Any, items: Collection[str] | None = None) -> list[Sample]:
    """The samples of a file opened for reading; with `items` those of these item ids alone."""
    import pyarrow.parquet as pq

    wanted = None if items is None else [("item_id", "in", sorted(items))]
    return [_sample(row) for row in pq.read_table(file, filters=wanted).to_pylist()]


def _sample(row: dict[str, Any]) -> Sample:
    metrics = [name.removeprefix("score_") for name in row if name.startswith("score_")]
    scores = {
        metric: Score(metric, row[f"score_{metric}"], row[f"extracted_{metric}"], row[f"note_{metric}"])
        for metric in metrics
        if row[f"note_{metric}"] is not None
    }
    fields = {name: row[name] for name in (*_TEXTS, *_COUNTS, "latency")}
    return Sample(**fields, slices=json.loads(row["slices"]), scores=scores)


def _texts(values: Sequence[str | None]) -> Any:
    import numpy as np
    import pyarrow as pa

    # A model may emit half a surrogate pair; UTF-8 cannot hold it.
    parts = [b"" if value is None else value.encode("utf-8", "replace") for value in values]
    offsets = np.zeros(len(parts) + 1, dtype=np.int64)
    np.cumsum([len(part) for part in parts], out=offsets[1:])
    buffers = [_validity(values), pa.py_buffer(offsets), pa.py_buffer(b"".join(parts))]
    return pa.Array.from_buffers(pa.large_string(), len(parts), buffers).cast(pa.string())


def _numbers(values: Sequence[float | None], kind: str) -> Any:
    import numpy as np
    import pyarrow as pa

    data = np.array([0 if value is None else value for value in values], dtype=kind)
    return pa.Array.from_buffers(pa.type_for_alias(kind), len(data), [_validity(values), pa.py_buffer(data)])


def _validity(values: Sequence[object]) -> Any:
    """Arrow's bitmap of the values that are there; None when all are."""
    import numpy as np
    import pyarrow as pa

    present = np.array([value is not None for value in values], dtype=bool)
    return None if present.all() else pa.py_buffer(np.packbits(present, bitorder="little"))
