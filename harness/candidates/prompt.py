"""Prompt formats: how a conversation becomes the text a model was trained to see.

A LoRA trained on an Alpaca template and asked through the chat template looks broken, and a base asked through the
Alpaca template looks stupid. So the format belongs to the candidate.

Chat templates are rendered with Jinja2 exactly as transformers does (`apply_chat_template`), without importing it.
Pictures stand in a conversation as `IMAGE` marks; the template of a vision model writes its own placeholder for each.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from harness.candidates.tokenizer import PromptTokenizer, read_json
from harness.errors import InputError, did_you_mean
from harness.gold.item import Message

if TYPE_CHECKING:
    from jinja2 import Template

_ALPACA = (
    "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
    "### Instruction:\n{question}\n\n### Response:\n"
)
_ALPACA_INPUT = (
    "Below is an instruction that describes a task, paired with an input that provides further context. "
    "Write a response that appropriately completes the request.\n\n"
    "### Instruction:\n{question}\n\n### Input:\n\n\n### Response:\n"
)
_MEDICAL_ZH = "### 问题：\n{question}\n\n### 回答：\n"
_PLAIN = "{question}\n"

#: Formats with a text of their own. `alpaca` is Stanford's form without an input (Taori et al. 2023),
#: `alpaca-input` the form with an empty input section that fine-tuning notebooks use.
TEXT_FORMATS = {"alpaca": _ALPACA, "alpaca-input": _ALPACA_INPUT, "medical-zh": _MEDICAL_ZH, "plain": _PLAIN}


#: Where a picture stands in the text of a turn (LLaVA's mark, which ShareGPT files and training tools use too).
IMAGE = "<image>"


class PromptFormat(Protocol):
    """Turns a conversation into text.

    Attributes:
        name: shown in reports.
        special: True when the tokenizer shall add its own special tokens (plain texts; a chat template writes them).
        note: what the user should know, or "".
    """

    @property
    def name(self) -> str: ...

    @property
    def special(self) -> bool: ...

    @property
    def note(self) -> str: ...

    def render(self, messages: tuple[Message, ...], images: int = 0) -> str:
        """The text up to where the answer starts.

        Args:
            images: how many pictures go with it; with none, `IMAGE` is text like any other.

        Raises:
            InputError: the format has no place for pictures, or refuses the conversation.
        """
        ...

    def reply(self, messages: tuple[Message, ...], answer: str, end: str) -> str:
        """What follows the prompt where `answer` is given: all that training has to teach, up to the end token.

        Args:
            end: the text of the token that ends an answer.

        Raises:
            InputError: the format writes no answers.
        """
        ...


@dataclass(frozen=True)
class TextFormat:
    """A text with `{question}`: the system prompt stands before it, earlier turns are joined."""

    name: str
    text: str
    note: str = ""
    special: bool = True

    def render(self, messages: tuple[Message, ...], images: int = 0) -> str:
        if images:
            raise InputError(
                f"the prompt format {self.name!r} has no place for pictures",
                remedy="Ask a vision model through its chat template (prompt: chat).",
            )
        system = "\n\n".join(m.content for m in messages if m.role == "system")
        turns = [m.content for m in messages if m.role != "system"]
        asked = self.text.replace("{question}", "\n\n".join(turns))
        return f"{system}\n\n{asked}" if system else asked

    def reply(self, messages: tuple[Message, ...], answer: str, end: str) -> str:
        return f"{answer}{end}"


@dataclass(frozen=True)
class ChatFormat:
    """The model's own chat template (Jinja2)."""

    name: str
    template: str
    tokens: tuple[tuple[str, str], ...]
    note: str = ""
    special: bool = False

    def render(self, messages: tuple[Message, ...], images: int = 0) -> str:
        try:
            return self._rendered(messages, images, ask=True)
        except TypeError as error:  # a text model's template that joins strings
            if not images:
                raise
            raise InputError(
                f"the chat template cannot write pictures ({error})", where=self.name, remedy=TEXT_TEMPLATE
            ) from None

    def reply(self, messages: tuple[Message, ...], answer: str, end: str) -> str:
        """What the template writes between the generation prompt and the end of the answer.

        Some templates put more than the answer there (Qwen3: an empty block of thoughts).
        """
        asked = self._rendered(messages, 0, ask=True)
        whole = self._rendered((*messages, Message(role="assistant", content=answer)), 0, ask=False)
        written, found, _ = whole.removeprefix(asked).partition(answer.strip())
        if not whole.startswith(asked) or not found:
            raise InputError(
                "the chat template writes no assistant turn after its generation prompt",
                where=self.name,
                remedy="It cannot be trained on: name another prompt format, or mend the template.",
            )
        return f"{written}{answer.strip()}{end}"

    def _rendered(self, messages: tuple[Message, ...], images: int, *, ask: bool) -> str:
        from jinja2 import TemplateError

        try:
            return _compile(self.template).render(
                messages=[{"role": m.role, "content": _parts(m.content) if images else m.content} for m in messages],
                add_generation_prompt=ask,
                tools=None,
                documents=None,
                **dict(self.tokens),
            )
        except TemplateError as error:
            raise InputError(f"the chat template refuses the conversation: {error}", where=self.name) from None


