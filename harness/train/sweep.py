"""Several trainings that differ in a few settings, each a candidate of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from harness.errors import InputError
from harness.train.config import TrainConfig


@dataclass(frozen=True)
class Point:
    """One training of a sweep. `settings` are those that vary, as they are shown."""

    config: TrainConfig
    settings: dict[str, str]


def grid(
    config: TrainConfig,
    *,
    mixes: Sequence[str] = (),
    ranks: Sequence[int] = (),
    rates: Sequence[float] = (),
) -> list[Point]:
    """Every combination of what is given; what is not given stays as the config has it.

    Args:
        mixes: shares in the order of the config's sources, such as `4:1`.
        ranks: of the adapter; `lora_alpha` keeps its ratio to the rank.
        rates: learning rates.

    Raises:
        InputError: nothing varies, something is given twice, or a mix does not fit the sources.
    """
    axes: list[list[tuple[str, str, dict[str, Any]]]] = []
    if mixes:
        axes.append([("mix", text, {"mix": _shares(text, config)}) for text in mixes])
    if ranks:
        scale = config.lora_alpha / config.r
        axes.append([("r", str(r), {"r": r, "lora_alpha": max(1, round(scale * r))}) for r in ranks])
    if rates:
        axes.append([("lr", f"{rate:g}", {"learning_rate": rate}) for rate in rates])
    if not axes:
        raise InputError("a sweep varies something", remedy="Give --mix 1:0,1:1, --r 8,16 or --lr 1e-4,2e-4.")
    points = []
    for chosen in product(*axes):
        settings = {name: text for name, text, _ in chosen}
        label = "-".join(f"{name}{text.replace(':', '_')}" for name, text in settings.items())
        changes: dict[str, Any] = {"name": f"{config.name}-{label}"}
        for _, _, change in chosen:
            changes |= change
        points.append(Point(config.changed(**changes), settings))
    names = [point.config.name for point in points]
    if len(set(names)) < len(names):
        raise InputError("a value is given twice", where="sweep")
    return points


def _shares(text: str, config: TrainConfig) -> dict[str, float]:
    parts = text.split(":")
    if len(parts) != len(config.data):
        raise InputError(
            f"{text!r} has {len(parts)} shares, the config has {len(config.data)} sources ({', '.join(config.data)})",
            where="--mix",
        )
    try:
        return {name: float(part) for name, part in zip(config.data, parts, strict=True)}
    except ValueError:
        raise InputError(f"{text!r} is no mix", where="--mix", remedy="Write numbers, such as 4:1.") from None
