"""Closeness of meaning by a local embedding model."""

from __future__ import annotations

from functools import cache, cached_property, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from harness.digest import digest_file, digest_json
from harness.gold.item import Item
from harness.scorers._references import SOURCE_DESCRIPTION, Source, references
from harness.scorers.base import Score

_VERSION = 1
_MODEL_FILES = (".json", ".safetensors", ".bin", ".model", ".txt")


class Embedding(BaseModel):
    """Cosine similarity between the embeddings of answer and reference, from a local model.

    The model is a folder that transformers can read (BERT, BGE, …); nothing is downloaded. A text's vector is the mean
    of its token vectors, or that of the first token (`cls`); texts are cut at what the model takes. A cosine below zero
    counts as zero. With several references the closest counts. It runs on the CPU, one text at a time.

    Similar is not right: "适用" and "不适用" are close. An item without a reference is unscored.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    model: str = Field(description="folder of the embedding model")
    pooling: Literal["mean", "cls"] = Field(
        default="mean", description="mean of all token vectors, or the first token's (as BGE wants)"
    )
    reference: Source = Field(default="answer", description=SOURCE_DESCRIPTION)

    @field_validator("model")
    @classmethod
    def _is_there(cls, value: str) -> str:
        if not (Path(value).expanduser() / "config.json").is_file():
            raise ValueError("must be a folder that holds a model (it has no config.json)")
        if find_spec("transformers") is None or find_spec("torch") is None:
            raise ValueError("needs transformers and torch (pip install 'finetune-harness[local]')")
        return value

    @property
    def metrics(self) -> tuple[str, ...]:
        """`embedding`."""
        return ("embedding",)

    @cached_property
    def signature(self) -> str:
        """The model by its content, the pooling and the scale."""
        folder = Path(self.model).expanduser()
        return (
            f"embedding|model:{folder.resolve().name}@{_digest(folder)[:12]}|pool:{self.pooling}|scale:max0(cosine)"
            f"|ref:{self.reference}|agg:max|v:{_VERSION}"
        )

    def binary(self, metric: str) -> bool:
        """Always false."""
        return False

    def score(self, item: Item, output: str) -> tuple[Score, ...]:
        """Similarity of `output` to the closest reference."""
        texts = references(item, self.reference)
        if not texts:
            return (Score("embedding", None, note=f"{self.reference} is missing or empty"),)
        if not output.strip():
            return (Score("embedding", 0.0),)
        digest = _digest(Path(self.model).expanduser())
        given = _vector(self.model, digest, self.pooling, output)
        closest = max(float(given @ _vector(self.model, digest, self.pooling, text)) for text in texts)
        return (Score("embedding", min(1.0, max(0.0, closest)), output),)


def _digest(folder: Path) -> str:
    """SHA-256 over the files that decide what the model computes."""
    files = sorted(path for path in folder.iterdir() if path.suffix in _MODEL_FILES and path.is_file())
    return digest_json({path.name: _file_digest(path, *_state(path)) for path in files})


def _state(path: Path) -> tuple[int, ...]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


@lru_cache(maxsize=1024)
def _file_digest(path: Path, *state: int) -> str:
    return digest_file(path)


@cache
def _loaded(model: str, digest: str) -> tuple[Any, Any]:
    import torch
    from transformers import AutoModel, AutoTokenizer

    folder = str(Path(model).expanduser())
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    # In full precision, so that the number does not depend on what the processor does with half.
    return tokenizer, AutoModel.from_pretrained(folder, local_files_only=True, dtype=torch.float32).eval()


# The same references come back for every candidate and repeat.
@lru_cache(maxsize=16_384)
def _vector(model: str, digest: str, pooling: Literal["mean", "cls"], text: str) -> Any:
    """The text's vector, of length one."""
    import torch

    tokenizer, network = _loaded(model, digest)
    limit = min(tokenizer.model_max_length, getattr(network.config, "max_position_embeddings", 512))
    inputs = tokenizer(text, return_tensors="pt", truncation=True, max_length=limit)
    with torch.inference_mode():
        states = network(**inputs).last_hidden_state[0]
    vector = states[0] if pooling == "cls" else states.mean(dim=0)
    return torch.nn.functional.normalize(vector, dim=0).numpy()
