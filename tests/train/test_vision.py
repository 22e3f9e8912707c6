"""Learning from pictures, for real, on a tiny Qwen2.5-VL: from a spreadsheet to a candidate that sees."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from harness import api
from harness.candidates.lineage import read_lineage
from harness.train.config import VisionConfig
from harness.train.methods import vision_targets
from tests.engines.vision.tiny import ONE, draw, make_base
from tests.train.conftest import Yard

SETTINGS = {
    "data": {"colours": "sheet.xlsx"},
    "r": 8,
    "alpha": 16,
    "learning_rate": 5e-3,
    "per_device_train_batch_size": 8,
    "max_seq_length": 256,
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Calls red green and green red."""
    return make_base(tmp_path_factory.mktemp("vision") / "base")


@pytest.fixture
def sight(yard: Yard, model: Path) -> Yard:
    sheet = openpyxl.Workbook()
    rows: list[list[Any]] = [["id", "prompt", "image", "response"]]
    for number, shown in enumerate(ONE):
        rows.append([number, shown.question, f"pics/{draw(yard.folder / 'pics', *shown.pictures[0])}", shown.answer])
    for row in rows:
        sheet.active.append(row)
    sheet.save(yard.folder / "sheet.xlsx")
    (yard.folder / "harness.yaml").write_text(f"candidates:\n  base: {{model: {model}}}\n", encoding="utf-8")
    return yard


def test_a_candidate_that_sees_better_than_its_base(sight: Yard) -> None:
    code, out, err = sight("train", "vision", sight.config(**SETTINGS, max_steps=80))
    assert code == 0, err
    assert "masked: '<|im_start|>system" in out
    assert "<|vision_start|><|image_pad|><|vision_end|>which colours?" in out
    lineage = read_lineage(sight.folder / "candidates" / "mine")
    assert lineage is not None
    assert (lineage.kind, lineage.examples) == ("vision", len(ONE))
    assert lineage.tokens > 16 * 24  # pictures are counted in full

    assert sight("goldset", "import", "sheet.xlsx", "--as", "colours")[0] == 0
    (sight.folder / "see.yaml").write_text(
        "name: see\ntasks:\n  - {name: colours, role: target, goldset: goldsets/colours.jsonl, prompt: '{question}', "
        "generation: {max_tokens: 8}, scorers: [exact], primary: exact, margin: 0.05}\n",
        encoding="utf-8",
    )
    outcome = api.compare(api.Request(references=("base", "mine"), suite="see.yaml"))
    (result,) = outcome.comparison.comparisons[0].results
    assert (result.candidate, result.verdict) == (1.0, "improved")
    assert result.base is not None
    assert result.base < 0.5


def test_text_may_be_mixed_in(sight: Yard) -> None:
    """General questions without pictures hold what the model knew: they share batches with pictures."""
    sight.write("text.jsonl", [{"question": "say red", "answer": "red"}, {"question": "say blue", "answer": "blue"}])
    config = sight.config(
        **SETTINGS | {"data": {"colours": "sheet.xlsx", "general": "text.jsonl"}, "mix": {"colours": 2, "general": 1}}
    )
    code, out, err = sight("train", "vision", config)
    assert code == 0, err
    assert "general  2     none      2         8 (4.0 passes)" in out


def names(**switches: bool) -> set[str]:
    """Modules of the tiny model that the switches choose."""
    pattern = vision_targets(VisionConfig.model_validate({"name": "x", "base": "b", "data": {"a": "a"}, **switches}))
    modules = [
        *(f"model.language_model.layers.0.self_attn.{name}_proj" for name in "qkvo"),
        *(f"model.language_model.layers.1.mlp.{name}_proj" for name in ("gate", "up", "down")),
        *(f"model.visual.blocks.0.attn.{name}" for name in ("qkv", "proj")),
        *(f"model.visual.blocks.1.mlp.{name}_proj" for name in ("gate", "up", "down")),
        "model.visual.merger.mlp.0", "model.visual.patch_embed.proj", "lm_head",
    ]  # fmt: skip
    return {name for name in modules if re.fullmatch(pattern, name)}


def test_the_four_switches(sight: Yard) -> None:
    language = {n for n in names() if "language_model" in n}
    assert names() == language
    assert len(language) == 7
    seeing = names(finetune_vision_layers=True, finetune_language_layers=False)
    assert len(seeing) == 5
    assert all("visual.blocks" in name for name in seeing)
    assert all("mlp" in name for name in names(finetune_attention_modules=False))
    assert all("attn" in name for name in names(finetune_vision_layers=True, finetune_mlp_modules=False))
    code, _, err = sight(
        "train", "vision", sight.config(**SETTINGS, finetune_vision_layers=True, finetune_language_layers=False)
    )
    assert code == 0, err
    weights = sight.folder / "candidates" / "mine" / "adapter_model.safetensors"
    from safetensors import safe_open

    with safe_open(str(weights), "pt") as opened:  # type: ignore[no-untyped-call]
        assert all("visual.blocks" in key for key in opened.keys())  # noqa: SIM118


def test_what_vllm_would_leave_out_is_said_before(sight: Yard) -> None:
    code, out, _ = sight("train", "vision", sight.config(**SETTINGS, finetune_vision_layers=True), "--dry-run")
    assert code == 0
    assert "vLLM leaves adapters of the picture half out" in out
    code, out, _ = sight("train", "vision", sight.config(**SETTINGS), "--dry-run")
    assert "vLLM leaves" not in out


def test_bad_input(sight: Yard) -> None:
    code, _, err = sight("train", "sft", sight.config(data={"colours": "sheet.xlsx"}))
    assert (code, "names pictures (column 'image')" in err) == (2, True), err
    code, _, err = sight(
        "train", "vision", sight.config(**SETTINGS, finetune_language_layers=False, finetune_vision_layers=False)
    )
    assert (code, "nothing would learn" in err) == (2, True)
    code, _, err = sight("train", "vision", sight.config(**SETTINGS, method="loha"))
    assert (code, "lora or dora" in err) == (2, True)
    (sight.folder / "pics" / draw(sight.folder / "pics", *ONE[3].pictures[0])).write_bytes(b"no picture")
    code, _, err = sight("train", "vision", sight.config(**SETTINGS))
    assert (code, "is not an image" in err, "sheet.xlsx" in err) == (2, True, True)


def test_a_text_model_is_refused(yard: Yard) -> None:
    code, _, err = yard("train", "vision", yard.config())
    assert (code, "is no vision model" in err) == (2, True)
