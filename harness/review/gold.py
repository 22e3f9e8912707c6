"""The gold side of a few items: the question as it was written, accepted answers and pictures."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from harness.errors import InputError
from harness.gold.goldset import load_goldset
from harness.gold.images import FORMATS, ImageFile
from harness.gold.item import Item
from harness.report.untrusted import LONGEST
from harness.review.pairs import PairedItem
from harness.runs.files import TaskRecord

#: Items of the largest gold set that is opened for its texts: it is read as a whole.
LARGEST = 100_000
#: Longer side of a picture on a page, in pixels.
PICTURE = 480
#: Pictures shown of one item.
MOST_PICTURES = 4


@dataclass(frozen=True, slots=True)
class GoldSide:
    """What the gold set says of an item.

    Attributes:
        pictures: small copies as `data:` addresses; nothing is fetched to show them.
    """

    question: str
    answer: tuple[str, ...]
    pictures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GoldSource:
    """Where gold sets are found.

    Attributes:
        folder: where names and relative paths are looked up.
        copies: gold set name -> local copy.
    """

    folder: Path
    copies: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, folder: Path, copies: Mapping[str, str]) -> GoldSource:
        return cls(folder, tuple(sorted(copies.items())))


def gold_of(task: TaskRecord, items: Sequence[PairedItem], source: GoldSource) -> dict[str, GoldSide]:
    """The gold side by item id; nothing of an item that was edited since, or whose gold set is gone."""
    if task.n > LARGEST:
        return {}
    for reference in (task.goldset, task.goldset_path):
        known = _items(reference, task.goldset_digest, source)
        found = {
            one.item_id: _side(known[one.item_id])
            for one in items
            if one.item_id in known and known[one.item_id].digest == one.item_digest
        }
        if found:
            return found
    return {}


@lru_cache(maxsize=8)
def _items(reference: str, digest: str, source: GoldSource) -> Mapping[str, Item]:
    """A gold set by id, read once for each digest that a run names."""
    if not reference:
        return {}
    try:
        return load_goldset(reference, folder=source.folder, overrides=dict(source.copies)).by_id
    except (InputError, OSError):
        return {}


def pictures_of(item: Item) -> tuple[str, ...]:
    """Small copies of an item's pictures as `data:` addresses; without those that are gone."""
    return tuple(small for file in item.image_files[:MOST_PICTURES] if (small := _picture(file)))


def _side(item: Item) -> GoldSide:
    return GoldSide(item.text[:LONGEST], tuple(text[:LONGEST] for text in item.answer), pictures_of(item))


@lru_cache(maxsize=64)
def _picture(file: ImageFile) -> str:
    """A small copy, drawn anew from the pixels; "" where the file has gone since the gold set was read.

    The gold set refuses paths that lead out of its folder when it is read.
    """
    from PIL import Image

    try:
        with Image.open(file.path, formats=FORMATS) as image:
            small = image.convert("RGB")
            small.thumbnail((PICTURE, PICTURE))
    except (OSError, SyntaxError, ValueError):
        return ""
    out = io.BytesIO()
    small.save(out, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(out.getvalue()).decode()}"
