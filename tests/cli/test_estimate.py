from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.engines.gpu import Gpu
from harness.train.estimate.sizes import SIZES
from tests.cli.conftest import Bench

BASE = Path(__file__).resolve().parents[2] / "harness" / "demo" / "models" / "base"


@pytest.fixture(autouse=True)
def _no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.engines.gpu.visible_gpus", list)


def estimated(bench: Bench, *arguments: str) -> dict[str, Any]:
    result = bench("estimate", *arguments, "--json")
    assert result.code == 0, result.err
    content: dict[str, Any] = json.loads(result.out)
    return content


def parts(content: dict[str, Any], of: str = "training") -> dict[str, int]:
    return {part["name"]: part["bytes"] for part in content[of]}


def test_the_parts_stand_beside_the_rule_of_thumb(bench: Bench) -> None:
    result = bench("estimate", "7b", "--method", "full", "--no-fused-loss", "--batch", "2")
    assert result.code == 0
    for word in ("weights", "gradients", "optimiser", "activations", "loss", "KV cache", "rule of thumb", "± 25%"):
        assert word in result.out
    assert SIZES["7b"].source in result.out


def test_json_adds_up(bench: Bench) -> None:
    content = estimated(bench, "7b")
    assert content["schema"] == 1
    assert content["parameters"] == 7_615_616_512
    assert content["total"] == sum(parts(content).values())
    assert content["low"] < content["total"] < content["high"]
    assert content["serving_total"] == sum(parts(content, "serving").values())
    assert content["rule"]["loading"] == round(7_615_616_512 * 2 * 1.2)
    assert content["rule"]["training"] == [2 * content["rule"]["loading"], 3 * content["rule"]["loading"]]


def test_every_option_changes_what_it_should(bench: Bench) -> None:
    plain = parts(estimated(bench, "7b"))
    assert parts(estimated(bench, "7b", "--batch", "2"))["activations"] == 2 * plain["activations"]
    assert parts(estimated(bench, "7b", "--seq", "4096"))["activations"] == 2 * plain["activations"]
    assert parts(estimated(bench, "7b", "--r", "32"))["gradients"] == 2 * plain["gradients"]
    assert parts(estimated(bench, "7b", "--target-modules", "q_proj"))["adapter"] < plain["adapter"]
    assert parts(estimated(bench, "7b", "--target-modules", "all-linear"))["adapter"] == plain["adapter"]
    assert parts(estimated(bench, "7b", "--gradient-checkpointing"))["activations"] < plain["activations"] / 4
    assert parts(estimated(bench, "7b", "--optim", "adamw_8bit"))["optimiser"] < plain["optimiser"] / 3
    assert parts(estimated(bench, "7b", "--dtype", "float32"))["weights"] == 2 * plain["weights"]
    assert parts(estimated(bench, "7b", "--method", "qlora"))["weights"] < plain["weights"] / 2
    assert parts(estimated(bench, "7b", "--no-fused-loss"))["loss"] == 2048 * 152_064 * 12


def test_a_candidate_a_folder_its_config_and_an_adapter_are_one_model(bench: Bench) -> None:
    bench.write("harness.yaml", f"candidates:\n  mine:\n    model: {BASE}\n")
    adapter = BASE.parent / "lora_model_medical"
    for reference in ("mine", str(BASE), str(BASE / "config.json")):
        content = estimated(bench, reference)
        assert content["parameters"] == 1_121_408, reference
        assert content["stored"] == ({} if reference.endswith(".json") else {"BF16": 1_121_408})
    bench.write("harness.yaml", f"candidates:\n  mine:\n    model: {BASE}\n    adapter: {adapter}\n")
    assert estimated(bench, "mine")["parameters"] == 1_121_408


def test_a_folder_without_weights_will_do(bench: Bench) -> None:
    bench.write("bare/config.json", (BASE / "config.json").read_bytes())
    assert estimated(bench, "bare")["parameters"] == 1_121_408


