"""A tiny Qwen2.5-VL that is really trained, in seconds: it says by heart which colours it sees.

The architecture, the processor, the special tokens and the chat template are those of Qwen2.5-VL; only the sizes are
small. A picture is a field of one or two colours in one of several sizes, so that batches mix pictures that take
different numbers of tokens, and an answer that belongs to another picture is seen at once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.candidates.prompt import IMAGE, prompt_format
from harness.candidates.tokenizer import PromptTokenizer
from harness.candidates.vision import vision_of
from harness.gold.images import open_image
from harness.gold.item import Message
from tests.engines.tiny import EOS, SPECIAL, TARGETS, make_tokenizer

VISION = ["<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]

#: The chat template of Qwen2.5-VL-7B-Instruct (Apache-2.0).
CHAT = (
    "{% set image_count = namespace(value=0) %}{% set video_count = namespace(value=0) %}{% for message in messages %}"
    "{% if loop.first and message['role'] != 'system' %}<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
    "{% endif %}<|im_start|>{{ message['role'] }}\n{% if message['content'] is string %}{{ message['content'] }}"
    "<|im_end|>\n{% else %}{% for content in message['content'] %}{% if content['type'] == 'image' or 'image' in "
    "content or 'image_url' in content %}{% set image_count.value = image_count.value + 1 %}{% if add_vision_id %}"
    "Picture {{ image_count.value }}: {% endif %}<|vision_start|><|image_pad|><|vision_end|>{% elif content['type'] == "
    "'video' or 'video' in content %}{% set video_count.value = video_count.value + 1 %}{% if add_vision_id %}Video "
    "{{ video_count.value }}: {% endif %}<|vision_start|><|video_pad|><|vision_end|>{% elif 'text' in content %}"
    "{{ content['text'] }}{% endif %}{% endfor %}<|im_end|>\n{% endif %}{% endfor %}{% if add_generation_prompt %}"
    "<|im_start|>assistant\n{% endif %}"
)

COLOURS = {"red": (220, 30, 30), "blue": (30, 40, 220), "green": (20, 170, 40), "white": (245, 245, 245)}
SIZES = [(56, 56), (84, 56), (112, 84), (60, 130)]
MIN_PIXELS, MAX_PIXELS = 56 * 56, 112 * 112
VOCABULARY, LONGEST = 1024, 1024

QUESTION = "which colours?"


@dataclass(frozen=True)
class Lesson:
    """A rendered prompt, the picture files that go with it and the answer to be learned."""

    prompt: str
    pictures: tuple[Path, ...]
    answer: str


@dataclass(frozen=True)
class Shown:
    """A question, the pictures that go with it (colours and size of each) and the answer."""

    question: str
    pictures: tuple[tuple[str, str, tuple[int, int]], ...]
    answer: str


#: One picture each: what is on the left and on the right, in several sizes.
ONE = [
    Shown(QUESTION, ((left, right, SIZES[(n + m) % len(SIZES)]),), f"{left} {right}")
    for n, left in enumerate(COLOURS)
    for m, right in enumerate(COLOURS)
]

#: Two pictures in one question.
TWO = [
    Shown(f"first {IMAGE} then {IMAGE} left?", ((a, "white", SIZES[n]), (b, "white", SIZES[3 - n])), f"{a} {b}")
    for n, (a, b) in enumerate([("red", "blue"), ("blue", "red"), ("green", "red"), ("white", "green")])
]

#: No picture at all.
TEXT = [Shown(f"say {colour}", (), colour) for colour in COLOURS]

_SWAPPED = {"red": "green", "green": "red"}

#: What the base has learned wrong and the adapter right: red is called green, and green red.
WRONG = [
    Shown(s.question, s.pictures, " ".join(_SWAPPED.get(word, word) for word in s.answer.split())) for s in [*ONE, *TWO]
]


def draw(folder: Path, left: str, right: str, size: tuple[int, int]) -> str:
    """Paint a picture and return its name."""
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    image = Image.new("RGB", size, COLOURS[left])
    image.paste(COLOURS[right], (size[0] // 2, 0, size[0], size[1]))
    name = f"{left}-{right}-{size[0]}x{size[1]}.png"
    image.save(folder / name)
    return name


def make_base(
    folder: Path,
    *,
    steps: int = 130,
    texts: Sequence[str] = (),
    also: Callable[[Path], Sequence[Lesson]] = lambda folder: (),
) -> Path:
    """A base that sees colours but calls red green and green red, and repeats a colour it is told.

    Args:
        texts: what else the tokenizer should have words for.
        also: what else it learns; is given the model's folder.
    """
    import torch
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    folder.mkdir(parents=True, exist_ok=True)
    special = [*SPECIAL, *VISION]
    words = [f"{s.question} {s.answer}" for s in [*ONE, *TWO, *TEXT]]
    chat = "system\nYou are a helpful assistant.\n user\nuser\nassistant\n"
    make_tokenizer(folder, texts=[*words, chat, *texts], vocab_size=VOCABULARY, special=special)
    (folder / "chat_template.jinja").write_text(CHAT)
    ids = {token: number for number, token in enumerate(special)}
    processor = {
        "processor_class": "Qwen2_5_VLProcessor",
        "image_processor_type": "Qwen2VLImageProcessor",
        "min_pixels": MIN_PIXELS,
        "max_pixels": MAX_PIXELS,
        "patch_size": 14,
        "temporal_patch_size": 2,
        "merge_size": 2,
        "image_mean": [0.48145466, 0.4578275, 0.40821073],
        "image_std": [0.26862954, 0.26130258, 0.27577711],
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))
    config = Qwen2_5_VLConfig(
        text_config={
            "vocab_size": VOCABULARY,
            "hidden_size": 64,
            "intermediate_size": 128,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "max_position_embeddings": LONGEST,
            "rope_parameters": {"rope_type": "default", "mrope_section": [4, 6, 6], "rope_theta": 10000.0},
            "bos_token_id": None,
            "eos_token_id": ids[EOS],
        },
        vision_config={
            "depth": 2,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_heads": 2,
            "out_hidden_size": 64,
            "fullatt_block_indexes": [1],
        },
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
    )
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": ids[EOS]}))
    torch.manual_seed(0)
    model = Qwen2_5_VLForConditionalGeneration(config).float()
    config.save_pretrained(folder)
    train(model, folder, [*lessons(folder, [*WRONG, *TEXT]), *also(folder)], steps=steps, rate=4e-3)
    model.save_pretrained(folder)
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": ids[EOS]}))
    return folder


def make_lora(
    base: Path,
    folder: Path,
    *,
    targets: Sequence[str] | str = "language",
    taught: Sequence[Lesson] | None = None,
    steps: int = 120,
) -> Path:
    """A LoRA that has learned which is which.

    Args:
        targets: PEFT's `target_modules`; by default all linear layers of the language model.
        taught: something else to learn.
    """
    import peft
    import torch
    from transformers import AutoModelForImageTextToText

    torch.manual_seed(1)
    model = AutoModelForImageTextToText.from_pretrained(base, dtype=torch.float32)
    if targets == "language":
        targets = rf".*language_model.*\.({'|'.join(TARGETS)})"
    config = peft.LoraConfig(r=8, lora_alpha=16, target_modules=targets, task_type="CAUSAL_LM")
    wrapped = peft.get_peft_model(model, config)
    train(wrapped, base, taught or lessons(base, [*ONE, *TWO, *TEXT]), steps=steps, rate=5e-3)
    wrapped.save_pretrained(folder)
    return folder


def lessons(folder: Path, shown: Sequence[Shown]) -> list[Lesson]:
    """Questions in the form that the model of `folder` is asked in, with their pictures painted."""
    painted = folder.parent / "pictures"
    form = prompt_format("chat", folder=folder, model=folder, adapter=None)
    made = []
    for one in shown:
        pictures = tuple(painted / draw(painted, *picture) for picture in one.pictures)
        text = one.question if IMAGE in one.question else IMAGE * len(pictures) + one.question
        made.append(Lesson(form.render((Message(role="user", content=text),), len(pictures)), pictures, one.answer))
    return made


def train(model: object, folder: Path, taught: Sequence[Lesson], *, steps: int, rate: float) -> None:
    """Full-batch AdamW on the answers, through the processor of transformers and not through what is under test."""
    import torch
    from PIL import Image
    from transformers import AutoImageProcessor

    tokenizer, vision = PromptTokenizer(folder), vision_of(folder)
    assert vision is not None
    processor = AutoImageProcessor.from_pretrained(folder)
    rows, pictures = [], []
    for one in taught:
        pictures += [Image.open(path) for path in one.pictures]
        lengths = iter([vision.tokens(open_image(path.name, path.parent, where="test")) for path in one.pictures])
        prompt = tokenizer.encode(one.prompt)
        prompt = tuple(t for token in prompt for t in [token] * (next(lengths) if token == vision.token_id else 1))
        rows.append(([*prompt, *tokenizer.encode(one.answer), tokenizer.token_id(EOS)], len(prompt)))
    seen = processor(images=pictures, return_tensors="pt")
    width = max(len(ids) for ids, _ in rows)
    inputs = torch.zeros(len(rows), width, dtype=torch.long)
    mask = torch.zeros(len(rows), width, dtype=torch.long)
    labels = torch.full((len(rows), width), -100)
    for row, (ids, skip) in enumerate(rows):
        inputs[row, : len(ids)], mask[row, : len(ids)] = torch.tensor(ids), 1
        labels[row, skip : len(ids)] = torch.tensor(ids[skip:])
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # matrices this small only wait for each other
    parameters = [p for p in model.parameters() if p.requires_grad]  # type: ignore[attr-defined]
    optimizer = torch.optim.AdamW(parameters, lr=rate, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps, pct_start=0.1)
    model.train()  # type: ignore[attr-defined]
    for _ in range(steps):
        loss = model(  # type: ignore[operator]
            input_ids=inputs,
            attention_mask=mask,
            labels=labels,
            mm_token_type_ids=(inputs == vision.token_id).int() * mask.int(),
            **seen,
        ).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    model.eval()  # type: ignore[attr-defined]
    torch.set_num_threads(threads)
    train.loss = loss.item()  # type: ignore[attr-defined]
