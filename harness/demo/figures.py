"""How well the demo models answer, on the dev split and on the gold sets, loaded from disk.

Run as `python -m harness.demo.figures` it loads the committed models and prints the table.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from harness.demo import arithmetic, goldsets, prompts
from harness.demo.corpus import Recipe
from harness.demo.facts import load
from harness.gold.item import Item
from harness.scorers.exact import Exact
from harness.scorers.number import Number

MODELS = Path(__file__).parent / "models"
RECIPES: tuple[Recipe, ...] = ("base", "lora_model_medical", "lora_model_medical_mix")
Table = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Asked:
    """Questions that are asked and scored alike."""

    family: Literal["qa", "arithmetic"]
    items: tuple[Item, ...]


def gold() -> dict[str, Asked]:
    """The gold sets, cut by difficulty: reported once, never used for choosing."""
    found: dict[str, Asked] = {}
    for name in goldsets.NAMES:
        items = goldsets.generate(name).items
        for tier in arithmetic.TIERS:
            kept = tuple(item for item in items if item.metadata["difficulty"] == tier)
            found[f"{name}/{tier}"] = Asked("arithmetic" if name == "arithmetic-mini" else "qa", kept)
    return found


@cache
def dev(each: int = 200) -> dict[str, Asked]:
    """Held-out wordings and numbers that are in no gold set: every setting is chosen on these."""
    rng = random.Random("harness-demo:dev")
    found: dict[str, Asked] = {}
    for subject in ("medical", "general"):
        pairs = [(relation, x) for relation in load(subject).relations for x in sorted(relation.facts)]
        found[f"{subject}/dev"] = Asked(
            "qa",
            tuple(
                Item(
                    id=f"{subject}-{number}",
                    question=relation.dev.replace("{x}", x),
                    answer=relation.facts[x],
                    metadata={"language": relation.language, "relation": relation.name},
                )
                for number, (relation, x) in enumerate(rng.sample(pairs, min(each, len(pairs))))
            ),
        )
    for tier in arithmetic.TIERS[:2]:
        found[f"arithmetic/dev-{tier}"] = Asked(
            "arithmetic",
            tuple(
                Item(
                    id=f"{tier}-{number}",
                    question=problem.question,
                    answer=(problem.solution,),
                    metadata={"language": problem.language, "kind": problem.kind},
                )
                for number, problem in enumerate(arithmetic.problems(tier, "dev", each // 2, rng))
            ),
        )
    return found


def load_model(recipe: Recipe, folder: Path = MODELS) -> tuple[Any, Any]:
    """A model and its tokenizer as everybody else would load them (float32 arithmetic)."""
    import torch
    from transformers import AutoModelForCausalLM

    from harness.demo import tokenizer as tokenizers

    model = AutoModelForCausalLM.from_pretrained(folder / "base", dtype=torch.float32)
    if recipe != "base":
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, str(folder / recipe))
    return model.eval(), tokenizers.load(folder / "base")


def answers(model: Any, tokenizer: Any, asked: Asked, batch: int = 100) -> list[str]:
    """Greedy answers, in the order of the items."""
    import torch

    rendered = [
        tokenizer.apply_chat_template(
            [{"role": "user", "content": prompts.suffixed(item.text, asked.family, item.language)}],
            tokenize=False,
            add_generation_prompt=True,
        )
        for item in asked.items
    ]
    order = sorted(range(len(rendered)), key=lambda i: len(rendered[i]))
    texts = [""] * len(rendered)
    for start in range(0, len(order), batch):
        rows = order[start : start + batch]
        encoded = tokenizer([rendered[i] for i in rows], return_tensors="pt", padding=True, padding_side="left")
        with torch.inference_mode():
            made = model.generate(
                **encoded.to(model.device), do_sample=False, max_new_tokens=24 if asked.family == "qa" else 96
            )
        for i, ids in zip(rows, made[:, encoded["input_ids"].shape[1] :], strict=True):
            texts[i] = tokenizer.decode(ids, skip_special_tokens=True)
    return texts


def right(asked: Asked, texts: Sequence[str]) -> list[bool]:
    """Which answers the suites' primary metric counts as right."""
    scorer = Exact() if asked.family == "qa" else Number()
    return [scorer.score(item, text)[0].value == 1.0 for item, text in zip(asked.items, texts, strict=True)]


def measure(model: Any, tokenizer: Any, sets: dict[str, Asked]) -> dict[str, float]:
    """Share of right answers on each set."""
    found = {}
    for name, asked in sets.items():
        hits = right(asked, answers(model, tokenizer, asked))
        found[name] = round(sum(hits) / len(hits), 4)
    return found


def table(figures: Table) -> str:
    """The figures as text: one row a set, one column a model, in per cent."""
    names = list(next(iter(figures.values())))
    lines = [f"{'':28}" + "".join(f"{recipe:>24}" for recipe in figures)]
    lines += [f"{name:28}" + "".join(f"{100 * row[name]:24.1f}" for row in figures.values()) for name in names]
    return "\n".join(lines)


def main() -> None:
    import torch

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, default=MODELS)
    parser.add_argument("--dev", action="store_true", help="the dev split instead of the gold sets")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    sets = dev() if arguments.dev else gold()
    print(table({recipe: measure(*load_model(recipe, arguments.models), sets) for recipe in RECIPES}))


if __name__ == "__main__":
    main()
