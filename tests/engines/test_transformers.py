"""What only the transformers engine does: any PEFT method, batches, running out of memory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.engines.base import Adapter, Engine, EngineSpec, Request, Sampling
from harness.engines.transformers import TransformersEngine
from harness.engines.transformers_model import LoadedModel, unloadable
from harness.errors import HarnessError, InputError
from tests.engines.conftest import PROMPTS, Reference, Tiny
from tests.engines.test_contract import answers, everyone, ids_of
from tests.engines.tiny import make_adapter

GREEDY = Sampling(max_tokens=12)


def without_cache(model: Any, ids: tuple[int, ...], tokens: int) -> list[int]:
    """Greedy decoding by whole forward passes of PEFT's own model, which is what training saw."""
    import torch

    said = list(ids)
    with torch.inference_mode():
        for _ in range(tokens):
            mask = torch.ones(1, len(said), dtype=torch.long)
            said.append(int(model(input_ids=torch.tensor([said]), attention_mask=mask).logits[0, -1].argmax()))
    return said[len(ids) :]


def with_batches_of(tiny: Tiny, size: int) -> Any:
    return replace(tiny.spec, settings=tiny.spec.settings.model_copy(update={"batch_size": size}))


@pytest.mark.usefixtures("as_ids")
def test_every_peft_method_answers_as_peft_does_and_the_base_stays_itself(
    tiny: Tiny, reference: Reference, tmp_path: Path
) -> None:
    import peft
    import torch
    from transformers import AutoModelForCausalLM

    configs = {
        "dora": peft.LoraConfig(r=4, use_dora=True, target_modules=["q_proj", "up_proj"], task_type="CAUSAL_LM"),
        "saved": peft.LoraConfig(r=4, modules_to_save=["lm_head"], target_modules=["v_proj"], task_type="CAUSAL_LM"),
        "loha": peft.LoHaConfig(r=4, target_modules=["q_proj", "down_proj"], task_type="CAUSAL_LM"),
        "ia3": peft.IA3Config(task_type="CAUSAL_LM"),
        "prompt": peft.PromptTuningConfig(num_virtual_tokens=5, task_type="CAUSAL_LM"),
        "prefix": peft.PrefixTuningConfig(num_virtual_tokens=5, task_type="CAUSAL_LM"),
    }
    adapters: dict[str, Adapter] = {"plain lora": tiny.lora_a}
    expected = {("plain lora", p): reference.greedy("a", tiny.tokenizer.encode(p), 12) for p in PROMPTS}
    expected |= {("base", p): reference.greedy("base", tiny.tokenizer.encode(p), 12) for p in PROMPTS}
    for n, (name, config) in enumerate(configs.items()):
        adapters[name] = make_adapter(tiny.spec.model, tmp_path / name, seed=10 + n, config=config)
        base = AutoModelForCausalLM.from_pretrained(tiny.spec.model, dtype=torch.float32)
        model = peft.PeftModel.from_pretrained(base, tmp_path / name).eval()
        for text in PROMPTS:
            ids = tiny.tokenizer.encode(text)
            expected[name, text] = without_cache(model, ids, 12)
    asked = {f"{name}|{p}": (name, p) for p in PROMPTS for name in ("base", *adapters)}
    with TransformersEngine(replace(tiny.spec, adapters=tuple(adapters.values()))) as engine:
        for _ in range(2):  # the second time every method has to come back
            requests = [tiny.request(key, text, GREEDY, adapters.get(name)) for key, (name, text) in asked.items()]
            found = {asked[key]: ids_of(c) for key, c in answers(engine, requests).items()}
            for name in ("base", *adapters):
                assert {p: found[name, p] for p in PROMPTS} == {p: expected[name, p] for p in PROMPTS}, name


@pytest.mark.usefixtures("as_ids")
@pytest.mark.parametrize("size", [1, 3])
def test_the_batch_size_does_not_change_a_greedy_answer(tiny: Tiny, transformers_engine: Engine, size: int) -> None:
    requests = everyone(tiny, GREEDY)
    with TransformersEngine(with_batches_of(tiny, size)) as engine:
        found = answers(engine, requests)
    usual = answers(transformers_engine, requests)
    assert {key: c.text for key, c in found.items()} == {key: c.text for key, c in usual.items()}