def test_of_a_hub_only_the_config_is_fetched(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.write("cache/config.json", json.dumps(SIZES["3b"].config))
    asked: list[Any] = []

    def snapshot_download(name: str, **options: Any) -> str:
        asked.append((name, options["revision"], options["allow_patterns"]))
        return str(bench.folder / "cache")

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)
    assert estimated(bench, "hf:Qwen/Qwen2.5-3B@main")["parameters"] == 3_085_938_688
    assert asked == [("Qwen/Qwen2.5-3B", "main", ["config.json"])]


def test_cards_are_the_usual_ones_or_the_one_here_or_the_one_named(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = {card["gib"]: card["training"] for card in estimated(bench, "7b")["cards"]}
    assert list(usual) == [16, 24, 40, 48, 80, 141]
    assert usual[16] == "no"
    assert usual[80] == "yes"
    gpu = Gpu(index=0, uuid="GPU-1", name="Ours", total=24 << 30, free=20 << 30, capability=(8, 9))
    monkeypatch.setattr("harness.engines.gpu.visible_gpus", lambda: [gpu, gpu])
    assert [card["name"] for card in estimated(bench, "7b")["cards"]] == ["GPU 0: Ours"]
    named = estimated(bench, "7b", "--gpu-memory", "28")["cards"]
    assert [(card["gib"], card["training"], card["serving"]) for card in named] == [(28, "tight", "yes")]


def test_a_sequence_beyond_the_model_is_noted(bench: Bench) -> None:
    beyond = estimated(bench, str(BASE), "--seq", "513")["notes"]
    assert any("513 tokens are beyond the model's max_position_embeddings (512)" in note for note in beyond)
    within = estimated(bench, str(BASE), "--seq", "512")["notes"]
    assert not any("max_position_embeddings" in note for note in within)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["8b"], "no Qwen2.5 has the size '8b'"),
        (["nothing-here"], "there is no model 'nothing-here'"),
        (["mein"], "Did you mean 'mine'?"),
        (["Qwen/Qwen2.5-7B"], "hf:Qwen/Qwen2.5-7B"),
        (["replay:out.jsonl"], "is a recording"),
        (["empty"], "no config.json"),
        (["broken.json"], "broken.json: is not valid JSON"),
        (["short.json"], "short.json: the key 'hidden_size' is missing"),
        (["experts.json"], "model_type 'mixtral' is a mixture of experts whose shape is not understood"),
        (["7b", "--target-modules", "qproj"], "Did you mean 'q_proj'"),
        (["7b", "--target-modules", ","], "names no layer"),
        (["7b", "--seq", "0"], "--seq"),
        (["7b", "--batch", "-1"], "--batch"),
        (["7b", "--r", "-8"], "--r"),
        (["7b", "--gpu-memory", "-24"], "--gpu-memory"),
        (["7b", "--method", "sft"], "--method"),
    ],
)
def test_bad_input_says_what_and_exits_with_2(bench: Bench, arguments: list[str], says: str) -> None:
    bench.write("harness.yaml", f"candidates:\n  mine:\n    model: {BASE}\n")
    bench.write("out.jsonl", "")
    bench.write("empty/readme", "")
    bench.write("broken.json", "{")
    bench.write("short.json", '{"model_type": "qwen2", "vocab_size": 8}')
    bench.write("experts.json", '{"model_type": "mixtral", "num_local_experts": 8}')
    result = bench("estimate", *arguments)
    assert result.code == 2
    assert says in " ".join(result.err.split())
    assert result.out == ""


def test_torch_is_not_needed(tmp_path: Path) -> None:
    code = (
        "import sys; from harness.cli import main; code = main(['estimate', sys.argv[1]]); "
        "assert not {'torch', 'transformers', 'peft', 'safetensors'} & set(sys.modules); sys.exit(code)"
    )
    subprocess.run([sys.executable, "-c", code, str(BASE)], cwd=tmp_path, check=True, capture_output=True)
