"""The estimate is held against the real thing: transformers' models, PEFT's adapters, torch's own tensors."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.errors import InputError
from harness.train.config import ATTENTION, MLP, TrainConfig
from harness.train.estimate.activations import activation_bytes, block_bytes
from harness.train.estimate.estimate import GIB, estimate_memory
from harness.train.estimate.memory import (
    NF4_BITS,
    cast_bytes,
    kv_bytes,
    optimiser_bytes,
    trainable_parameters,
    weight_bytes,
)
from harness.train.estimate.model import Model, read_model
from harness.train.estimate.settings import Training
from harness.train.estimate.shape import ModelShape, shape_of
from harness.train.estimate.sizes import SIZES
from harness.train.estimate.warning import memory_warning
from tests.train.conftest import BASE

TEXT: dict[str, Any] = {
    "vocab_size": 512,
    "hidden_size": 64,
    "intermediate_size": 160,
    "num_hidden_layers": 3,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
}
EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 48, "head_dim": 16}
TOWER = {"depth": 2, "num_heads": 4, "patch_size": 14, "spatial_merge_size": 2, "temporal_patch_size": 2}
SEES_2 = {**TOWER, "embed_dim": 32, "mlp_ratio": 4, "hidden_size": 64}
SEES_2_5 = {**TOWER, "hidden_size": 32, "intermediate_size": 72, "out_hidden_size": 64}

CONFIGS: dict[str, dict[str, Any]] = {
    "qwen2": {"model_type": "qwen2", **TEXT},
    "qwen2 tied": {"model_type": "qwen2", **TEXT, "tie_word_embeddings": True},
    "qwen3": {"model_type": "qwen3", **TEXT, "head_dim": 24},
    "qwen3 with the head size of its class": {"model_type": "qwen3", **TEXT},
    "qwen3 with biases": {"model_type": "qwen3", **TEXT, "head_dim": 24, "attention_bias": True},
    "llama": {"model_type": "llama", **TEXT},
    "llama without groups": {
        "model_type": "llama",
        **{key: value for key, value in TEXT.items() if key != "num_key_value_heads"},
    },
    "llama with biases": {"model_type": "llama", **TEXT, "attention_bias": True, "mlp_bias": True},
    "mistral": {"model_type": "mistral", **TEXT, "head_dim": 16},
    "qwen3_moe": {"model_type": "qwen3_moe", **TEXT, **EXPERTS},
    "qwen2_vl": {"model_type": "qwen2_vl", **TEXT, "vision_config": SEES_2},
    "qwen2_5_vl": {"model_type": "qwen2_5_vl", **TEXT, "vision_config": SEES_2_5},
    "qwen2_5_vl nested": {"model_type": "qwen2_5_vl", "text_config": TEXT, "vision_config": SEES_2_5},
    "qwen2_5_vl tied": {"model_type": "qwen2_5_vl", **TEXT, "vision_config": SEES_2_5, "tie_word_embeddings": True},
}
SEVEN = (*ATTENTION, *MLP)


def build(config: dict[str, Any], *, real: bool = False) -> Any:
    """transformers' own model of a config, without memory unless `real`."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForImageTextToText

    kind = AutoModelForImageTextToText if "vision_config" in config else AutoModelForCausalLM
    settings = AutoConfig.for_model(**config)
    torch.manual_seed(0)
    with contextlib.nullcontext() if real else torch.device("meta"):
        return kind.from_config(settings)


def adapted(model: Any, training: Training) -> Any:
    import peft

    targets = list(training.targets) if isinstance(training.targets, tuple) else training.targets
    return peft.get_peft_model(model, peft.LoraConfig(r=training.r, target_modules=targets, task_type="CAUSAL_LM"))


def model_of(shape: ModelShape) -> Model:
    return Model("tiny", "here", shape, shape.parameters, {})


@pytest.mark.parametrize("name", CONFIGS)
def test_parameters_are_those_of_the_real_model(name: str) -> None:
    real = sum(parameter.numel() for parameter in build(CONFIGS[name]).parameters())
    assert shape_of(CONFIGS[name], "here").parameters == real


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("targets", [SEVEN, ("q_proj", "v_proj"), "all-linear", ("o_proj", "lm_head")], ids=str)
def test_trainable_parameters_are_those_that_peft_makes(name: str, targets: Any) -> None:
    shape = shape_of(CONFIGS[name], "here")
    training = Training(r=4, targets=targets)
    if shape.expert_choices and targets in (SEVEN, "all-linear"):
        with pytest.raises(InputError, match="adapters on experts are not understood"):
            trainable_parameters(shape, training)
        return
    assert trainable_parameters(shape, training) == adapted(build(CONFIGS[name]), training).num_parameters(
        only_trainable=True
    )


