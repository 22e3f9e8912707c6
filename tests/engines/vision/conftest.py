"""One tiny vision model with a LoRA, what it is asked, and the answers of each real engine.

vLLM answers in a process of its own, because the session's text engine is the only one in this process. It is started
once: the questions of the contract and the shipped suites are asked of the same engine.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from harness.answers.pictures import marked
from harness.candidates.adapter import AdapterFolder
from harness.candidates.fingerprint import adapter_digest
from harness.candidates.prompt import PromptFormat, prompt_format
from harness.candidates.tokenizer import PromptTokenizer
from harness.candidates.vision import Vision, vision_of
from harness.engines.base import Adapter, Completion, Continuation, EngineSpec, Request, Sampling
from harness.gold.images import ImageFile, open_image
from harness.gold.item import Item, Message
from tests.engines.vision import reading, tiny
from tests.engines.vision.reading import Workplace
from tests.engines.vision.tiny import Shown

WINDOW = 800
GREEDY = Sampling(max_tokens=8, stop_token_ids=(2,))


@dataclass(frozen=True)
class Seeing:
    """The tiny vision model, a LoRA that knows its colours, one that can read, and an engine spec for all."""

    spec: EngineSpec
    lora: Adapter
    reader: Adapter
    form: PromptFormat
    pictures: Path

    @property
    def vision(self) -> Vision:
        assert self.spec.vision is not None
        return self.spec.vision

    def images(self, shown: Shown) -> tuple[ImageFile, ...]:
        names = [tiny.draw(self.pictures, *picture) for picture in shown.pictures]
        return tuple(open_image(name, self.pictures, where="test") for name in names)

    def request(self, key: str, shown: Shown, adapter: Adapter | None = None) -> Request:
        images = self.images(shown)
        item = Item(question=shown.question, answer=shown.answer, images=tuple(i.path.name for i in images))
        turns = marked((Message(role="user", content=shown.question),), item.with_images(images))
        ids = self.spec.tokenizer.encode(self.form.render(turns, len(images)))
        return Request(key, key, "task", 0, GREEDY, token_ids=ids, adapter=adapter, images=images)

    def continuation(self, shown: Shown, adapter: Adapter | None = None) -> Continuation:
        request = self.request("", shown)
        return Continuation(request.token_ids, self.spec.tokenizer.encode(shown.answer), adapter, request.images)


@dataclass
class Asked:
    """What is asked of an engine, and what it says."""

    requests: dict[str, Request] = field(default_factory=dict)
    continuations: dict[str, Continuation] = field(default_factory=dict)
    completions: dict[str, Completion] = field(default_factory=dict)
    logprobs: dict[str, list[float]] = field(default_factory=dict)

    def ask(self, engine: Any) -> None:
        found = [c for done in engine.generate(list(self.requests.values())) for c in done]
        assert len(found) == len(self.requests)
        self.completions = {c.key: c for c in found}
        self.logprobs = dict(zip(self.continuations, engine.logprobs(list(self.continuations.values())), strict=True))


@pytest.fixture(scope="session")
def seeing(tmp_path_factory: pytest.TempPathFactory) -> Seeing:
    folder = tmp_path_factory.mktemp("seeing")
    model = tiny.make_base(folder / "base", texts=reading.texts(), also=reading.misled, steps=160)
    colours = tiny.make_lora(model, folder / "lora")
    reader = tiny.make_lora(model, folder / "reader", taught=reading.taught(model), steps=200)
    adapter, other = (Adapter(path, adapter_digest(AdapterFolder.open(path)), 8) for path in (colours, reader))
    spec = EngineSpec(
        model=model,
        tokenizer=PromptTokenizer(model),
        dtype="float32",
        quantization=None,
        device="cpu",
        max_model_len=WINDOW,
        adapters=(adapter, other),
        vision=vision_of(model),
        max_images=2,
    )
    form = prompt_format("chat", folder=model, model=model, adapter=None)
    return Seeing(spec, adapter, other, form, folder / "pictures")


@pytest.fixture(scope="session")
def questions(seeing: Seeing, tmp_path_factory: pytest.TempPathFactory) -> Asked:
    """Every question to the base and to the LoRA, and a few that cannot be answered."""
    asked = Asked()
    for name, adapter in (("base", None), ("lora", seeing.lora)):
        for shown in [*tiny.ONE, *tiny.TWO, *tiny.TEXT]:
            key = f"{name}|{shown.question}|{shown.pictures}"
            asked.requests[key] = seeing.request(key, shown, adapter)
            asked.continuations[key] = seeing.continuation(shown, adapter)
    good = seeing.request("", tiny.ONE[0])
    folder = tmp_path_factory.mktemp("broken")
    spoilt = {
        name: open_image(tiny.draw(folder, name, "white", (56, 56)), folder, where="t") for name in ("red", "blue")
    }
    spoilt["red"].path.unlink()
    spoilt["blue"].path.write_bytes(good.images[0].path.read_bytes())
    large = open_image(tiny.draw(folder, "green", "white", (3000, 3000)), folder, where="t")
    bad = {
        "gone": replace(good, images=(spoilt["red"],)),
        "changed": replace(good, images=(spoilt["blue"],)),
        "too few": replace(good, images=()),
        "too many": replace(good, images=good.images * 3),
        "too long": replace(good, images=(large,), sampling=Sampling(max_tokens=WINDOW - len(good.token_ids) - 1)),
    }
    asked.requests |= {key: replace(request, key=key) for key, request in bad.items()}
    return asked


@pytest.fixture(scope="session")
def transformers_answers(seeing: Seeing, questions: Asked) -> Asked:
    from harness.engines.transformers import TransformersEngine

    asked = Asked(questions.requests, questions.continuations)
    settings = seeing.spec.settings.model_copy(update={"batch_size": 7})  # batches that mix sizes and kinds
    with TransformersEngine(replace(seeing.spec, settings=settings)) as engine:
        asked.ask(engine)
    return asked


@pytest.fixture(scope="session")
def workplace(seeing: Seeing, tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    return Workplace.made(tmp_path_factory.mktemp("suites") / "workplace", seeing.spec.model, seeing.reader.path)


@pytest.fixture(scope="session")
def transformers_suites(workplace: Workplace) -> Workplace:
    workplace.compare("transformers")
    return workplace


SCRIPT = """
import pickle, sys
from harness.engines import vllm
from harness.runs import runner

