"""One bad picture in a copy of the gold set of a shipped suite: refused by name before anything is loaded."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.conftest import Bench, Result

ROOT = Path(__file__).parents[2]
BAD = 5  # line of the item whose picture is bad
NAME = "odo-easy-005"
PICTURE = f"odometer/{NAME}.jpg"


@pytest.fixture
def copied(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Eight panels of the gold set `odometer`, the embedded models, and no engine that could be started."""

    def started(*_: object) -> None:
        pytest.fail("an engine was started")

    monkeypatch.setattr("harness.runs.runner.open_engine", started)
    demo = ROOT / "harness" / "demo" / "models"
    names = {
        "base": {"model": str(demo / "base")},
        "lora": {"base": "base", "adapter": str(demo / "lora_model_medical")},
    }
    bench.write("harness.yaml", json.dumps({"candidates": names}))
    lines = (ROOT / "goldsets" / "odometer.jsonl").read_bytes().splitlines(keepends=True)[:8]
    file = bench.write("copy/odometer.jsonl", b"".join(lines))
    for line in lines:
        (picture,) = json.loads(line)["images"]
        (file.parent / picture).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / "goldsets" / picture, file.parent / picture)
    return file


def compare(bench: Bench, file: Path, *options: str) -> Result:
    return bench("compare", "base", "lora", "--suite", "odometer", "--goldset", f"odometer={file}", *options)


def refused(bench: Bench, file: Path, said: str, *options: str) -> None:
    """One line that names file, line, item and picture; nothing written, and no engine started."""
    before = bench.files()
    result = compare(bench, file, *options)
    assert (result.code, result.out) == (2, "")
    (line,) = [line for line in result.err.splitlines() if line.strip()]
    assert line.startswith(f"error: {file}:{BAD}, item {NAME!r}: "), line
    assert said in line
    assert bench.files() == before


def _truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def _emptied(path: Path) -> None:
    path.write_bytes(b"")


def _of_a_hundred_megapixels(path: Path) -> None:
    Image.new("1", (10_000, 10_000)).save(path, "PNG")


def _a_page(path: Path) -> None:
    path.write_text("<html>404 Not Found</html>")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (Path.unlink, f"there is no image {PICTURE!r}"),
        (_truncated, f"the image {PICTURE!r} is damaged"),
        (_emptied, f"{PICTURE!r} is not an image"),
        (_of_a_hundred_megapixels, f"the image {PICTURE!r} has 10000x10000 pixels, more than 50 million"),
        (_a_page, f"{PICTURE!r} is not an image"),
    ],
    ids=["missing", "truncated", "empty", "100 megapixels", "a web page"],
)
@pytest.mark.parametrize("options", [(), ("--limit", "1")], ids=["all", "limit"])
def test_one_bad_picture_among_good_ones(
    bench: Bench, copied: Path, spoil: Callable[[Path], None], said: str, options: tuple[str, ...]
) -> None:
    """Also where `--limit` would not have drawn it: what a gold set is does not depend on an option."""
    spoil(copied.parent / PICTURE)
    refused(bench, copied, said, *options)


@pytest.mark.parametrize("path", ["../secret.jpg", "odometer/../../secret.jpg", "..\\secret.jpg", "/etc/hostname"])
def test_a_path_that_climbs_out_of_the_folder(bench: Bench, copied: Path, path: str) -> None:
    shutil.copy(copied.parent / PICTURE, copied.parent.parent / "secret.jpg")
    items = [json.loads(line) for line in copied.read_text(encoding="utf-8").splitlines()]
    items[BAD - 1]["images"] = [path]
    copied.write_text("".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items), encoding="utf-8")
    refused(bench, copied, f"the image path {path!r} leads out of the gold set's folder")


def test_with_good_pictures_it_is_the_model_that_is_refused(bench: Bench, copied: Path) -> None:
    """So what the tests above see is the picture, and it is looked at first. The demo's base cannot see."""
    result = compare(bench, copied)
    assert result.code == 2
    assert "base is a text model, and task 'odometer' has pictures" in result.err


def test_a_bad_scan_in_a_folder_of_receipts_names_its_row(bench: Bench, copied: Path, shared_data: Path) -> None:
    folder = bench.folder / "receipts"
    folder.mkdir()
    for path in sorted((shared_data / "vision_receipts").glob("00[0-3].jp*g")):
        shutil.copy(path, folder)
        shutil.copy(path.with_suffix(".json"), folder)
    _truncated(folder / "002.jpg")
    before = bench.files()
    result = bench("compare", "base", "lora", "--suite", "receipt", "--goldset", f"receipt={folder}")
    assert (result.code, result.out) == (2, "")
    (line,) = [line for line in result.err.splitlines() if line.strip()]
    assert str(folder) in line
    assert "002.jpg' is damaged" in line
    assert bench.files() == before
