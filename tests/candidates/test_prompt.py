"""Prompts are rendered as transformers renders them, without importing it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from harness.candidates.prompt import ChatFormat, TextFormat, prompt_format, stop_token_ids
from harness.candidates.tokenizer import PromptTokenizer
from harness.errors import InputError
from harness.gold.item import Message

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
DEFAULT_SYSTEM = (
    "{%- if messages[0]['role'] == 'system' %}\n    {{- '<s>' + messages[0]['content'] }}\n{%- else %}\n"
    "    {{- '<s>You are a helpful assistant.' }}\n{%- endif %}\n"
    "{%- for m in messages if m.role != 'system' %}\n    {{- '[' + m.role + ']' + (m.content | trim) }}\n"
    "{%- endfor %}\n"
    "{%- if add_generation_prompt %}{{- '[assistant]' }}{%- endif %}"
)
WITH_TOKENS = "{{ bos_token }}{% for m in messages %}{{ m | tojson }}{% endfor %}{{ eos_token }}"
WITH_GENERATION = (
    "{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}{{ m.content }}{% endgeneration %}"
    "{% else %}{{ m.content }}{% endif %}{% if loop.index > 5 %}{% break %}{% endif %}{% endfor %}"
)
CONVERSATIONS = [
    (Message(role="user", content="法国的首都是哪里？"),),
    (Message(role="system", content="Be brief.  "), Message(role="user", content="Hi & <b>bye</b>")),
    (
        Message(role="user", content="1+1?"),
        Message(role="assistant", content="2"),
        Message(role="user", content="再加 1？\n"),
    ),
]


def tokenizer_folder(folder: Path, template: str | None) -> Path:
    words = ["<unk>", "<|im_end|>", "<s>", "hello", *map(str, range(100))]
    vocabulary = {word: number for number, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.add_special_tokens(["<|im_end|>", "<s>"])
    tokenizer.save(str(folder / "tokenizer.json"))
    config: dict[str, object] = {
        "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "<|im_end|>",
    }  # fmt: skip
    if template is not None:
        config["chat_template"] = template
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "config.json").write_text('{"eos_token_id": 1}', encoding="utf-8")
    return folder


@pytest.mark.parametrize("template", [CHATML, DEFAULT_SYSTEM, WITH_TOKENS, WITH_GENERATION])
def test_a_chat_template_renders_as_in_transformers(tmp_path: Path, template: str) -> None:
    from transformers import AutoTokenizer

    folder = tokenizer_folder(tmp_path, template)
    reference = AutoTokenizer.from_pretrained(folder)
    ours = prompt_format("chat", folder=tmp_path, model=folder, adapter=None)
    for conversation in CONVERSATIONS:
        turns = [m.model_dump() for m in conversation]
        assert ours.render(conversation) == reference.apply_chat_template(
            turns, tokenize=False, add_generation_prompt=True
        )


def test_rendering_imports_neither_transformers_nor_torch(tmp_path: Path) -> None:
    folder = tokenizer_folder(tmp_path, CHATML)
    code = (
        "import sys; from pathlib import Path\n"
        "from harness.candidates.prompt import prompt_format\n"
        "from harness.candidates.tokenizer import PromptTokenizer\n"
        "from harness.gold.item import Message\n"
        f"folder = Path({str(folder)!r})\n"
        "form = prompt_format('chat', folder=folder, model=folder, adapter=None)\n"
        "text = form.render((Message(role='user', content='hello'),))\n"
        "assert PromptTokenizer(folder).encode(text)\n"
        "assert not {'torch', 'transformers', 'vllm'} & set(sys.modules), 'heavy import'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_template_that_refuses_is_the_users_to_see(tmp_path: Path) -> None:
    folder = tokenizer_folder(tmp_path, "{{ raise_exception('no system turn') }}")
    with pytest.raises(InputError, match="no system turn"):
        prompt_format("chat", folder=tmp_path, model=folder, adapter=None).render(CONVERSATIONS[1])


def test_a_model_without_a_template_is_asked_plainly_and_says_so(tmp_path: Path) -> None:
    form = prompt_format("chat", folder=tmp_path, model=tokenizer_folder(tmp_path, None), adapter=None)
    assert isinstance(form, TextFormat)
    assert form.render(CONVERSATIONS[0]) == "法国的首都是哪里？\n"
    assert "no chat template" in form.note


def test_the_adapters_own_template_goes_before_the_bases(tmp_path: Path) -> None:
    base, adapter = tmp_path / "base", tmp_path / "adapter"
    base.mkdir()
    adapter.mkdir()
    tokenizer_folder(base, CHATML)
    (adapter / "chat_template.jinja").write_text("trained: {{ messages[0].content }}", encoding="utf-8")
    form = prompt_format("chat", folder=tmp_path, model=base, adapter=adapter)
    assert form.render(CONVERSATIONS[0]) == "trained: 法国的首都是哪里？"


def test_formats_by_name_and_by_file(tmp_path: Path) -> None:
    folder = tokenizer_folder(tmp_path, CHATML)
    alpaca = prompt_format("alpaca", folder=tmp_path, model=folder, adapter=None)
    assert alpaca.render(CONVERSATIONS[0]).endswith("### Instruction:\n法国的首都是哪里？\n\n### Response:\n")
    (tmp_path / "mine.txt").write_text("问：{question}\n答：", encoding="utf-8")
    mine = prompt_format("mine.txt", folder=tmp_path, model=folder, adapter=None)
    assert mine.render(CONVERSATIONS[0]) == "问：法国的首都是哪里？\n答："
    (tmp_path / "mine.jinja").write_text("{{ messages[-1].content }}{{ eos_token }}", encoding="utf-8")
    chat = prompt_format("mine.jinja", folder=tmp_path, model=folder, adapter=None)
    assert isinstance(chat, ChatFormat)
    assert chat.render(CONVERSATIONS[0]) == "法国的首都是哪里？<|im_end|>"


def test_an_unknown_format_suggests_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Did you mean 'alpaca"):
        prompt_format("alpacca", folder=tmp_path, model=tmp_path, adapter=None)


def test_a_template_file_without_a_place_for_the_question_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.txt").write_text("no place", encoding="utf-8")
    with pytest.raises(InputError, match=r"no \{question\}"):
        prompt_format("bad.txt", folder=tmp_path, model=tmp_path, adapter=None)


def test_every_id_that_ends_an_answer_is_found(tmp_path: Path) -> None:
    folder = tokenizer_folder(tmp_path, CHATML)
    (folder / "generation_config.json").write_text('{"eos_token_id": [1, 3]}', encoding="utf-8")
    (folder / "config.json").write_text('{"eos_token_id": 2}', encoding="utf-8")
    assert stop_token_ids(folder, None, PromptTokenizer(folder)) == (1, 2, 3)
