from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from harness.train.config import SftConfig
from tests.train.conftest import Yard


def config(**settings: Any) -> SftConfig:
    return SftConfig.model_validate({"name": "mine", "base": "base", "data": {"a": "a.jsonl"}, **settings})


def test_what_notebooks_call_things_is_understood() -> None:
    made = config(
        max_seq_length=2048, load_in_4bit=True, r=16, lora_alpha=32, lora_dropout=0.05, use_rslora=True,
        use_gradient_checkpointing=True, per_device_train_batch_size=2, gradient_accumulation_steps=4, warmup_steps=5,
        max_steps=60, learning_rate=2e-4, logging_steps=1, optim="adamw_8bit", weight_decay=0.01,
        lr_scheduler_type="linear", seed=3407,
    )  # fmt: skip
    assert (made.lora_alpha, made.gradient_checkpointing, made.effective_batch) == (32, True, 8)
    short = config(alpha=8, dropout=0.1, gradient_checkpointing=True)
    assert (short.lora_alpha, short.lora_dropout, short.gradient_checkpointing) == (8, 0.1, True)
    assert config().seed == 3407


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"max_steps": 60, "num_train_epochs": 3}, "max_steps or num_train_epochs, not both"),
        ({"mix": {"b": 1}}, "there is no source 'b'"),
        ({"mix": {"a": 0}}, "every share is 0"),
        ({"mix": {"a": -1}}, "is negative"),
        ({"name": "a/b"}, "cannot name a candidate"),
        ({"use_rslora": True, "method": "ia3"}, "use_rslora"),
        ({"data": {}}, "at least 1 item"),
    ],
)
def test_what_cannot_be_is_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        config(**settings)


def test_a_fault_is_named_with_file_and_key(yard: Yard) -> None:
    code, _, err = yard("train", "sft", yard.config(max_step=3))
    assert code == 2
    assert "mine.yaml" in err
    assert "Did you mean 'max_steps'" in err
    code, _, err = yard("train", "sft", yard.config(num_train_epochs=1))
    assert code == 2
    assert "not both" in err
    code, _, err = yard("train", "sft", "absent.yaml")
    assert (code, "absent.yaml: there is no such file" in err) == (2, True)
    code, _, err = yard("train", "sft", ".")
    assert (code, "is a folder" in err) == (2, True)
    assert not (yard.folder / "candidates").exists()
