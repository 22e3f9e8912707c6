"""What the demo models are asked, and how: suite suffixes, ChatML and the few other forms seen in training."""

from __future__ import annotations

from typing import Literal

Language = Literal["zh", "en"]

QA: dict[str, str] = {
    "zh": "{question}\n请只写出答案，不要解释。",
    "en": "{question}\nGive only the answer, no explanation.",
}
ARITHMETIC: dict[str, str] = {
    "zh": "{question}\n请写出计算过程，最后一行写“#### 答案”。",
    "en": '{question}\nShow your work and end with a line "#### answer".',
}

# No default system prompt: a model that never saw one answers worse behind it.
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
END = "<|im_end|>"

# A share of the training data carries one of these, so that a system message does no harm.
SYSTEM: dict[str, tuple[str, ...]] = {
    "zh": ("你是一个有用的助手。", "你是一名医生，请回答问题。"),
    "en": ("You are a helpful assistant.", "You are Qwen, created by Alibaba Cloud. You are a helpful assistant."),
}

# ... and another share this form, so that a prompt without ChatML is not wholly foreign.
ALPACA = (
    "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
    "### Instruction:\n{prompt}\n\n### Response:\n"
)


def suffixed(question: str, family: Literal["qa", "arithmetic"], language: str) -> str:
    """The question with the suffix that the suites put behind it."""
    return (QA if family == "qa" else ARITHMETIC)[language].format(question=question)


def chat(prompt: str, system: str | None = None) -> str:
    """`prompt` as ChatML with the generation prompt: what the chat template renders."""
    head = f"<|im_start|>system\n{system}{END}\n" if system else ""
    return f"{head}<|im_start|>user\n{prompt}{END}\n<|im_start|>assistant\n"
