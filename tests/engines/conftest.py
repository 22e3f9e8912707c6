"""One tiny model with two LoRAs, and each real engine started once for the whole session."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from harness.candidates.tokenizer import PromptTokenizer
from harness.engines.base import Adapter, Engine, EngineSpec, Request, Sampling
from tests.engines.tiny import make_adapter, make_model

EOS_ID = 2
PROMPTS = [
    "the cat",
    "rain",
    "阿司匹林用于",
    "the mat sat on the rain in Spain",
    "a",
    "in Spain the rain stays on the mat, the cat sat",
    "退热",
    "cat cat cat",
]


class SpyTokenizer(PromptTokenizer):
    """The tokenizer, able to show an answer's token ids in place of its text."""

    as_ids = False

    def decode(self, ids: tuple[int, ...] | list[int], *, skip_special: bool = True) -> str:
        return " ".join(map(str, ids)) if self.as_ids else super().decode(ids, skip_special=skip_special)


@dataclass(frozen=True)
class Tiny:
    """The tiny model, its LoRAs, and an engine spec for all of them."""

    spec: EngineSpec
    tokenizer: SpyTokenizer
    lora_a: Adapter
    lora_b: Adapter

    @property
    def adapters(self) -> dict[str, Adapter | None]:
        return {"base": None, "a": self.lora_a, "b": self.lora_b}

    def request(self, key: str, text: str, sampling: Sampling, adapter: Adapter | None = None) -> Request:
        return Request(key, key, "task", 0, sampling, token_ids=self.tokenizer.encode(text), adapter=adapter)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    import peft
    import torch

    torch.set_num_threads(1)  # two threads that share a busy core are ten times slower on matrices this small
    folder = tmp_path_factory.mktemp("tiny")
    model = make_model(folder / "model")
    lora_a = make_adapter(model, folder / "a", seed=1)
    attention = peft.LoraConfig(
        r=4, lora_alpha=16, use_rslora=True, target_modules=["q_proj", "v_proj", "down_proj"], task_type="CAUSAL_LM"
    )
    lora_b = make_adapter(model, folder / "b", seed=2, rank=4, config=attention)
    tokenizer = SpyTokenizer(model)
    spec = EngineSpec(
        model=model,
        tokenizer=tokenizer,
        dtype="float32",
        quantization=None,
        device="cpu",
        max_model_len=128,
        adapters=(lora_a, lora_b),
    )
    return Tiny(spec, tokenizer, lora_a, lora_b)


class Reference:
    """Plain transformers and PEFT, one prompt at a time: what every engine has to agree with."""

    def __init__(self, tiny: Tiny) -> None:
        import peft
        import torch
        from transformers import AutoModelForCausalLM, GenerationConfig

        base = AutoModelForCausalLM.from_pretrained(tiny.spec.model, dtype=torch.float32)
        base.generation_config = GenerationConfig()
        self.model = peft.PeftModel.from_pretrained(base, tiny.lora_a.path, adapter_name="a").eval()
        self.model.load_adapter(tiny.lora_b.path, adapter_name="b")

    def _as(self, name: str) -> Any:
        import contextlib

        if name == "base":
            return self.model.disable_adapter()
        self.model.set_adapter(name)
        return contextlib.nullcontext()

    def greedy(
        self, name: str, ids: tuple[int, ...], tokens: int, stop: tuple[int, ...] = (), **more: Any
    ) -> list[int]:
        import torch

        with self._as(name), torch.inference_mode():
            out = self.model.generate(
                input_ids=torch.tensor([ids]),
                attention_mask=torch.ones(1, len(ids), dtype=torch.long),
                max_new_tokens=tokens,
                do_sample=False,
                eos_token_id=list(stop) or None,
                pad_token_id=0,
                **more,
            )
        return [int(token) for token in out[0, len(ids) :]]

    def next_tokens(self, name: str, ids: Any) -> Any:
        """The likeliest next token of every row of `ids`, a tensor (rows, places)."""
        import torch

        with self._as(name), torch.inference_mode():
            return self.model(input_ids=ids).logits[:, -1].argmax(dim=-1)

    def log_softmax(self, name: str, ids: tuple[int, ...]) -> Any:
        """Log-probabilities (places, vocabulary) of a forward pass."""
        import torch

        with self._as(name), torch.inference_mode():
            return torch.log_softmax(self.model(input_ids=torch.tensor([ids])).logits[0].float(), dim=-1)


@pytest.fixture(scope="session")
def reference(tiny: Tiny) -> Reference:
    return Reference(tiny)


@pytest.fixture(scope="session")
def transformers_engine(tiny: Tiny) -> Iterator[Engine]:
    from harness.engines.transformers import TransformersEngine

    with TransformersEngine(tiny.spec) as engine:
        yield engine


@pytest.fixture(scope="session")
def vllm_engine(tiny: Tiny) -> Iterator[Engine]:
    """The only vLLM engine of the session: starting one takes half a minute."""
    from harness.engines.vllm import VllmEngine

    # Few sequences in flight, so that requests queue in vLLM as they do in life.
    settings = tiny.spec.settings.model_copy(update={"max_num_seqs": 16})
    with VllmEngine(replace(tiny.spec, settings=settings)) as engine:
        yield engine


@pytest.fixture(params=["transformers", pytest.param("vllm", marks=pytest.mark.vllm)])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine that holds weights."""
    found: Engine = request.getfixturevalue(f"{request.param}_engine")
    return found


@pytest.fixture
def as_ids(tiny: Tiny) -> Iterator[None]:
    """Answers are their token ids, separated by spaces."""
    tiny.tokenizer.as_ids = True
    yield
    tiny.tokenizer.as_ids = False
