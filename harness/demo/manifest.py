"""What the demo's files are, how they were made and what they score (`manifest.json`)."""

from __future__ import annotations

import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from harness.demo import figures, goldsets
from harness.digest import digest_file

LIBRARIES = ("torch", "transformers", "peft", "tokenizers", "safetensors")


def path(models: Path) -> Path:
    """The manifest that belongs to a folder of models."""
    return models.parent / "manifest.json"


def files(models: Path) -> dict[str, dict[str, Any]]:
    """Digest and size of every file of the models."""
    found = sorted(file for file in models.rglob("*") if file.is_file())
    return {
        file.relative_to(models).as_posix(): {"sha256": digest_file(file), "bytes": file.stat().st_size}
        for file in found
    }


def write(models: Path, settings: dict[str, Any], seconds: dict[str, float]) -> None:
    """Measure the models as they lie on disk and write the manifest beside their folder.

    Training times of parts that were not rebuilt this time are kept from the manifest that is there.
    """
    target = path(models)
    before = json.loads(target.read_text(encoding="utf-8")) if target.exists() else {}
    sets, splits = figures.gold(), figures.dev()
    loaded = {recipe: figures.load_model(recipe, models) for recipe in figures.RECIPES}
    content: dict[str, Any] = {
        "schema": 1,
        "about": "Share of right answers of the models reloaded from disk: greedy, float32, CPU, chat template. "
        "Learning rates and steps were chosen on the dev split (other wordings, other numbers). The gold figures of an "
        "earlier recipe were looked at before training wordings were added and the dev split was renewed, so the gold "
        "figures are a little kind. Trained on one CPU thread.",
        "files": files(models),
        "settings": settings,
        "versions": {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}},
        "training_seconds": {**before.get("training_seconds", {}), **{k: round(v) for k, v in seconds.items()}},
        "goldsets": {name: goldsets.generate(name).card.digest for name in goldsets.NAMES},
        "gold_items": {name: len(asked.items) for name, asked in sets.items()},
        "gold": {recipe: figures.measure(*pair, sets) for recipe, pair in loaded.items()},
        "dev": {recipe: figures.measure(*pair, splits) for recipe, pair in loaded.items()},
    }
    target.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(figures.table(content["dev"]), figures.table(content["gold"]), sep="\n\n")