class Cramped(TransformersEngine):
    """An engine on a device that holds `room` rows."""

    room = 2

    def load(self, spec: EngineSpec) -> LoadedModel:
        import torch

        model = super().load(spec)
        forward = model.forward

        def cramped(inputs: dict[str, Any], mask: Any, positions: Any, cache: Any, keep: int) -> Any:
            if len(mask) > self.room:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
            return forward(inputs, mask, positions, cache, keep)

        model.forward = cramped  # type: ignore[method-assign]
        return model


@pytest.mark.usefixtures("as_ids")
def test_out_of_memory_halves_the_batch_and_answers_everything(tiny: Tiny, transformers_engine: Engine) -> None:
    requests = everyone(tiny, GREEDY)
    with Cramped(with_batches_of(tiny, 8)) as engine:
        found = answers(engine, requests)
        scores = engine.logprobs(list(_continuations(tiny)))
    assert {k: c.text for k, c in found.items()} == {
        k: c.text for k, c in answers(transformers_engine, requests).items()
    }
    for got, usual in zip(scores, transformers_engine.logprobs(list(_continuations(tiny))), strict=True):
        assert got == pytest.approx(usual, abs=1e-4)


def test_a_single_sequence_that_does_not_fit_is_an_error_and_no_crash(tiny: Tiny) -> None:
    with Cramped(with_batches_of(tiny, 4)) as engine:
        engine.room = 0
        found = answers(engine, [tiny.request(text, text, GREEDY) for text in PROMPTS])
        with pytest.raises(HarnessError, match="does not fit in memory"):
            engine.logprobs(list(_continuations(tiny)))
    assert {c.finish_reason for c in found.values()} == {"error"}
    assert all("out of memory" in c.error for c in found.values())


def _continuations(tiny: Tiny) -> Any:
    from harness.engines.base import Continuation

    for text in PROMPTS:
        yield Continuation(tiny.tokenizer.encode(text), tiny.tokenizer.encode("the mat"), tiny.lora_b)


def test_an_adapter_of_another_base_is_refused_by_name(tiny: Tiny, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    broken = tmp_path / "broken"
    broken.mkdir()
    tensors = {
        key: value[..., :-1].clone() for key, value in load_file(tiny.lora_a.path / "adapter_model.safetensors").items()
    }
    save_file(tensors, broken / "adapter_model.safetensors")
    (broken / "adapter_config.json").write_text((tiny.lora_a.path / "adapter_config.json").read_text())
    with pytest.raises(InputError, match="cannot load this adapter") as caught:
        TransformersEngine(replace(tiny.spec, adapters=(Adapter(broken, "x", 8),)))
    assert str(broken) in str(caught.value)


def test_a_folder_without_an_adapter_is_refused(tiny: Tiny, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"adapter_config\.json"):
        TransformersEngine(replace(tiny.spec, adapters=(Adapter(tmp_path, "x", 8),)))


def test_pickled_weights_are_not_loaded(tiny: Tiny, tmp_path: Path) -> None:
    import torch

    for file in ("config.json", "tokenizer.json"):
        (tmp_path / file).write_bytes((tiny.spec.model / file).read_bytes())
    torch.save({}, tmp_path / "pytorch_model.bin")
    with pytest.raises(InputError, match="cannot load this model"):
        TransformersEngine(replace(tiny.spec, model=tmp_path, adapters=()))


@pytest.mark.parametrize("init", ["pissa", "pissa_niter_4", "olora", "corda", "loftq", "lora_ga"])
def test_an_adapter_that_rewrites_the_base_is_refused(init: str) -> None:
    assert "rewrites the base" in str(unloadable({"peft_type": "LORA", "init_lora_weights": init}))


@pytest.mark.parametrize("init", [True, False, "gaussian", "eva", "orthogonal", None])
def test_other_initialisations_are_loaded(init: object) -> None:
    assert unloadable({"peft_type": "LORA", "init_lora_weights": init}) is None


def test_a_closed_engine_says_so_and_can_be_closed_again(tiny: Tiny) -> None:
    engine = TransformersEngine(replace(tiny.spec, adapters=()))
    engine.close()
    engine.close()
    with pytest.raises(HarnessError, match="closed"):
        next(iter(engine.generate([Request("k", "i", "t", 0, GREEDY, token_ids=(5,))])))
