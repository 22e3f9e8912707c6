"""What lies on disk after training, healthy and spoilt: token sets, logs and lineages as notebooks leave them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.candidates.tokenizer import PromptTokenizer
from harness.doctor.token_rows import IGNORED
from tests.doctor.tiny import EOS, examples

Pairs = Sequence[tuple[str, str]]
Rows = list[dict[str, Any]]


def completion_only(base: Path, pairs: Pairs, *, end: bool = True) -> Rows:
    """Healthy: the prompt is masked, the answer and its end are learned."""
    rows = []
    for ids, skip in examples(base, pairs, end=end):
        rows.append({"input_ids": ids, "labels": [IGNORED] * skip + ids[skip:], "attention_mask": [1] * len(ids)})
    return rows


def nothing_masked(base: Path, pairs: Pairs) -> Rows:
    """Healthy, if not what most want: prompts are learned too."""
    return [{**row, "labels": row["input_ids"]} for row in completion_only(base, pairs)]


def all_masked(base: Path, pairs: Pairs, share: float = 1.0) -> Rows:
    """The marker of the answer was never found in the first `share` of the rows."""
    rows = completion_only(base, pairs)
    for row in rows[: round(share * len(rows))]:
        row["labels"] = [IGNORED] * len(row["input_ids"])
    return rows


def end_masked(base: Path, pairs: Pairs) -> Rows:
    """Padding and end are one token, and the collator masks padding."""
    end = PromptTokenizer(base).token_id(EOS)
    rows = completion_only(base, pairs)
    for row in rows:
        row["labels"] = [IGNORED if label == end else label for label in row["labels"]]
    return rows


def end_missing(base: Path, pairs: Pairs) -> Rows:
    """No end token was written behind the answers, whose prompts have none either (an Alpaca text)."""
    rows = []
    for ids, skip in examples(base, pairs, form="alpaca", end=False):
        rows.append({"input_ids": ids, "labels": [IGNORED] * skip + ids[skip:]})
    return rows


def cut(rows: Rows, longest: int) -> Rows:
    """Every row cut at `longest` tokens."""
    return [{name: values[:longest] for name, values in row.items()} for row in rows]


def packed(rows: Rows, longest: int) -> Rows:
    """All rows behind each other in blocks of `longest` tokens: each but the last stops in the middle of something."""
    names = ("input_ids", "labels")
    streams = {name: [token for row in rows for token in row[name]] for name in names}
    blocks = len(streams["input_ids"]) // longest
    return [{name: streams[name][n * longest : (n + 1) * longest] for name in names} for n in range(blocks)]


def padded(rows: Rows, width: int, token: int) -> Rows:
    """Every row filled up to `width` tokens with nothing said of attention, as padding="max_length" leaves it."""
    return [
        {
            "input_ids": row["input_ids"] + [token] * (width - len(row["input_ids"])),
            "labels": row["labels"] + [IGNORED] * (width - len(row["labels"])),
        }
        for row in rows
    ]


def write_lines(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def write_parquet(path: Path, rows: Rows) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def save_to_disk(path: Path, rows: Rows) -> Path:
    """As `trainer.train_dataset.save_to_disk` does."""
    from datasets import Dataset

    Dataset.from_list(rows).save_to_disk(path)
    return path


def write_log(folder: Path, points: Sequence[dict[str, Any]]) -> Path:
    """`trainer_state.json` with a step for each point."""
    history = [{"step": n, "epoch": n / 10, **point} for n, point in enumerate(points, start=1)]
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "trainer_state.json"
    file.write_text(json.dumps({"global_step": len(points), "log_history": [*history, {"train_runtime": 1.0}]}))
    return file


def with_log(src: Path, dst: Path, points: Sequence[dict[str, Any]]) -> Path:
    """A copy of an adapter with a log beside its weights."""
    shutil.copytree(src, dst)
    write_log(dst, points)
    return dst


def with_lineage(src: Path, dst: Path, parent_digest: str, **changes: Any) -> Path:
    """A copy of an adapter with a lineage beside its weights; `changes` replace what is healthy."""
    shutil.copytree(src, dst)
    healthy: dict[str, Any] = {
        "schema": 1, "name": dst.name, "kind": "sft", "identity": "0", "backend": "trl", "method": "lora",
        "parent": "base", "parent_digest": parent_digest, "tokenizer_digest": "0", "prompt": "chat",
        "config": {"max_seq_length": 256}, "data": [], "leaks": [], "examples": 400, "too_long": 0, "tokens": 9000,
        "learned_tokens": 2000, "steps": 50, "seed": 1,
        "losses": [{"step": n, "loss": 2.0 / n, "grad_norm": 1.0} for n in range(1, 6)],
        "versions": {}, "device": "cpu", "seconds": 1.0, "started": "", "finished": "",
    }  # fmt: skip
    (dst / "lineage.json").write_text(json.dumps({**healthy, **changes}), encoding="utf-8")
    return dst


def leak(goldset: str, *, verbatim: int = 0, near: int = 0) -> dict[str, Any]:
    """What a lineage records of a gold set that was looked for."""
    counts = {"items": 364, "verbatim": verbatim, "near": near, "allowed": verbatim > 0}
    return {"goldset": goldset, "digest": "0", **counts}