#: What to do about a template that was written for text.
TEXT_TEMPLATE = (
    "It was written for a text model: give the vision model's own template with prompt: FILE.jinja in harness.yaml, or "
    "remove the one that was saved beside the adapter."
)


def _parts(content: str) -> str | list[dict[str, str]]:
    """A turn as vision templates take it, its pictures apart from its text; a turn without pictures stays a text."""
    if IMAGE not in content:
        return content
    parts: list[dict[str, str]] = []
    for number, text in enumerate(content.split(IMAGE)):
        if number:
            parts.append({"type": "image"})
        if text:
            parts.append({"type": "text", "text": text})
    return parts


def prompt_format(name: str, *, folder: Path, model: Path, adapter: Path | None) -> PromptFormat:
    """A format by name, or from a file (`.jinja` is a chat template, anything else a text with `{question}`).

    Args:
        folder: where a relative file name starts.
        model: directory whose chat template `chat` means; an adapter's own template goes before it.

    Raises:
        InputError: no such format or file, or a text without `{question}`.
    """
    if name == "chat":
        return _chat(model, adapter)
    if name in TEXT_FORMATS:
        return TextFormat(name, TEXT_FORMATS[name])
    path = folder / name
    if not path.is_file():
        known = ["chat", *TEXT_FORMATS]
        raise InputError(f"unknown prompt format {name!r}", remedy=f"{did_you_mean(name, known)} A file works too.")
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".jinja":
        return ChatFormat(name, text, tuple(sorted(PromptTokenizer(model).special_tokens.items())))
    if "{question}" not in text:
        raise InputError("the prompt template has no {question}", where=str(path))
    return TextFormat(name, text)


def _chat(model: Path, adapter: Path | None) -> PromptFormat:
    for place in (adapter, model):
        template = chat_template(place) if place else None
        if template is not None:
            tokens = PromptTokenizer(model).special_tokens
            return ChatFormat("chat", template, tuple(sorted(tokens.items())))
    return TextFormat(
        "plain", _PLAIN, note=f"{model.name} has no chat template: questions are asked as plain text, one line each"
    )


def chat_template(folder: Path) -> str | None:
    """The default chat template saved in a directory: a file of its own or a key of `tokenizer_config.json`."""
    own = folder / "chat_template.jinja"
    if own.is_file():
        return own.read_text(encoding="utf-8")
    for source in (folder / "chat_template.json", folder / "tokenizer_config.json"):
        found = read_json(source).get("chat_template")
        if isinstance(found, list):  # several named templates
            found = next((t.get("template") for t in found if t.get("name") == "default"), None)
        if isinstance(found, str):
            return found
    return None


def stop_token_ids(model: Path, adapter: Path | None, tokenizer: PromptTokenizer) -> tuple[int, ...]:
    """Every id that ends an answer: those of the generation config, the config and the tokenizer, sorted.

    Made explicit because engines differ in where they look: the same model would ramble on in one of them.
    """
    found: set[int] = set()
    for source in (read_json(model / "generation_config.json"), read_json(model / "config.json")):
        value = source.get("eos_token_id")
        found.update(v for v in (value if isinstance(value, list) else [value]) if isinstance(v, int))
    names = {tokenizer.special_tokens.get("eos_token")}
    if adapter is not None:
        eos = read_json(adapter / "tokenizer_config.json").get("eos_token")
        names.add(eos.get("content") if isinstance(eos, dict) else eos)
    for name in names:
        token = tokenizer.token_id(name) if isinstance(name, str) else None
        if token is not None:
            found.add(token)
    return tuple(sorted(found))


@lru_cache(maxsize=16)
def _compile(source: str) -> Template:
    """Compile as transformers' `_compile_jinja_template` does: sandboxed, trimmed, with its globals and filters."""
    from jinja2 import TemplateError, nodes
    from jinja2.ext import Extension, loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class GenerationTag(Extension):
        """`{% generation %}` marks the assistant's tokens for training; for rendering it is only its body."""

        tags = {"generation"}  # noqa: RUF012 (Jinja2 declares it so)

        def parse(self, parser: Any) -> Any:
            line = next(parser.stream).lineno
            body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
            return nodes.Scope(body).set_lineno(line)

    def raise_exception(message: str) -> None:
        raise TemplateError(message)

    def tojson(value: Any, **options: Any) -> str:
        return json.dumps(value, ensure_ascii=False, **options)

    def strftime_now(form: str) -> str:
        return datetime.now().strftime(form)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[GenerationTag, loopcontrols]
    )
    environment.filters["tojson"] = tojson
    environment.globals["raise_exception"] = raise_exception
    environment.globals["strftime_now"] = strftime_now
    return environment.from_string(source)
