"""OpenCompass: `predictions/<model>/<data set>.json`, `{"0": {"origin_prompt": …, "prediction": …}}`.

Written by `GenInferencerOutputHandler` and `ChatOutputHandler` of
opencompass/openicl/icl_inferencer/icl_base_inferencer.py. The keys are positions and join nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.engines.recorded.record import Record
from harness.engines.recorded.shape import Shape
from harness.errors import InputError

_REMEDY = "Give a file from the folder predictions/ of an OpenCompass run with a generating inferencer."


class OpenCompassPredictions:
    """Generated texts."""

    name = "OpenCompass predictions"
    names_items = False

    def recognises(self, shape: Shape) -> bool:
        """True for an object of numbered objects with a prompt and a prediction."""
        return all(key.isdecimal() for key in shape.keys) and {"origin_prompt", "prediction"} <= shape.inner

    def read(self, path: Path) -> Iterator[Record]:
        """See `Reader.read`. Several predictions for one prompt become `repeat` 0, 1, …"""
        import ijson

        seen: set[str] = set()
        with path.open("rb") as file:
            try:
                for key, row in ijson.kvitems(file, "", use_float=True):
                    where = f"{path}: {key}"
                    if key in seen:
                        raise InputError("stands twice", where=where, remedy="Keep one of the two.")
                    seen.add(key)
                    yield from _records(row, path.stem, where)
            except (ijson.JSONError, UnicodeDecodeError) as error:
                raise InputError(
                    f"is not valid JSON after {len(seen)} answers ({error})", where=str(path), remedy=_REMEDY
                ) from None


def _records(row: Any, task: str, where: str) -> list[Record]:
    if isinstance(row, dict) and any(key.startswith("label: ") for key in row):
        raise InputError("was chosen by perplexity, not generated", where=where, remedy=_REMEDY)
    try:
        prompt, given = _prompt(row["origin_prompt"]), row["prediction"]
        texts = [given] if isinstance(given, str) else given
        if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
            raise TypeError("prediction")
    except (KeyError, TypeError, StopIteration) as error:
        raise InputError(f"is no prediction of OpenCompass ({error!r})", where=where, remedy=_REMEDY) from None
    return [Record(where, text, task=task, repeat=repeat, prompt=prompt) for repeat, text in enumerate(texts)]


def _prompt(value: Any) -> str:
    """A text, or turns of which the last person's counts; a conversation of several rounds has lists of them."""
    if isinstance(value, str):
        return value
    turns: list[Mapping[str, Any]] = value
    return str(next(turn["prompt"] for turn in reversed(turns) if turn["role"] in ("HUMAN", "user")))
