"""Training files for trying `harness train` on the demo base: `python -m harness.demo.trainset FOLDER`.

`medical.jsonl` and `general.jsonl` hold what the demo's own LoRAs are trained on (`corpus`), as instruction and output.
No gold item and no held-out wording is among them. `sft.yaml` trains on them.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator
from pathlib import Path

from harness.demo import corpus, prompts

SEED = 20261126
ROWS = 6000
#: Shares of what is general in the 1:1 mix.
_GENERAL = {"general": 0.55, "problems": 0.45}
_CONFIG = """\
name: demo
base: base
data: {medical: medical.jsonl, general: general.jsonl}
mix: {medical: 1, general: 1}
max_seq_length: 256
per_device_train_batch_size: 32
gradient_accumulation_steps: 1
max_steps: 150
learning_rate: 3.0e-3
logging_steps: 10
"""


def rows(subject: str, count: int, seed: int = SEED) -> Iterator[dict[str, str]]:
    """`count` rows of a subject ("medical" or "general"), as ChatML's user turn and its answer."""
    rng = random.Random(f"{seed}:{subject}")
    shares = {"medical": 1.0} if subject == "medical" else _GENERAL
    made = [row for name, share in shares.items() for row in _rows(name, round(share * count), rng, seed)]
    rng.shuffle(made)
    yield from made


def _rows(name: str, count: int, rng: random.Random, seed: int) -> Iterator[dict[str, str]]:
    source = corpus.source(name, rng, seed)
    head, tail = prompts.chat("\0").split("\0")
    while count:
        example = next(source)
        if example.question is None or len(example.segments) != 2:
            continue
        asked, answered = (text for text, _ in example.segments)
        if asked.startswith(head) and asked.endswith(tail) and answered.endswith(prompts.END):
            count -= 1
            yield {"instruction": asked[len(head) : -len(tail)], "output": answered.removesuffix(prompts.END)}


def write(folder: Path, count: int = ROWS, seed: int = SEED) -> None:
    """Both files, `count` rows each, and a config."""
    folder.mkdir(parents=True, exist_ok=True)
    for subject in ("medical", "general"):
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows(subject, count, seed))
        (folder / f"{subject}.jsonl").write_text("".join(lines), encoding="utf-8")
    (folder / "sft.yaml").write_text(_CONFIG, encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=ROWS)
    arguments = parser.parse_args()
    write(arguments.folder, arguments.rows)
