"""The shipped suites with pictures on the tiny vision model, through the command line, as a user runs them.

A second LoRA has learned by heart what the photographs show, so that it is right where the base, which learned them
wrong, is not. They are all asked about in the same words: what tells the answers apart is in the pictures.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from harness.answers.direct import conversation
from harness.candidates.prompt import prompt_format
from harness.cli import main
from harness.comparison.results import CandidateComparison, Comparison
from harness.gold.item import Item
from harness.runs.files import RunStore
from harness.runs.plan import LoadedTask, Options
from harness.runs.planning.tasks import load_tasks
from harness.runs.samples import Sample
from harness.suites.spec import load_suite
from tests.engines.vision.tiny import Lesson

#: Items of each task.
LIMIT = 6
PHOTOS = "odometer-photos"

_PUBLIC = Path(__file__).resolve().parents[4] / "shared" / "data"

#: suite -> the copies that it is given, as on the command line.
SUITES: Mapping[str, Mapping[str, str]] = {
    "odometer": {"odometer-photos": str(_PUBLIC / "vision_odometer")} if _PUBLIC.is_dir() else {},
    **({"receipt": {"receipt": str(_PUBLIC / "vision_receipts")}} if _PUBLIC.is_dir() else {}),
}


def seen(suite: str) -> list[LoadedTask]:
    """The tasks of a suite that have pictures, with the items that `--limit` draws."""
    tasks = load_tasks(load_suite(suite)[0], Path.cwd(), Options(limit=LIMIT, goldsets=SUITES[suite]))
    return [loaded for loaded in tasks if loaded.items[0].images]


def texts() -> list[str]:
    """What is asked and answered in the suite whose items are stored here, for the tokenizer."""
    (loaded, *_) = seen("odometer")
    return [text for item in loaded.goldset.items for text in (*_said(item, loaded), item.answer[0])]


def taught(model: Path, *, wrong: bool = False) -> list[Lesson]:
    """The photographs, which are all asked about in the same words, with their readings.

    Args:
        wrong: each with the reading of the next.
    """
    form = prompt_format("chat", folder=model, model=model, adapter=None)
    items = [(item, loaded) for loaded in seen("odometer") if loaded.task.name == PHOTOS for item in loaded.items]
    answers = [item.answer[0] for item, _ in items]
    if wrong:
        answers = [*answers[1:], *answers[:1]]
    return [
        Lesson(
            form.render(conversation(item, loaded.task), len(item.image_files)),
            tuple(image.path for image in item.image_files),
            answer,
        )
        for (item, loaded), answer in zip(items, answers, strict=True)
    ]


def misled(model: Path) -> list[Lesson]:
    """What the base learns: the right form, and the wrong readings."""
    return taught(model, wrong=True)


def _said(item: Item, loaded: LoadedTask) -> list[str]:
    return [turn.content for turn in conversation(item, loaded.task)]


@dataclass(frozen=True)
class Compared:
    """What one comparison left behind.

    Attributes:
        right: the candidate's answers, by task and item.
    """

    result: CandidateComparison
    engine: str
    right: Mapping[tuple[str, str], Sample]


@dataclass(frozen=True)
class Workplace:
    """A folder with a `harness.yaml` that names the base and the LoRA that can read."""

    folder: Path
    model: Path

    @classmethod
    def made(cls, folder: Path, model: Path, reader: Path) -> Workplace:
        folder.mkdir()
        content = {
            "candidates": {"base": {"model": str(model)}, "reader": {"base": "base", "adapter": str(reader)}},
            "engine": {"dtype": "float32"},
        }
        (folder / "harness.yaml").write_text(yaml.safe_dump(content))
        return cls(folder, model)

    def compare(self, engine: str) -> None:
        """`harness compare base reader`, on each suite."""
        for suite, copies in SUITES.items():
            given = [word for name, path in copies.items() for word in ("--goldset", f"{name}={path}")]
            options = ["--suite", suite, "--engine", engine, "--limit", str(LIMIT), *given]
            with contextlib.chdir(self.folder):
                code = main(["compare", "base", "reader", *options, "--json", f"{engine}-{suite}.json"])
            assert code == 0, (engine, suite, code)

    def compared(self, engine: str, suite: str) -> Compared:
        found = Comparison.model_validate_json((self.folder / f"{engine}-{suite}.json").read_text(encoding="utf-8"))
        (result,) = found.comparisons
        _, samples = RunStore(str(self.folder / "runs")).read_run(result.run_ids.candidate)
        return Compared(result, found.engine, {(sample.task, sample.item_id): sample for sample in samples})
