"""Arrow streams: what `datasets` writes with `save_to_disk`, a batch of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.errors import InputError
from harness.gold.importers.reading import Opened
from harness.gold.rows import Row

#: Rows that become Python objects at a time; `datasets` writes a thousand to a batch.
_BATCH = 256


def open_arrow(path: Path, *, encoding: str | None = None) -> Opened:
    """The rows of a file in Arrow's streaming format. `encoding` means nothing here."""
    return Opened(_rows(path), "Arrow")


def _rows(path: Path) -> Iterator[Row]:
    import pyarrow as pa

    number = 0
    with path.open("rb") as file:
        try:
            with pa.ipc.open_stream(file) as batches:
                for batch in batches:
                    for begin in range(0, batch.num_rows, _BATCH):
                        for values in batch.slice(begin, _BATCH).to_pylist():
                            number += 1
                            yield Row(values, path, number, fixed=True)
        except (pa.ArrowException, OSError) as error:
            what = f"is no whole Arrow stream ({' '.join(str(error).split())[:120]})"
            raise InputError(what, where=f"{path}, after row {number}") from None
