"""What a vision model makes of a picture, read from its configuration alone: how many tokens, at which size.

A prompt is rendered and keyed with ONE placeholder token a picture; an engine puts as many in its place as the picture
has patches. Here that number is computed without loading a model, so that a plan knows which prompts fit.

Source: `smart_resize` and `Qwen2VLImageProcessor` of transformers (models/qwen2_vl/image_processing_qwen2_vl.py), which
vLLM uses too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.candidates.tokenizer import read_json
from harness.errors import InputError
from harness.gold.images import ImageFile

#: `model_type` of the models whose pictures are understood here.
FAMILIES = ("qwen2_vl", "qwen2_5_vl")

#: The files that decide a picture's pixels; part of a model's identity.
PROCESSOR_FILES = ("preprocessor_config.json", "processor_config.json")

#: The processor refuses pictures longer than this many times their width.
LONGEST_SIDE = 200

# What the processor does where its file says nothing.
_MIN_PIXELS, _MAX_PIXELS = 56 * 56, 28 * 28 * 1280
_PATCH, _MERGE = 14, 2


@dataclass(frozen=True, slots=True)
class Vision:
    """How a model sees.

    Attributes:
        token_id: the placeholder token, one in the prompt for each picture.
        side: pixels of a side of the square that one token stands for (patch size x merge size).
        min_pixels, max_pixels: area that a picture is scaled up or down to.
    """

    token_id: int
    side: int
    min_pixels: int
    max_pixels: int

    def size(self, image: ImageFile) -> tuple[int, int]:
        """Width and height in pixels that a picture is resized to: multiples of `side`, about the same proportions."""
        width, height = (round(length / self.side) * self.side for length in (image.width, image.height))
        if width * height > self.max_pixels:
            scale = math.sqrt(image.width * image.height / self.max_pixels)
            return self._floor(image.width / scale), self._floor(image.height / scale)
        if width * height < self.min_pixels:
            scale = math.sqrt(self.min_pixels / (image.width * image.height))
            return self._ceil(image.width * scale), self._ceil(image.height * scale)
        return width, height

    def tokens(self, image: ImageFile) -> int:
        """Tokens that a picture takes in the prompt."""
        width, height = self.size(image)
        return (width // self.side) * (height // self.side)

    def length(self, ids: Sequence[int], images: Sequence[ImageFile]) -> int:
        """Tokens of a prompt once every placeholder is as long as its picture."""
        return len(ids) + sum(self.tokens(image) - 1 for image in images)

    def fault(self, ids: Sequence[int], images: Sequence[ImageFile]) -> str | None:
        """Why a prompt cannot be asked with these pictures, or None."""
        places = sum(token == self.token_id for token in ids)
        if places != len(images):
            return f"the prompt has {places} places for pictures, and there are {len(images)}"
        for image in images:
            if max(image.width, image.height) > LONGEST_SIDE * min(image.width, image.height):
                return f"the picture {image.path.name} is {image.width}x{image.height}: too long for its width"
        return None

    def _floor(self, length: float) -> int:
        return max(self.side, math.floor(length / self.side) * self.side)

    def _ceil(self, length: float) -> int:
        return math.ceil(length / self.side) * self.side


def vision_of(model: Path, *, max_pixels: int | None = None) -> Vision | None:
    """How a model sees, or None for a text model and for vision models of a family that is not understood here.

    Args:
        max_pixels: scale pictures down to this area instead of what the processor's file says.

    Raises:
        InputError: the processor's file is missing or holds no numbers.
    """
    config = read_json(model / "config.json")
    if config.get("model_type") not in FAMILIES:
        return None
    where = model / PROCESSOR_FILES[0]
    processor = read_json(model / PROCESSOR_FILES[1]).get("image_processor") or read_json(where)
    if not processor:
        raise InputError(
            "is not there: a vision model needs it to read pictures",
            where=str(where),
            remedy="Save it beside the weights: processor.save_pretrained(…).",
        )
    size = processor.get("size") or {}
    patch = _number(processor, "patch_size", _PATCH, where)
    merge = _number(processor, "merge_size", _MERGE, where)
    return Vision(
        token_id=_number(config, "image_token_id", None, model / "config.json"),
        side=patch * merge,
        min_pixels=_number(processor, "min_pixels", size.get("shortest_edge", _MIN_PIXELS), where),
        max_pixels=max_pixels or _number(processor, "max_pixels", size.get("longest_edge", _MAX_PIXELS), where),
    )


def sees_otherwise(model: Path) -> bool:
    """Whether this is a vision model of a family that is not understood here."""
    config = read_json(model / "config.json")
    return "vision_config" in config and config.get("model_type") not in FAMILIES


def _number(content: dict[str, Any], key: str, default: Any, where: Path) -> int:
    found = content.get(key)
    found = default if found is None else found
    if not isinstance(found, int) or found < 1:
        raise InputError(f"{key!r} must be a whole number, not {found!r}", where=str(where))
    return found
