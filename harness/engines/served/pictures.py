"""Pictures at a warm server: the prompt that was rendered here goes there as it is, with its pictures beside it.

vLLM's completion API takes token ids and no pictures, its chat API pictures and no token ids. But the chat API takes a
template with the request (`--trust-request-chat-template`), and a template may be a text without any places to fill in:
the prompt. The server says which token ids it made of it, so a prompt that came out otherwise is an error and never an
answer.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Sequence
from typing import Any

from harness.candidates.settings import EngineSettings
from harness.candidates.tokenizer import PromptTokenizer
from harness.candidates.vision import Vision
from harness.engines.endpoint.faults import Refused
from harness.engines.pictures import read_picture
from harness.errors import InputError
from harness.gold.images import ImageFile

#: Pictures in one prompt that `harness serve` starts a vision model for.
PICTURES = 4


def pictures_served(settings: EngineSettings) -> int:
    """Most pictures in one prompt at a server that was started with these settings."""
    limits = settings.arguments("vllm").get("limit_mm_per_prompt")
    return int(limits.get("image", PICTURES)) if isinstance(limits, dict) else PICTURES


def beside_pictures(ids: Sequence[int], images: Sequence[ImageFile], tokenizer: PromptTokenizer) -> dict[str, Any]:
    """The part of a chat request that is its prompt.

    Raises:
        Refused: a picture cannot be read any more.
    """
    try:
        parts = [{"type": "image_url", "image_url": {"url": _data_url(image)}} for image in images]
    except InputError as error:
        raise Refused(str(error)) from None
    return {
        "messages": [{"role": "user", "content": parts}],
        "chat_template": as_template(tokenizer.decode(list(ids), skip_special=False)),
        "add_generation_prompt": False,
        "add_special_tokens": False,
    }


def as_template(text: str) -> str:
    """A Jinja template that writes `text` and nothing else. Jinja reads a string as Python does, so JSON's will do."""
    return "{{ " + json.dumps(text) + " }}"


def check_prompt(made: Any, ids: Sequence[int], images: Sequence[ImageFile], vision: Vision) -> None:
    """Look whether the server asked what was meant.

    Args:
        made: token ids that the server says it made of the prompt; each picture at its full length.

    Raises:
        Refused: they are others.
    """
    lengths = iter([vision.tokens(image) for image in images])
    meant = [token for one in ids for token in [one] * (next(lengths) if one == vision.token_id else 1)]
    if made != meant:
        raise Refused("the server made other tokens of the prompt and its pictures than every engine here does")


def _data_url(image: ImageFile) -> str:
    """The pixels that the engines of this process see, without loss."""
    with io.BytesIO() as out:
        read_picture(image).save(out, "PNG", compress_level=1)
        return f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}"
