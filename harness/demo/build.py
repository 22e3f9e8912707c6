"""Rebuild the demo from its seed: gold sets, base, LoRAs and the manifest.

`python -m harness.demo.build` writes the gold sets into `goldsets/` and the models into `harness/demo/models/`;
`--only` does one part. The same seed on the same processor and library versions gives the same bytes; elsewhere
floating-point sums differ in the last bits, and the figures by a point or so.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import re
import shutil
from pathlib import Path
from typing import Any

from harness.demo import corpus, figures, goldsets, manifest, tokenizer, training
from harness.demo.corpus import Recipe

SEED = 20261122
VOCABULARY = 2600
BASE_NAME = "base"
SHAPE = training.Shape()
LORA = training.Lora()

# Chosen on the dev split (`figures.dev`), never on a gold set.
PLANS: dict[Recipe, training.Schedule] = {
    "base": training.Schedule(steps=3000, batch=32, lr=3e-3, muon_lr=8e-3, weight_decay=0.1, prompt_weight=0.3),
    "lora_model_medical": training.Schedule(steps=300, batch=32, lr=3e-3, weight_decay=0.5),
    "lora_model_medical_mix": training.Schedule(steps=1000, batch=32, lr=3e-3, weight_decay=0.5),
}

log = logging.getLogger(__name__)


def build_base(folder: Path, device: str = "cpu") -> float:
    """Tokenizer and base, trained from scratch; the seconds that training took."""
    import torch

    plan = PLANS["base"]
    examples = corpus.examples("base", plan.steps * plan.batch, SEED)
    # The medical LoRAs keep this tokenizer, so it sees their text as well.
    texts = [*examples, *corpus.examples("lora_model_medical", len(examples) // 4, SEED)]
    special = re.compile("|".join(re.escape(token) for token in tokenizer.SPECIAL))
    pieces = (piece for example in texts for text, _ in example.segments for piece in special.split(text))
    learned = tokenizer.train(pieces, VOCABULARY)
    target = _emptied(folder / "base")
    model = training.new_base(learned, SHAPE, SEED)
    model.config.save_pretrained(target)
    tokenizer.save(learned, target)
    loaded = tokenizer.load(target)
    seconds = training.fit(model.to(device), loaded, examples, plan, SEED)
    model.to("cpu", torch.bfloat16).save_pretrained(target)
    return seconds


def build_lora(recipe: Recipe, folder: Path, plan: training.Schedule | None = None, device: str = "cpu") -> float:
    """A LoRA trained on the base as it lies on disk; the seconds that training took."""
    import torch

    plan = plan or PLANS[recipe]
    base, loaded = figures.load_model("base", folder)
    model = training.new_lora(base, LORA, SEED)
    examples = corpus.examples(recipe, plan.steps * plan.batch, SEED)
    seconds = training.fit(model.to(device), loaded, examples, plan, SEED)
    target = _emptied(folder / recipe)
    model.peft_config["default"].base_model_name_or_path = BASE_NAME
    model.to("cpu", torch.bfloat16).save_pretrained(target, save_embedding_layers=False)
    (target / "README.md").unlink(missing_ok=True)
    config = target / "adapter_config.json"
    content = json.loads(config.read_text(encoding="utf-8"))
    content["target_modules"] = sorted(content["target_modules"])  # a set: its order is that of the process
    config.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return seconds


def _emptied(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def settings() -> dict[str, Any]:
    """Everything that decides the models, for the manifest."""
    from dataclasses import asdict

    return {
        "seed": SEED,
        "vocabulary": VOCABULARY,
        "shape": asdict(SHAPE),
        "lora": asdict(LORA),
        "known_to_base": corpus.KNOWN_TO_BASE,
        "shares": {recipe: dict(shares) for recipe, shares in corpus.SHARES.items()},
        "training": {recipe: asdict(plan) for recipe, plan in PLANS.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=["goldsets", "base", "loras", "manifest"], action="append")
    parser.add_argument("--models", type=Path, default=figures.MODELS)
    parser.add_argument("--goldsets", type=Path, default=Path("goldsets"))
    arguments = parser.parse_args()
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    parts = arguments.only or ["goldsets", "base", "loras", "manifest"]
    if "goldsets" in parts:
        goldsets.write(arguments.goldsets)
    if parts == ["goldsets"]:
        return
    import torch

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    seconds: dict[str, float] = {}
    if "base" in parts:
        seconds["base"] = build_base(arguments.models)
    if "loras" in parts:
        for recipe in figures.RECIPES[1:]:
            seconds[recipe] = build_lora(recipe, arguments.models)
    for file in arguments.models.rglob("*.safetensors"):
        file.chmod(0o644)
    if "manifest" in parts:
        manifest.write(arguments.models, settings(), seconds)


if __name__ == "__main__":
    main()
