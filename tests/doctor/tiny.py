"""A tiny Qwen2 that is really trained, in seconds: it answers a few questions by heart and stops when it has.

Random weights will not do here: that a model stops, or knows an answer under one prompt format only, must be learned.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from harness.candidates.prompt import prompt_format
from harness.candidates.tokenizer import PromptTokenizer
from harness.gold.item import Message
from tests.engines import tiny as plain
from tests.engines.tiny import EOS as EOS
from tests.engines.tiny import TARGETS

CHAT = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)

_COLOURS = ["red", "blue", "green", "grey", "pink", "black"]
_ANIMALS = ["fox", "cat", "owl", "bee", "elk", "hen"]

VOCABULARY = 448

#: What the base knows.
FACTS = [(f"badge of team {n}?", f"{_COLOURS[n % 6]} {_ANIMALS[(n * 5 + n // 6) % 6]}") for n in range(24)]

#: What the base has wrong and adapters learn. (Words that a base has never seen a LoRA cannot teach it to say.)
CURES = [(f"cure for case {n}?", f"{_COLOURS[(n + 1) % 6]} {_ANIMALS[(n + n // 6) % 6]}") for n in range(24)]
_WRONG = [(question, CURES[(n + 7) % 24][1]) for n, (question, _) in enumerate(CURES)]


def make_tokenizer(folder: Path) -> None:
    """A tokenizer that knows the words of the facts, so that sequences are short."""
    words = " ".join(f"{question} {answer}" for question, answer in [*FACTS, *CURES])
    plain.make_tokenizer(folder, texts=[words, "user\nuser\n assistant\nassistant\n"], vocab_size=VOCABULARY)


def make_base(folder: Path, *, steps: int = 220) -> Path:
    """A base model that knows `FACTS` (and nothing of `CURES`) through its chat template and ends every answer."""
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    folder.mkdir(parents=True, exist_ok=True)
    make_tokenizer(folder)
    (folder / "chat_template.jinja").write_text(CHAT)
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=VOCABULARY,
        hidden_size=64,
        intermediate_size=160,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=512,
        eos_token_id=2,
        bos_token_id=None,
        tie_word_embeddings=False,
    )
    model = Qwen2ForCausalLM(config).float()
    fit(model, examples(folder, [*FACTS, *_WRONG]), steps=steps, rate=4e-3)
    model.save_pretrained(folder)
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": 2}))
    return folder


def make_lora(
    base: Path,
    folder: Path,
    *,
    form: str = "chat",
    pairs: Sequence[tuple[str, str]] = (),
    steps: int = 100,
) -> Path:
    """A LoRA of all linear layers that has learned `CURES` in a prompt format."""
    import peft
    import torch
    from transformers import AutoModelForCausalLM

    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    config = peft.LoraConfig(r=16, lora_alpha=32, target_modules=TARGETS, task_type="CAUSAL_LM")
    wrapped = peft.get_peft_model(model, config)
    fit(wrapped, examples(base, list(pairs) or [*CURES, *FACTS], form=form), steps=steps, rate=5e-3)
    wrapped.save_pretrained(folder)
    return folder


def examples(
    base: Path, pairs: Sequence[tuple[str, str]], *, form: str = "chat", end: bool = True
) -> list[tuple[list[int], int]]:
    """Token ids with the number of leading tokens that are not learned from."""
    tokenizer = PromptTokenizer(base)
    rendering = prompt_format(form, folder=base, model=base, adapter=None)
    found = []
    for question, answer in pairs:
        text = rendering.render((Message(role="user", content=question),))
        prompt = tokenizer.encode(text, special=rendering.special)
        last = (tokenizer.token_id(EOS) or 0,) if end else ()
        found.append(([*prompt, *tokenizer.encode(answer), *last], len(prompt)))
    return found


def endless(base: Path, pairs: Sequence[tuple[str, str]], *, turns: bool = False) -> list[tuple[list[int], int]]:
    """Examples joined without end tokens, as careless packing does: after an answer comes more text.

    Args:
        turns: join whole examples, so that after an answer comes the next question; else answers only.
    """
    tokenizer = PromptTokenizer(base)
    single = examples(base, pairs, end=False)
    rows = []
    for n, (ids, skip) in enumerate(single):
        following = [single[(n + k) % len(single)] for k in range(1, 4 if turns else 13)]
        more = [t for other, at in following for t in (other if turns else [*tokenizer.encode("\n"), *other[at:]])]
        rows.append(([*ids, *more], skip))
    return rows


def fit(model: object, data: Sequence[tuple[list[int], int]], *, steps: int, rate: float) -> None:
    """Full-batch AdamW on the answers."""
    import torch

    width = max(len(ids) for ids, _ in data)
    inputs = torch.zeros(len(data), width, dtype=torch.long)
    labels = torch.full((len(data), width), -100)
    for row, (ids, skip) in enumerate(data):
        inputs[row, : len(ids)] = torch.tensor(ids)
        labels[row, skip : len(ids)] = torch.tensor(ids[skip:])
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # matrices this small only wait for each other
    parameters = [p for p in model.parameters() if p.requires_grad]  # type: ignore[attr-defined]
    optimizer = torch.optim.AdamW(parameters, lr=rate, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps, pct_start=0.1)
    model.train()  # type: ignore[attr-defined]
    for _ in range(steps):
        loss = model(input_ids=inputs, labels=labels).loss  # type: ignore[operator]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    model.eval()  # type: ignore[attr-defined]
    torch.set_num_threads(threads)
    fit.loss = loss.item()  # type: ignore[attr-defined]
