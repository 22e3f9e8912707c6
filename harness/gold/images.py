"""Image files of a gold set: found inside its folder, decoded once, and known by their content."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

from harness.digest import digest_file
from harness.errors import InputError

#: Larger pictures are refused: a model scales them down to a few megapixels, and decoding them can exhaust memory.
MAX_PIXELS = 50_000_000
#: A file that is larger holds something else: so many pixels take 400 MB at most without any compression.
MAX_BYTES = 1 << 29
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")


@dataclass(frozen=True, slots=True)
class ImageFile:
    """One image of an item. `digest` is the SHA-256 of the file's bytes; sizes are in pixels."""

    path: Path
    digest: str
    width: int
    height: int


def open_image(reference: str, folder: Path, *, where: str) -> ImageFile:
    """The image that `reference` names, inside `folder`, decoded in full to see that it is whole.

    Args:
        reference: a path relative to `folder`, as an item's `images` writes it.
        where: the place that names the image (file, row, column), for the error.

    Raises:
        InputError: the path leaves the folder (by `..`, an absolute path or a link), there is no such file, it is no
            image or a truncated one, or it has more than `MAX_PIXELS` pixels or `MAX_BYTES` bytes.
    """
    path = inside(reference, folder, where=where)
    if not path.is_file():
        raise InputError(f"there is no image {reference!r}", where=where, remedy=f"Put it at {path}.")
    if (size := path.stat().st_size) > MAX_BYTES:
        raise InputError(f"the image {reference!r} has {size >> 20:,} MiB, more than {MAX_BYTES >> 20}", where=where)
    width, height = _decode(path, reference, where)
    return ImageFile(path, digest_file(path), width, height)


def inside(reference: str, folder: Path, *, where: str) -> Path:
    """`folder / reference`, refused when it leaves the folder.

    Raises:
        InputError: the path climbs out, is absolute, or goes through a link that leads outside.
    """
    root = folder.resolve()
    # A backslash is a separator to the people who made the sheet on Windows.
    path = (root / reference.replace("\\", "/")).resolve()
    if not path.is_relative_to(root) or path == root:
        raise InputError(
            f"the image path {reference!r} leads out of the gold set's folder",
            where=where,
            remedy=f"Copy the image under {folder} and write its path from there.",
        )
    return path


def _decode(path: Path, reference: str, where: str) -> tuple[int, int]:
    from PIL import Image, UnidentifiedImageError

    try:
        with (
            warnings.catch_warnings(action="ignore", category=Image.DecompressionBombWarning),
            Image.open(path, formats=FORMATS) as image,
        ):
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise InputError(
                    f"the image {reference!r} has {width}x{height} pixels, more than {MAX_PIXELS // 1_000_000} million",
                    where=where,
                    remedy="Scale it down first.",
                )
            image.load()
    except Image.DecompressionBombError as error:
        raise InputError(f"the image {reference!r} is too large ({error})", where=where) from None
    except UnidentifiedImageError:
        raise InputError(
            f"{reference!r} is not an image", where=where, remedy=f"These are read: {', '.join(FORMATS)}."
        ) from None
    except (OSError, SyntaxError, ValueError) as error:  # Pillow's decoders raise all three for damaged files
        raise InputError(
            f"the image {reference!r} is damaged ({error})", where=where, remedy="Copy the file again."
        ) from None
    return width, height
