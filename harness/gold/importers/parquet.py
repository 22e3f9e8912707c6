"""Parquet, a batch of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.errors import InputError
from harness.gold.importers.reading import Opened
from harness.gold.rows import Row

#: Rows with pictures in them are a megabyte each: few at a time.
_BATCH = 64


def open_parquet(path: Path, *, encoding: str | None = None) -> Opened:
    """The rows of a Parquet file. `encoding` means nothing here."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path, pre_buffer=False)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"is not a whole Parquet file ({_short(error)})", where=str(path)) from None
    return Opened(_rows(path, file), "Parquet")


def _rows(path: Path, file: object) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    assert isinstance(file, pq.ParquetFile)
    number = 0
    with file:
        try:
            for batch in file.iter_batches(_BATCH, use_threads=False):
                for values in batch.to_pylist():
                    number += 1
                    yield Row(values, path, number, fixed=True)
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"is damaged ({_short(error)})", where=f"{path}, after row {number}") from None


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:120]