spec, asked, workplace = pickle.loads(open(sys.argv[1], "rb").read())
with vllm.VllmEngine(spec) as engine:
    asked.ask(engine)

    class Shared:
        name, version, generate, logprobs = engine.name, engine.version, engine.generate, engine.logprobs
        def close(self):
            pass

    def shared(choice, wanted):
        assert (choice.name, wanted.model, wanted.dtype, wanted.vision) == ("vllm", spec.model, spec.dtype, spec.vision)
        assert set(wanted.adapters) <= set(spec.adapters), wanted.adapters
        assert wanted.max_model_len <= spec.max_model_len, wanted.max_model_len
        assert 1 <= wanted.max_images <= spec.max_images
        return Shared()

    runner.open_engine = shared
    workplace.compare("vllm")
open(sys.argv[2], "wb").write(pickle.dumps(asked))
"""


@pytest.fixture(scope="session")
def vllm_answers(
    seeing: Seeing, questions: Asked, workplace: Workplace, tmp_path_factory: pytest.TempPathFactory
) -> Asked:
    folder = tmp_path_factory.mktemp("vllm")
    settings = seeing.spec.settings.model_copy(update={"max_num_seqs": 16})
    given = replace(seeing.spec, settings=settings, tokenizer=PromptTokenizer(seeing.spec.model))
    (folder / "given").write_bytes(pickle.dumps((given, Asked(questions.requests, questions.continuations), workplace)))
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder / "given"), str(folder / "answered")],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    found = pickle.loads((folder / "answered").read_bytes())
    assert isinstance(found, Asked)
    return found


@pytest.fixture(scope="session")
def vllm_suites(vllm_answers: Asked, workplace: Workplace) -> Workplace:
    return workplace


@pytest.fixture(params=["transformers", pytest.param("vllm", marks=[pytest.mark.vllm, pytest.mark.slow])])
def answered(request: pytest.FixtureRequest) -> Asked:
    """The answers of each engine that holds weights."""
    found: Asked = request.getfixturevalue(f"{request.param}_answers")
    return found


class Reference:
    """Plain transformers and PEFT with Qwen's own processor, one question at a time."""

    def __init__(self, seeing: Seeing) -> None:
        import peft
        import torch
        from transformers import AutoModelForImageTextToText, AutoProcessor, GenerationConfig

        self.seeing = seeing
        self.processor = AutoProcessor.from_pretrained(seeing.spec.model)
        base = AutoModelForImageTextToText.from_pretrained(seeing.spec.model, dtype=torch.float32)
        base.generation_config = GenerationConfig()
        self.model = peft.PeftModel.from_pretrained(base, seeing.lora.path).eval()

    def inputs(self, request: Request, more: tuple[int, ...] = ()) -> Mapping[str, Any]:
        """What the processor makes of the text and the pictures, with `more` ids after it."""
        import torch
        from PIL import Image

        text = self.seeing.spec.tokenizer.decode(list(request.token_ids), skip_special=False)
        images = [Image.open(image.path) for image in request.images]
        found = dict(self.processor(text=[text], images=images or None, return_tensors="pt"))
        extra = torch.tensor([more], dtype=torch.long)
        for name, value in (("input_ids", extra), ("attention_mask", extra * 0 + 1), ("mm_token_type_ids", extra * 0)):
            if name in found:
                found[name] = torch.cat([found[name], value], dim=1)
        return found

    def greedy(self, request: Request) -> list[int]:
        import contextlib

        import torch

        inputs = self.inputs(request)
        with contextlib.nullcontext() if request.adapter else self.model.disable_adapter(), torch.inference_mode():
            out = self.model.generate(
                **inputs, max_new_tokens=request.sampling.max_tokens, do_sample=False, eos_token_id=2, pad_token_id=0
            )
        return [int(token) for token in out[0, inputs["input_ids"].shape[1] :]]

    def logprobs(self, continuation: Continuation) -> list[float]:
        import contextlib

        import torch

        request = Request("", "", "", 0, GREEDY, continuation.prompt_ids, images=continuation.images)
        inputs = self.inputs(request, continuation.continuation_ids)
        adapter = continuation.adapter
        with contextlib.nullcontext() if adapter else self.model.disable_adapter(), torch.inference_mode():
            logits = self.model(**inputs).logits[0].float()
        count = len(continuation.continuation_ids)
        table = torch.log_softmax(logits[-count - 1 : -1], dim=-1)
        return [float(row[token]) for row, token in zip(table, continuation.continuation_ids, strict=True)]


@pytest.fixture(scope="session")
def reference(seeing: Seeing) -> Reference:
    return Reference(seeing)
