"""Pictures for a model of transformers: their pixels, their places in the prompt and the positions they take.

Source: Qwen2.5-VL in transformers (`Qwen2VLImageProcessor`, `Qwen2_5_VLModel.get_rope_index`); Qwen2-VL is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.candidates.vision import Vision
from harness.engines.pictures import read_picture
from harness.gold.images import ImageFile


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt as the model takes it.

    Attributes:
        ids: token ids, with as many placeholders for each picture as it has tokens.
        pixels: patches of all its pictures, float32 (patches, values); None without pictures.
        grids: patches of each picture, (pictures, 3): frames, rows, columns; None without pictures.
    """

    ids: tuple[int, ...]
    pixels: Any = None
    grids: Any = None


class Eyes:
    """Prepares prompts with pictures for Qwen2-VL and Qwen2.5-VL."""

    def __init__(self, model: Path, vision: Vision) -> None:
        from transformers import AutoImageProcessor

        self._vision = vision
        # The torchvision one, which vLLM uses too: Pillow's filter gives other pixels.
        self._processor = AutoImageProcessor.from_pretrained(str(model), local_files_only=True, backend="torchvision")

    def prompt(self, ids: Sequence[int], images: Sequence[ImageFile]) -> Prompt:
        """Read the pictures of a prompt and make room for each.

        Raises:
            InputError: a picture cannot be read any more.
        """
        found = self._processor(
            images=[read_picture(image) for image in images],
            return_tensors="pt",
            min_pixels=self._vision.min_pixels,
            max_pixels=self._vision.max_pixels,
        )
        grids = found["image_grid_thw"]
        lengths = iter((grids.prod(dim=1) // self._processor.merge_size**2).tolist())
        places = [(token,) * (next(lengths) if token == self._vision.token_id else 1) for token in ids]
        return Prompt(tuple(token for place in places for token in place), found["pixel_values"], grids)

    def look(self, model: Any, prompts: Sequence[Prompt], ids: Any, mask: Any) -> tuple[dict[str, Any], Any, Any]:
        """What a forward pass over left-padded prompts takes beside the ids.

        Args:
            model: the loaded `…ForConditionalGeneration`, without PEFT's wrapping.
            ids, mask: (rows, places).

        Returns:
            The pictures as keyword arguments; positions (3, rows, places): time, height, width; and how much less each
            row's positions count than its tokens do, (rows, 1): a picture takes as many positions as it is long or
            high, not as many as it has tokens.
        """
        import torch

        seen = [prompt for prompt in prompts if prompt.grids is not None]
        grids = torch.cat([prompt.grids for prompt in seen]).to(ids.device)
        pixels = torch.cat([prompt.pixels for prompt in seen]).to(ids.device)
        kinds = (ids == self._vision.token_id).int() * mask.int()
        positions, shift = model.model.get_rope_index(
            ids, mm_token_type_ids=kinds, image_grid_thw=grids, attention_mask=mask
        )
        return {"pixel_values": pixels, "image_grid_thw": grids}, positions, shift
