"""Images of a gold set: identity by content, and files that must be refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from harness.errors import InputError
from harness.gold.goldset import load_goldset
from harness.gold.images import open_image


def _picture(path: Path, colour: str = "red", size: tuple[int, int] = (64, 48)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.effect_noise(size, 60).convert("RGB").save(path) if colour == "noise" else Image.new(
        "RGB", size, colour
    ).save(path)


def _goldset(folder: Path, image: str) -> Path:
    file = folder / "meters.jsonl"
    file.write_text(json.dumps({"question": "读数是多少？", "answer": "528915", "images": [image]}) + "\n", "utf-8")
    return file


def test_another_picture_under_the_same_name_is_another_item(tmp_path: Path) -> None:
    file = _goldset(tmp_path, "img/1.png")
    _picture(tmp_path / "img/1.png", "red")
    red = load_goldset(file)
    _picture(tmp_path / "img/1.png", "blue")
    blue = load_goldset(file)
    assert red.digest != blue.digest
    assert red.items[0].image_files[0].width == 64


def test_the_same_picture_under_another_name_is_the_same_item(tmp_path: Path) -> None:
    _picture(tmp_path / "a.png")
    first = load_goldset(_goldset(tmp_path, "a.png")).items[0].digest
    (tmp_path / "a.png").rename(tmp_path / "b.png")
    assert load_goldset(_goldset(tmp_path, "b.png")).items[0].digest == first


@pytest.mark.parametrize("reference", ["../secret.png", "/etc/hostname", "..\\secret.png", "img/../../secret.png", "."])
def test_a_path_that_leaves_the_folder_is_refused(tmp_path: Path, reference: str) -> None:
    _picture(tmp_path / "secret.png")
    (tmp_path / "set").mkdir()
    with pytest.raises(InputError, match="leads out") as caught:
        load_goldset(_goldset(tmp_path / "set", reference))
    assert caught.value.where == f"{tmp_path / 'set' / 'meters.jsonl'}:1"


def test_a_link_that_leads_outside_is_refused(tmp_path: Path) -> None:
    _picture(tmp_path / "secret.png")
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "link.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(InputError, match="leads out"):
        open_image("link.png", tmp_path / "set", where="x")


def test_windows_separators_are_read(tmp_path: Path) -> None:
    _picture(tmp_path / "img" / "1.png")
    assert open_image("img\\1.png", tmp_path, where="x").path == (tmp_path / "img" / "1.png").resolve()


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
def test_a_truncated_image_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"cut.{suffix}"
    _picture(path, "noise", (400, 300))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match=r"damaged|not an image"):
        open_image(path.name, tmp_path, where="sheet.xlsx row 3")


def test_missing_empty_and_textual_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("not a picture")
    with pytest.raises(InputError, match=r"there is no image 'gone\.png'"):
        open_image("gone.png", tmp_path, where="x")
    for name in ("empty.png", "text.png"):
        with pytest.raises(InputError, match="is not an image"):
            open_image(name, tmp_path, where="x")


def test_a_hundred_megapixels_are_refused_without_decoding_them(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    Image.new("1", (10_000, 10_000)).save(path)
    with pytest.raises(InputError, match="10000x10000 pixels"):
        open_image("huge.png", tmp_path, where="x")
