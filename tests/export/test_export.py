"""`harness export` on the demo's models: a good merge is registered, a bad one is refused with its flips."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

from harness.engines import transformers as engine
from harness.export import merging
from tests.export import planting
from tests.export.conftest import EXPORT, MODELS, NAME, WORKSPACE, Yard
from tests.export.planting import Plant


def test_a_healthy_merge_is_good_and_is_a_candidate(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, err = yard.export()
    assert code == 0, err
    assert "verdict    good" in out
    assert (yard.folder / "harness.yaml").read_text(encoding="utf-8").startswith(WORKSPACE)
    record = yard.record()
    assert (record["schema"], record["to"], record["dtype"]) == (1, "merged16", "bfloat16")
    assert record["parent"]["adapter"] == f"../../{NAME}"
    parity = record["parity"]
    assert (parity["verdict"], parity["engine"], parity["limit"]) == ("good", "transformers", 32)
    assert [task["n"] for task in parity["tasks"]] == [32, 32, 32]
    assert sorted(path.name for path in (yard.folder / "exports").iterdir()) == [EXPORT]

    code, out, err = yard("compare", "base", EXPORT, "--suite", "medical", "--limit", "32", "--engine", "transformers")
    assert code == 0, err
    assert f"base → {EXPORT}" in out

    # Made again it is the same model, and every answer comes from the store.
    def closed(*_: object) -> None:
        raise AssertionError("an engine was started")

    monkeypatch.setattr(engine.TransformersEngine, "__init__", closed)
    code, _, err = yard.export("--replace")
    assert code == 0, err
    assert yard.record()["digest"] == record["digest"]
    assert yard.record()["parity"] == parity


def test_what_serving_needs_lies_beside_the_weights(yard: Yard) -> None:
    """The adapter's own chat template and end token go with the weights; the base's other files too."""
    shutil.copytree(MODELS / "base", yard.folder / "other")
    (yard.folder / "other" / "vocab.json").write_text("{}", encoding="utf-8")
    (yard.folder / NAME / "chat_template.jinja").write_text("{{ messages[0]['content'] }}", encoding="utf-8")
    (yard.folder / NAME / "tokenizer_config.json").write_text('{"eos_token": "<|endoftext|>"}', encoding="utf-8")
    code, _, err = yard.export("--base", "other")
    assert code == 0, err
    assert {path.name for path in yard.place.iterdir()} == {
        "config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
        "vocab.json", "chat_template.jinja", "export.json",
    }  # fmt: skip
    assert (yard.place / "tokenizer.json").read_bytes() == (MODELS / "base" / "tokenizer.json").read_bytes()
    assert (yard.place / "chat_template.jinja").read_text(encoding="utf-8") == "{{ messages[0]['content'] }}"
    assert yard.record()["parity"]["verdict"] == "good"


def test_an_adapter_of_the_output_layer_gets_a_matrix_of_its_own(yard: Yard) -> None:
    """Tied to the embedding, both would change: PEFT warns of it, and the model answers otherwise."""
    import peft
    import torch
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_pretrained(MODELS / "base", dtype=torch.float32)
    config = peft.LoraConfig(r=4, task_type="CAUSAL_LM", target_modules=["q_proj", "lm_head"])
    wrapped = peft.get_peft_model(model, config)
    for parameter in (p for p in wrapped.parameters() if p.requires_grad):
        parameter.data += torch.randn_like(parameter) * 0.05
    wrapped.save_pretrained(yard.folder / "head")
    code, out, err = yard.export("--base", "base", candidate="head")
    assert code == 0, out + err
    merged = AutoModelForCausalLM.from_pretrained(yard.folder / "exports" / "head-merged16")
    assert merged.config.tie_word_embeddings is False
    assert not torch.equal(merged.lm_head.weight, merged.model.embed_tokens.weight)


@pytest.mark.parametrize("plant", [planting.without_adapter, planting.merged_twice])
def test_a_merge_that_goes_wrong_is_refused_with_its_flips(
    yard: Yard, monkeypatch: pytest.MonkeyPatch, plant: Plant
) -> None:
    """The fault is in the weights as they are written, as a broken library leaves them."""
    healthy = merging.merge

    def broken(*arguments: object) -> None:
        healthy(*arguments)  # type: ignore[arg-type]
        plant(arguments[2])  # type: ignore[arg-type]

    monkeypatch.setattr(merging, "merge", broken)
    code, out, err = yard.export()
    assert code == 1, err
    told = " ".join(out.split())
    assert "verdict drifted: do not deploy it" in told
    assert "lost medical-qa/" in told
    assert "to do check that the base" in told
    assert not yard.registered
    parity = yard.record()["parity"]
    assert parity["verdict"] == "drifted"
    assert any("nat/token" in reason for reason in parity["reasons"])
    assert any(task["lost"] for task in parity["tasks"])
    # Whoever uses the folder all the same is told, before anything is asked.
    _, out, err = yard("compare", "base", f"exports/{EXPORT}", "--suite", "medical", "--limit", "8")
    assert "merge-parity: failed: it was found to drift" in out + err


def test_what_broke_off_before_the_verdict_goes_on(exported: Yard) -> None:
    """A record without a verdict is an export that nobody judged: it is asked, and not made again."""
    file = exported.place / "export.json"
    whole = exported.record()
    file.write_text(json.dumps(whole | {"parity": None}), encoding="utf-8")
    code, _, err = exported.export()
    assert code == 0, err
    assert "merging" not in err
    whole["parity"].pop("comparison")  # it names runs by their folders, and this one was moved
    again = exported.record()
    again["parity"].pop("comparison")
    assert again == whole


def test_a_place_that_is_taken_is_left_alone(exported: Yard) -> None:
    before = (exported.place / "export.json").read_bytes()
    code, _, err = exported.export()
    assert (code, "exists already" in err, "--replace" in err) == (2, True, True)
    assert (exported.place / "export.json").read_bytes() == before
    # Somebody's own folder is never removed, whatever is asked for.
    code, _, err = exported.export("--output", NAME, "--replace")
    assert (code, "is no export" in err or "would be overwritten" in err) == (2, True)
    assert (exported.folder / NAME / "adapter_config.json").is_file()


def test_another_entry_of_that_name_is_left_alone(yard: Yard) -> None:
    text = WORKSPACE + f"  {EXPORT}:\n    model: {MODELS / 'base'}\n"
    (yard.folder / "harness.yaml").write_text(text, encoding="utf-8")
    code, _, err = yard.export()
    assert (code, f"candidates.{EXPORT}" in err) == (2, True)
    assert not (yard.folder / "exports").exists()


def test_a_disk_that_is_full_leaves_nothing(exported: Yard) -> None:
    """The limit on file sizes stops the weights half-way; the earlier export stays as it was."""
    before = exported.files()
    command = (
        f"trap '' XFSZ; ulimit -f 1000; exec \"{sys.executable}\" -m harness export {NAME} --to merged16 --replace "
        "--engine transformers --limit 8"
    )
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=dict(os.environ), check=False)
    assert done.returncode == 2, done.stderr
    assert "cannot be written (File too large)" in done.stderr
    assert "Traceback" not in done.stderr
    assert exported.files() == before
    assert exported.record()["parity"]["verdict"] == "good"


@pytest.mark.parametrize(
    ("candidate", "to", "said"),
    [
        ("base", "merged16", "has no adapter: there is nothing to merge"),
        ("replay:answers.jsonl", "merged16", "is a recording"),
        ("lora_model_medicl", "merged16", "Did you mean 'lora_model_medical'?"),
        (NAME, "merged61", "unknown target 'merged61'. Did you mean 'merged16'"),
        (NAME, "merged4", "made on a GPU"),
    ],
)
def test_bad_input_is_named_before_anything_is_made(yard: Yard, candidate: str, to: str, said: str) -> None:
    (yard.folder / "answers.jsonl").write_text('{"item_id": "a", "output": "b"}\n', encoding="utf-8")
    code, _, err = yard.export(candidate=candidate, to=to)
    assert code == 2
    assert said in err
    assert not (yard.folder / "exports").exists()


def test_an_adapter_that_cannot_be_merged_or_served_is_refused(yard: Yard) -> None:
    config = yard.folder / NAME / "adapter_config.json"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace('"use_dora": false', '"use_dora": true'), encoding="utf-8")
    code, _, err = yard("export", NAME, "--to", "merged16", "--engine", "vllm")
    assert (code, "it uses DoRA" in err) == (2, True)
    config.write_text(text.replace('"LORA"', '"PREFIX_TUNING"'), encoding="utf-8")
    code, _, err = yard.export()
    assert (code, "virtual tokens" in err) == (2, True)
    config.write_text(text, encoding="utf-8")
    shutil.copytree(MODELS / "base", yard.folder / "packed")
    packed = yard.folder / "packed" / "config.json"
    packed.write_text(
        packed.read_text(encoding="utf-8").replace("{", '{"quantization_config": {},', 1), encoding="utf-8"
    )
    code, _, err = yard.export("--base", "packed")
    assert (code, "quantised checkpoint" in err) == (2, True)
    assert not (yard.folder / "exports").exists()


@pytest.mark.vllm
@pytest.mark.slow
def test_vllm_answers_with_the_merged_model(yard: Yard) -> None:
    code, out, err = yard("export", NAME, "--to", "merged16", "--engine", "vllm", "--limit", "16")
    assert code == 0, out + err
    assert yard.record()["parity"]["engine"] == "vllm"


def test_json_is_the_record(exported: Yard) -> None:
    code, out, err = exported.export("--replace", "--json", "-")
    assert code == 0, err
    assert json.loads(out) == exported.record()
