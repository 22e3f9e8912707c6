"""The pixels of a picture, the same for every engine."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from harness.digest import digest_bytes
from harness.errors import InputError
from harness.gold.images import FORMATS, ImageFile

if TYPE_CHECKING:
    from PIL.Image import Image


def read_picture(image: ImageFile) -> Image:
    """Decode a picture to RGB, upright.

    The file is read once and must still be the one that the plan saw: an answer about other bytes would be stored
    under the wrong key. Phones write sideways photographs with a note to turn them (EXIF), which is followed.
    Transparent parts become white, as a viewer shows them. Of 16-bit greyscale the upper 8 bits are kept, where Pillow
    alone would turn nearly everything white.

    Raises:
        InputError: the file is gone, was edited or cannot be decoded.
    """
    from PIL import Image, ImageOps

    try:
        data = image.path.read_bytes()
    except OSError as error:
        raise InputError(f"the picture cannot be read ({error.strerror or error})", where=str(image.path)) from None
    if digest_bytes(data) != image.digest:
        raise InputError(
            "the picture was changed while this was running", where=str(image.path), remedy="Run the command again."
        )
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
            upright = ImageOps.exif_transpose(opened)
            if upright.mode.startswith("I;16"):
                upright = upright.point(lambda value: value / 256).convert("L")
            if upright.has_transparency_data:
                upright = upright.convert("RGBA")
                white = Image.new("RGBA", upright.size, "white")
                upright = Image.alpha_composite(white, upright)
            return upright.convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"the picture cannot be decoded ({error})", where=str(image.path)) from None