def test_peft_chooses_the_layers_where_none_are_named() -> None:
    training = Training(r=4, targets=None)
    real = adapted(build(CONFIGS["qwen2"]), training).num_parameters(only_trainable=True)
    assert trainable_parameters(shape_of(CONFIGS["qwen2"], "here"), training) == real


#: Billions of parameters, and of those in no embedding, as the model cards say (https://huggingface.co/Qwen).
CARDS = {
    "0.5b": (0.49, 0.36), "1.5b": (1.54, 1.31), "3b": (3.09, 2.77), "7b": (7.61, 6.53),
    "14b": (14.7, 13.1), "32b": (32.5, 31.0), "72b": (72.7, 70.0),
}  # fmt: skip


@pytest.mark.parametrize("size", SIZES)
def test_the_sizes_have_the_parameters_of_their_model_cards(size: str) -> None:
    shape = shape_of(SIZES[size].config, size)
    embeddings = shape.vocabulary * shape.hidden * (1 if shape.tied else 2)
    assert shape.parameters / 1e9 == pytest.approx(CARDS[size][0], rel=0.01)
    assert (shape.parameters - embeddings) / 1e9 == pytest.approx(CARDS[size][1], rel=0.01)


def test_qlora_quantises_every_linear_layer_but_the_head() -> None:
    """As transformers replaces `nn.Linear` by bitsandbytes' layer, and 4.127 bits are what the paper says."""
    import torch

    for name in ("qwen2", "qwen2 tied", "qwen2_5_vl", "qwen3_moe"):
        real = build(CONFIGS[name])
        quantised = sum(
            module.weight.numel()
            for path, module in real.named_modules()
            if isinstance(module, torch.nn.Linear) and path != "lm_head"
        )
        rest = sum(parameter.numel() for parameter in real.parameters()) - quantised
        said = weight_bytes(model_of(shape_of(CONFIGS[name], "here")), Training(method="qlora"))
        assert said == round(quantised * 4.126953125 / 8) + rest * 2
    assert pytest.approx(4.127, abs=0.0005) == NF4_BITS


@pytest.mark.parametrize(
    ("method", "dtype"), [("full", "float32"), ("full", "bfloat16"), ("lora", "float32"), ("lora", "bfloat16")]
)
def test_weights_gradients_and_states_take_what_torch_allocates(method: Any, dtype: Any) -> None:
    import torch

    config = CONFIGS["qwen2 tied"]
    training = Training(method=method, dtype=dtype, r=4)
    model = build(config, real=True).to(getattr(torch, dtype))
    shape = shape_of(config, "here")
    assert sum(p.nbytes for p in model.parameters()) == weight_bytes(model_of(shape), training)
    if method == "lora":
        model = adapted(model, training)
    learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(learning)
    ids = torch.zeros((1, 8), dtype=torch.long)
    model(input_ids=ids, labels=ids).loss.backward()
    optimiser.step()
    moments = sum(state[name].nbytes for state in optimiser.state.values() for name in ("exp_avg", "exp_avg_sq"))
    parts = {part.name: part.bytes for part in estimate_memory(model_of(shape), training).training}
    assert sum(p.grad.nbytes for p in learning if p.grad is not None) == parts["gradients"]
    assert moments == parts["optimiser"]


