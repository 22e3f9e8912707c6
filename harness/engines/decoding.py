"""Choosing the next token of every row of a batch, each from random numbers of its own."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.engines._shared import seed_of
from harness.engines.base import Request, Sampling


@dataclass(slots=True)
class Row:
    """One answer in the making."""

    request: Request
    ids: list[int] = field(default_factory=list)
    over: bool = False
    stop_ids: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        self.stop_ids = frozenset(self.request.sampling.stop_token_ids)


class Draw:
    """Chooses the next token of every row: greedy, or by inverting the distribution at the row's own uniform number."""

    def __init__(self, sampling: Sampling, rows: Sequence[Row], vocab_size: int, device: Any) -> None:
        self._sampling = sampling
        self._device = device
        self._seen: Any = None
        self._uniforms: dict[str, Iterator[float]] = {}
        if sampling.repetition_penalty != 1.0:
            import torch

            self._seen = torch.zeros(len(rows), vocab_size, dtype=torch.bool, device=device)
            for index, row in enumerate(rows):
                self._seen[index, torch.tensor(row.request.token_ids, device=device)] = True
        if sampling.temperature > 0.0:
            self._uniforms = {row.request.key: uniforms(seed_of(row.request)) for row in rows}

    def keep(self, index: Any) -> None:
        if self._seen is not None:
            self._seen = self._seen[index]

    def __call__(self, logits: Any, rows: Sequence[Row]) -> Any:
        """Token ids (rows,) for logits (rows, vocabulary)."""
        import torch

        with torch.inference_mode():
            tokens = self._choose(logits.float(), rows)
            if self._seen is not None:
                self._seen.scatter_(1, tokens[:, None], True)
        return tokens

    def _choose(self, logits: Any, rows: Sequence[Row]) -> Any:
        import torch

        sampling = self._sampling
        if self._seen is not None:
            seen = self._seen[:, : logits.shape[1]]
            penalty = sampling.repetition_penalty
            logits = torch.where(seen, torch.where(logits > 0, logits / penalty, logits * penalty), logits)
        if sampling.temperature == 0.0:
            return logits.argmax(dim=-1)
        logits = logits / sampling.temperature
        if 0 < sampling.top_k < logits.shape[1]:
            least = logits.topk(sampling.top_k, dim=-1).values[:, -1:]
            logits = logits.masked_fill(logits < least, -math.inf)
        if sampling.top_p < 1.0:
            ordered, order = logits.sort(dim=-1, descending=True)
            chances = ordered.softmax(dim=-1)
            cut = chances.cumsum(dim=-1) - chances >= sampling.top_p
            logits = logits.masked_fill(torch.zeros_like(cut).scatter(1, order, cut), -math.inf)
        # Double precision: a float32 sum over 150,000 tokens is off by more than rare tokens weigh.
        reached = logits.double().softmax(dim=-1).cumsum(dim=-1)
        uniform = torch.tensor([next(self._uniforms[row.request.key]) for row in rows], dtype=torch.float64)
        target = uniform.to(logits.device)[:, None] * reached[:, -1:]
        return torch.searchsorted(reached, target, right=True)[:, 0].clamp(max=logits.shape[1] - 1)


def uniforms(seed: int) -> Iterator[float]:
    """Uniform numbers in [0, 1) from a counter-based generator (Philox), the same on every machine."""
    import numpy as np

    generator = np.random.Generator(np.random.Philox(seed))
    return itertools.chain.from_iterable(iter(lambda: generator.random(64).tolist(), None))
