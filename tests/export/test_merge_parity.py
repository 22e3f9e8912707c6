"""The probe merge-parity through `harness candidates doctor`: merges spoiled on disk, and near-misses."""

from __future__ import annotations

import json

import pytest

from tests.export import planting
from tests.export.conftest import NAME, Yard
from tests.export.planting import Plant


def test_a_healthy_export_passes(exported: Yard) -> None:
    code, line = exported.doctor()
    assert code == 0
    assert line.startswith("merge-parity pass reference answers are 0.00")


@pytest.mark.parametrize(
    "plant",
    [
        planting.without_adapter,
        planting.merged_twice,
        planting.one_layer_shuffled,
        planting.one_matrix_not_merged,
        planting.no_numbers,
    ],
)
def test_a_spoiled_merge_is_found(exported: Yard, plant: Plant) -> None:
    plant(exported.place)
    code, line = exported.doctor()
    assert code == 1
    assert line.startswith("merge-parity failed")
    assert "Do not deploy it" in line


@pytest.mark.parametrize("plant", [planting.merged_in_float32, planting.rounded_again])
def test_rounding_alone_is_no_fault(exported: Yard, plant: Plant) -> None:
    plant(exported.place)
    code, line = exported.doctor()
    assert code == 0
    assert line.startswith("merge-parity pass")


def test_another_chat_template_is_found(exported: Yard) -> None:
    template = "{% for m in messages %}[{{ m['role'] }}]: {{ m['content'] }}\n{% endfor %}[assistant]: "
    (exported.place / "chat_template.jinja").write_text(template, encoding="utf-8")
    code, line = exported.doctor()
    assert code == 1
    assert "reach it as other tokens" in line


def test_lost_end_tokens_are_found(exported: Yard) -> None:
    for name in ("config.json", "generation_config.json", "tokenizer_config.json"):
        file = exported.place / name
        content = json.loads(file.read_text(encoding="utf-8"))
        content = {key: value for key, value in content.items() if key not in ("eos_token_id", "eos_token")}
        file.write_text(json.dumps(content | {"eos_token_id": 2}), encoding="utf-8")
    code, line = exported.doctor()
    assert code == 1
    assert "ends its answers at other tokens" in line


def test_an_adapter_trained_again_is_no_longer_its_parent(exported: Yard) -> None:
    config = exported.folder / NAME / "adapter_config.json"
    config.write_text(
        config.read_text(encoding="utf-8").replace('"lora_alpha": 16', '"lora_alpha": 8'), encoding="utf-8"
    )
    code, line = exported.doctor()
    assert code == 0
    assert line.startswith("merge-parity warning")
    assert "trained again since" in line


def test_without_its_adapter_nothing_can_be_measured(exported: Yard) -> None:
    (exported.folder / NAME).rename(exported.folder / "elsewhere")
    _, line = exported.doctor()
    assert line.startswith("merge-parity pass it was found to answer as")
    planting.merged_twice(exported.place)
    code, line = exported.doctor()
    assert code == 0
    assert line.startswith("merge-parity warning its files were changed since its export")


def test_a_candidate_that_is_no_export_is_skipped(exported: Yard) -> None:
    code, line = exported.doctor("base")
    assert code == 0
    assert line.startswith("merge-parity skipped")