def test_8_bit_states_take_a_quarter_and_their_constants() -> None:
    number = 2**20
    assert optimiser_bytes(number, Training(method="full", optim="adamw")) == 8 * number
    assert optimiser_bytes(number, Training(method="full", optim="adamw_8bit")) == 2 * number + 2 * (number // 256) * 4


def test_the_cache_takes_what_transformers_keeps() -> None:
    import torch

    ids = torch.zeros((3, 17), dtype=torch.long)
    with torch.inference_mode():
        cache = build(CONFIGS["qwen3"], real=True)(input_ids=ids, use_cache=True).past_key_values
    kept = sum(layer.keys.nbytes + layer.values.nbytes for layer in cache.layers)
    assert kept == kv_bytes(shape_of(CONFIGS["qwen3"], "here"), tokens=3 * 17, number=4)


def kept_for_backward(model: Any, run: Callable[[], object]) -> int:
    """Bytes that autograd keeps while `run` runs, without the model's own."""
    import torch

    own = {tensor.untyped_storage().data_ptr() for tensor in (*model.parameters(), *model.buffers())}
    kept: dict[int, Any] = {}

    def pack(tensor: Any) -> Any:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage  # held, so that its address is not given out again
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = run()
    assert result is not None
    return sum(storage.nbytes() for storage in kept.values())


#: The estimate may be so far from what autograd keeps: it leaves out rotary tables, attention's statistics and masks.
CLOSE = 0.06


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "mixed", "bfloat16"])
@pytest.mark.parametrize("method", ["full", "lora"])
@pytest.mark.parametrize("name", ["qwen2", "qwen3", "llama"])
def test_activations_are_what_autograd_keeps(name: str, method: Any, dtype: Any, checkpointing: bool) -> None:
    import torch

    config = {**CONFIGS[name], "hidden_size": 256, "intermediate_size": 704}
    training = Training(
        method=method, dtype=dtype, seq=192, batch=2, r=8, gradient_checkpointing=checkpointing, fused_loss=True
    )
    model = build(config, real=True)
    if dtype == "bfloat16":
        model = model.to(torch.bfloat16)
    decoder = model.model
    if checkpointing:
        model.gradient_checkpointing_enable({"use_reentrant": False})
    if method == "lora":
        model = adapted(model, training)
        model.enable_input_require_grads()
    model.train()
    ids = torch.randint(0, config["vocab_size"], (training.batch, training.seq))
    autocast = contextlib.nullcontext() if dtype == "float32" else torch.autocast("cpu", torch.bfloat16)
    with autocast:
        kept = kept_for_backward(model, lambda: decoder(input_ids=ids, use_cache=False).last_hidden_state)
    shape = shape_of(config, "here")
    said = activation_bytes(shape, training)
    if checkpointing:
        said -= block_bytes(shape, training)  # that is computed again later
    else:
        said += cast_bytes(model_of(shape), training)
    assert said == pytest.approx(kept, rel=CLOSE)


def test_checkpointing_keeps_the_larger_of_the_loss_and_one_block() -> None:
    shape = shape_of(SIZES["7b"].config, "7b")
    for fused in (True, False):
        training = Training(seq=1024, gradient_checkpointing=True, fused_loss=fused)
        parts = {part.name: part.bytes for part in estimate_memory(model_of(shape), training).training}
        inputs = 28 * 1024 * 3584 * 2 + 1024 * 3584 * 4
        logits = 0 if fused else 1024 * 152064 * 12
        assert parts["activations"] + parts["loss"] == inputs + max(logits, block_bytes(shape, training))


def test_weights_on_disk_are_counted_in_their_headers(tmp_path: Path) -> None:
    model = read_model("base", BASE)
    assert model.stored == {"BF16": model.parameters}
    assert model.parameters == model.shape.parameters
    (tmp_path / "config.json").write_bytes((BASE / "config.json").read_bytes())
    assert read_model("bare", tmp_path).stored == {}
    assert read_model("bare", tmp_path).parameters == model.parameters


def test_a_tied_head_that_is_saved_twice_counts_once(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    shutil.copy(BASE / "config.json", tmp_path)
    tensors = load_file(BASE / "model.safetensors")
    tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"].clone()
    save_file(tensors, tmp_path / "model.safetensors")
    assert read_model("twice", tmp_path).parameters == read_model("base", BASE).parameters


def test_half_a_download_is_not_taken_for_the_weights(tmp_path: Path) -> None:
    shutil.copy(BASE / "config.json", tmp_path)
    shutil.copy(BASE / "model.safetensors", tmp_path / "model-00001-of-00002.safetensors")
    shards = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))
    assert read_model("half", tmp_path).stored == {}


def test_other_files_than_the_config_describes_are_noted_and_counted(tmp_path: Path) -> None:
    shutil.copy(BASE / "model.safetensors", tmp_path)
    config = json.loads((BASE / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 3}))
    found = estimate_memory(read_model("other", tmp_path), Training(seq=8))
    assert found.parameters == read_model("base", BASE).parameters
    assert any("the files are counted" in note for note in found.notes)


