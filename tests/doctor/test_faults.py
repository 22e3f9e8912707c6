"""Planted faults are found, and the finding says what it saw."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.candidates.adapter import AdapterFolder
from harness.candidates.candidate import ModelCandidate
from tests.doctor import planting, tiny
from tests.doctor.conftest import Clinic
from tests.engines.tiny import make_model

Train = Callable[..., Path]


# adapter-has-effect


def test_zero_b_matrices_are_found_in_the_file_and_in_the_answers(clinic: Clinic, good: Path, tmp_path: Path) -> None:
    planted = planting.plant_zero_b(good, tmp_path / "zero")
    assert clinic.before(planted)["adapter-has-effect"].status == "fail"
    found = clinic.after(planted)["adapter-has-effect"]
    assert found.status == "fail"
    assert "all 14 adapted layers are zero" in found.detail
    assert "no effect" in found.detail
    assert "48 of 48 answers are the same" in found.detail


def test_an_adapter_multiplied_by_zero(clinic: Clinic, good: Path, tmp_path: Path) -> None:
    planted = planting.plant_lora_alpha(good, tmp_path / "alpha", 0)
    assert clinic.before(planted)["adapter-has-effect"].status == "fail"


def test_an_effect_below_noise_is_found_by_log_probabilities(clinic: Clinic, good: Path, tmp_path: Path) -> None:
    planted = planting.plant_scaled_b(good, tmp_path / "nothing", 1e-9)
    assert clinic.before(planted)["adapter-has-effect"].status == "pass"
    assert clinic.after(planted)["adapter-has-effect"].status == "fail"


def test_nan_weights(clinic: Clinic, good: Path, tmp_path: Path) -> None:
    found = clinic.before(planting.plant_nan(good, tmp_path / "nan"))["adapter-has-effect"]
    assert found.status == "fail"
    assert "NaN" in found.detail


@pytest.mark.parametrize(("only", "status"), [(False, "warn"), (True, "fail")])
def test_a_vision_tower_under_a_text_model(clinic: Clinic, good: Path, tmp_path: Path, only: bool, status: str) -> None:
    planted = planting.plant_vision_tower(good, tmp_path / "vision", only=only)
    # `resolve` refuses such an adapter: it does not fit. The doctor says more.
    found = clinic.before(ModelCandidate("vision", clinic.base, AdapterFolder.open(planted)))["adapter-has-effect"]
    assert found.status == status
    assert "visual.blocks.0" in found.detail


def test_layers_that_peft_leaves_out(clinic: Clinic, good: Path, tmp_path: Path) -> None:
    planted = planting.plant_target_modules(good, tmp_path / "fewer", ["q_proj"])
    found = clinic.before(planted)["adapter-has-effect"]
    assert found.status == "warn"
    assert "12 of the adapter's 14 layers" in found.detail
    assert clinic.before(planted, engine="vllm")["adapter-has-effect"].status == "pass"


# base-match


def test_a_base_of_another_shape(clinic: Clinic, good: Path, tmp_path: Path) -> None:
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    other = tmp_path / "other"
    other.mkdir()
    tiny.make_tokenizer(other)
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=tiny.VOCABULARY, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2
    )
    Qwen2ForCausalLM(config).save_pretrained(other)
    found = clinic.before(ModelCandidate("good", other, AdapterFolder.open(good)))
    assert found["base-match"].status == "fail"
    assert "trained with 160 inputs, the base has 64" in found["base-match"].detail


def test_a_tokenizer_of_another_model(clinic: Clinic, tmp_path: Path) -> None:
    model = make_model(tmp_path / "small", vocab_size=300)
    tiny.make_tokenizer(model)
    assert clinic.before(ModelCandidate("small", model))["base-match"].status == "fail"


def test_tokens_with_other_ids(clinic: Clinic, good: Path, base: Path, tmp_path: Path) -> None:
    planted = planting.plant_moved_tokens(good, tmp_path / "moved", base)
    found = clinic.before(planted)
    assert found["base-match"].status == "fail"
    assert "another id" in found["base-match"].detail


@pytest.mark.parametrize(("id_", "status"), [(None, "warn"), (tiny.VOCABULARY + 5, "fail")])
def test_tokens_that_the_base_does_not_know(
    clinic: Clinic, good: Path, base: Path, tmp_path: Path, id_: int | None, status: str
) -> None:
    planted = planting.plant_added_token(good, tmp_path / "added", base, "<|think|>", id_=id_)
    found = clinic.before(planted)["base-match"]
    assert found.status == status
    assert "<|think|>" in found.detail


def test_another_quantisation_than_in_training(clinic: Clinic, good: Path, tmp_path: Path) -> None:
    planted = planting.plant_base_name(good, tmp_path / "named", "unsloth/base-unsloth-bnb-4bit")
    found = clinic.before(planted)["base-match"]
    assert found.status == "warn"
    assert "bitsandbytes" in found.detail
    assert "is not quantised" in found.detail
    assert "evaluated on 'base'" not in found.detail  # the name is the same but for the mark
    assert clinic.before(planted, quantization="bitsandbytes")["base-match"].status == "pass"


# template-match


def test_a_template_that_training_did_not_use(clinic: Clinic, good: Path, tmp_path: Path) -> None:
    planted = planting.plant_template(good, tmp_path / "template")
    before = clinic.before(planted)["template-match"]
    assert before.status == "warn"
    assert "[user]" in before.detail
    assert "<|im_start|>" in before.detail
    after = clinic.after(planted)["template-match"]
    assert after.status == "fail"
    assert "chat template of the base" in after.detail


def test_a_lora_trained_on_alpaca_and_asked_in_chat(clinic: Clinic, trained: Train) -> None:
    alpaca = trained("alpaca", form="alpaca", pairs=tiny.CURES, steps=120)
    found = clinic.after(alpaca)["template-match"]
    assert found.status == "warn"
    assert "alpaca" in found.remedy
    assert clinic.after(alpaca, prompt="alpaca")["template-match"].status == "pass"


def test_a_lora_trained_in_chat_and_asked_in_alpaca(clinic: Clinic, good: Path) -> None:
    found = clinic.after(good, prompt="alpaca")["template-match"]
    assert found.status == "warn"
    assert "prompt: chat" in found.remedy


def test_prompts_that_training_tokenised_otherwise(clinic: Clinic, good: Path, base: Path, tmp_path: Path) -> None:
    found = clinic.before(planting.plant_moved_tokens(good, tmp_path / "moved", base))["template-match"]
    assert found.status == "fail"
    assert "20 of 20 prompts" in found.detail


# eos-learned


@pytest.mark.parametrize(("turns", "said"), [(False, "cut at the token limit"), (True, "next turn")])
def test_an_adapter_that_never_learned_to_end(
    clinic: Clinic, good: Path, base: Path, tmp_path: Path, turns: bool, said: str
) -> None:
    packed = tiny.endless(base, [*tiny.CURES, *tiny.FACTS], turns=turns)
    found = clinic.after(planting.plant_no_eos(base, good, tmp_path / "endless", packed))["eos-learned"]
    assert found.status == "fail", found
    assert said in found.detail
    assert "end token" in found.remedy
