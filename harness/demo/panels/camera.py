"""Photographs a drawn panel: what a hand, a lens, the sun and a JPEG file do to it."""

from __future__ import annotations

import io
import math
import random

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from harness.demo.panels.panel import Camera

_WHITE = (255, 252, 240)


def take(picture: Image.Image, camera: Camera, seed: str) -> Image.Image:
    """The picture as the camera sees it, of the same size. The same arguments give the same pixels."""
    seen = _aimed(picture, camera)
    if camera.glare:
        seen = _glare(seen, camera)
    if camera.light != 1.0:
        seen = seen.point([round(value % 256 * camera.light) for value in range(256 * 3)])
    if camera.blur:
        seen = seen.filter(ImageFilter.GaussianBlur(camera.blur))
    if camera.shake:
        seen = _shaken(seen, camera.shake)
    return _noisy(seen, camera.noise, random.Random(seed)) if camera.noise else seen


def jpeg(picture: Image.Image, quality: int) -> bytes:
    """The bytes of a JPEG file."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality, optimize=True)
    return file.getvalue()


def _aimed(picture: Image.Image, camera: Camera) -> Image.Image:
    """Turned about its middle and leaning away, a little smaller so that nothing is cut off."""
    if not camera.turn and not camera.lean:
        return picture
    width, height = picture.size
    angle = math.radians(camera.turn)
    smaller = 1 / (1 + abs(math.sin(angle)) * 0.9)
    corners = []
    for x, y in ((0, 0), (width, 0), (width, height), (0, height)):
        dx = x - width / 2
        dy = (y - height / 2) * (1 - camera.lean * (x > 0))  # the right-hand side is further away
        turned = (dx * math.cos(angle) + dy * math.sin(angle), -dx * math.sin(angle) + dy * math.cos(angle))
        corners.append((width / 2 + turned[0] * smaller, height / 2 + turned[1] * smaller))
    original = ((0, 0), (width, 0), (width, height), (0, height))
    coefficients = _projection(corners, original)
    return picture.transform(
        picture.size, Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BICUBIC, fillcolor=(20, 20, 22)
    )


def _projection(seen: list[tuple[float, float]], original: tuple[tuple[int, int], ...]) -> list[float]:
    """The eight coefficients that Pillow wants: they take a point of the new picture to one of the old."""
    rows, wanted = [], []
    for (x, y), (u, v) in zip(seen, original, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        wanted += [u, v]
    return [float(c) for c in np.linalg.solve(np.array(rows, float), np.array(wanted, float))]


def _glare(picture: Image.Image, camera: Camera) -> Image.Image:
    width, height = picture.size
    x, y = camera.spot[0] * width, camera.spot[1] * height
    mask = Image.new("L", picture.size)
    draw = ImageDraw.Draw(mask)
    # A window reflected in the glass: a slanting band, and a brighter spot in it.
    strength = round(255 * camera.glare)
    draw.polygon([(x - 60, -10), (x + 10, -10), (x - 40, height + 10), (x - 110, height + 10)], fill=strength // 2)
    draw.ellipse((x - 55, y - 40, x + 55, y + 40), fill=strength)
    mask = mask.filter(ImageFilter.GaussianBlur(14))
    return Image.composite(Image.new("RGB", picture.size, _WHITE), picture, mask)


def _shaken(picture: Image.Image, length: int) -> Image.Image:
    """The mean of the picture at `length` places along a slanting line."""
    shifts = [ImageChops.offset(picture, step - length // 2, (step - length // 2) // 2) for step in range(length)]
    total = np.zeros((picture.height, picture.width, 3))
    for shifted in shifts:
        total += np.asarray(shifted)
    return Image.fromarray((total / length).round().astype(np.uint8))


def _noisy(picture: Image.Image, amplitude: int, rng: random.Random) -> Image.Image:
    pixels = np.asarray(picture).astype(np.int16)
    # Python's generator, because NumPy does not promise the same numbers in later versions.
    raw = np.frombuffer(rng.randbytes(pixels.shape[0] * pixels.shape[1] * 2), np.uint8).astype(np.int16)
    grain = (raw[0::2] + raw[1::2] - 255) * amplitude // 255
    return Image.fromarray(np.clip(pixels + grain.reshape(pixels.shape[:2])[:, :, None], 0, 255).astype(np.uint8))