def test_weights_quantised_on_disk_take_what_they_take_there(tmp_path: Path) -> None:
    shutil.copy(BASE / "model.safetensors", tmp_path)
    config = json.loads((BASE / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "quantization_config": {"quant_method": "awq"}}))
    model = read_model("packed", tmp_path)
    assert model.parameters == model.shape.parameters
    on_disk = 2 * model.parameters  # it is the same file
    assert weight_bytes(model, Training()) == weight_bytes(model, Training(method="qlora")) == on_disk
    with pytest.raises(InputError, match="they cannot learn"):
        estimate_memory(model, Training(method="full"))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"hidden_size": None}, "the key 'hidden_size' is missing"),
        ({"hidden_size": -4}, "'hidden_size' must be a whole number above 0, not -4"),
        ({"num_hidden_layers": "three"}, "'num_hidden_layers' must be a whole number"),
        ({"model_type": None}, "model_type 'None' is a model whose shape is not understood"),
        ({"model_type": "mixtral", "num_local_experts": 8}, "model_type 'mixtral' is a mixture of experts"),
        ({"model_type": "qwen2_5_vl"}, "the key 'vision_config' is missing"),
        ({"model_type": "qwen3_moe", **EXPERTS, "mlp_only_layers": [0]}, "only some of its layers have experts"),
        ({"model_type": "qwen3_moe"}, "the key 'num_experts' is missing"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_config_that_is_not_understood_says_where(change: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        shape_of({**CONFIGS["qwen2"], **change}, "there/config.json")
    assert "there/config.json" in str(caught.value.where)


def test_a_layer_that_the_model_has_not_is_named_with_the_nearest() -> None:
    with pytest.raises(InputError, match="is called 'qproj'") as caught:
        shape_of(CONFIGS["qwen2"], "here").adapted(["qproj"])
    assert "'q_proj'" in str(caught.value.remedy)


def config_of(**settings: Any) -> TrainConfig:
    return TrainConfig.model_validate({"name": "mine", "base": "base", "data": {"a": "a.jsonl"}, **settings})


@pytest.fixture
def seven(tmp_path: Path) -> Path:
    """A folder with the config of Qwen2.5-7B."""
    (tmp_path / "config.json").write_text(json.dumps(SIZES["7b"].config))
    return tmp_path


def test_a_card_that_is_too_small_is_warned_of_with_what_to_change(seven: Path) -> None:
    said = memory_warning(config_of(per_device_train_batch_size=2), seven, 16 * GIB)
    assert said is not None
    assert "training will not fit" in said
    assert "16.00 GiB are free" in said
    for key in ("per_device_train_batch_size (2)", "gradient_checkpointing", "load_in_4bit", "max_seq_length (2048)"):
        assert key in said


def test_what_is_changed_already_is_not_advised(seven: Path) -> None:
    thrifty = config_of(per_device_train_batch_size=1, gradient_checkpointing=True, load_in_4bit=True)
    said = memory_warning(thrifty, seven, 4 * GIB)
    assert said is not None
    assert said.endswith("Lower max_seq_length (2048).")


def test_a_card_that_may_be_too_small_is_warned_of_more_softly(seven: Path) -> None:
    config = config_of(per_device_train_batch_size=1)
    likely = estimate_memory(read_model("7b", seven), Training.of(config))
    assert "may not fit" in str(memory_warning(config, seven, likely.total))
    assert memory_warning(config, seven, likely.high) is None


def test_short_examples_need_less_than_the_longest_allowed(seven: Path) -> None:
    config = config_of(per_device_train_batch_size=4)
    assert memory_warning(config, seven, 40 * GIB) is not None
    assert memory_warning(config, seven, 40 * GIB, longest=256) is None


def test_without_a_gpu_or_for_an_unknown_model_there_is_no_warning(seven: Path) -> None:
    assert memory_warning(config_of(), seven, None) is None
    assert memory_warning(config_of(), seven, 1) is not None
    (seven / "config.json").write_text('{"model_type": "rwkv"}')
    assert memory_warning(config_of(), seven, 1) is None


def test_a_config_means_what_it_trains() -> None:
    made = Training.of(config_of(load_in_4bit=True, optim="paged_adamw_8bit", dtype="float16", r=8, max_seq_length=99))
    assert (made.method, made.optim, made.dtype, made.r, made.seq) == ("qlora", "adamw_8bit", "float16", 8, 99)
    assert Training.of(config_of()).precision == "bfloat16"
    assert Training(method="full").precision == "mixed"
