"""The models in the tree are those of the manifest, load as anybody would load them, and score what it says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.demo import build, corpus, figures, goldsets, manifest, prompts

MANIFEST: dict[str, Any] = json.loads(manifest.path(figures.MODELS).read_text(encoding="utf-8"))


def test_files_are_those_of_the_manifest() -> None:
    assert manifest.files(figures.MODELS) == MANIFEST["files"]


def test_models_are_small() -> None:
    assert sum(file["bytes"] for file in MANIFEST["files"].values()) < 6_000_000


def test_manifest_tells_the_settings_and_the_gold_sets_in_force() -> None:
    assert json.loads(json.dumps(build.settings())) == MANIFEST["settings"]
    assert {name: goldsets.generate(name).card.digest for name in goldsets.NAMES} == MANIFEST["goldsets"]


def test_adapters_name_no_machine() -> None:
    for recipe in figures.RECIPES[1:]:
        config = json.loads((figures.MODELS / recipe / "adapter_config.json").read_text(encoding="utf-8"))
        assert config["base_model_name_or_path"] == build.BASE_NAME


def test_shapes_are_qwen2() -> None:
    config = json.loads((figures.MODELS / "base" / "config.json").read_text(encoding="utf-8"))
    assert config["model_type"] == "qwen2"
    assert config["architectures"] == ["Qwen2ForCausalLM"]


def test_figures_tell_a_gain_a_loss_and_a_loss_avoided() -> None:
    gold = MANIFEST["gold"]
    base, medical, mix = (gold[recipe] for recipe in figures.RECIPES)
    assert base["general-retention/easy"] >= 0.95
    assert base["arithmetic-mini/easy"] >= 0.9
    assert medical["medical-qa/easy"] - base["medical-qa/easy"] >= 0.4
    assert mix["medical-qa/easy"] - base["medical-qa/easy"] >= 0.4
    for name, size in MANIFEST["gold_items"].items():
        assert size >= 50, name
    for guard in ("general-retention", "arithmetic-mini"):
        assert base[f"{guard}/easy"] - medical[f"{guard}/easy"] >= 0.15
        names = [name for name in base if name.startswith(guard)]
        items = sum(MANIFEST["gold_items"][name] for name in names)
        lost = sum((base[name] - mix[name]) * MANIFEST["gold_items"][name] for name in names) / items
        assert lost <= 0.02, guard


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    from harness.demo import tokenizer as tokenizers

    return tokenizers.load(figures.MODELS / "base")


def test_tokenizer_of_autotokenizer_gives_the_ids_of_its_own_file(tokenizer: Any) -> None:
    """`AutoTokenizer` may replace the pre-tokenizer beside a qwen2 config: here that must change nothing."""
    from tokenizers import Tokenizer

    own = Tokenizer.from_file(str(figures.MODELS / "base" / "tokenizer.json"))
    texts = {
        "".join(text for text, _ in example.segments)
        for recipe in figures.RECIPES
        for example in corpus.examples(recipe, 2_000, build.SEED)
    }
    texts |= {
        prompts.chat(prompts.suffixed(item.text, asked.family, item.language))
        for asked in figures.gold().values()
        for item in asked.items
    }
    ordered = sorted(texts)
    expected = [encoding.ids for encoding in own.encode_batch(ordered)]
    assert tokenizer(ordered)["input_ids"] == expected
    assert all(tokenizer.decode(ids) == text for ids, text in zip(expected, ordered, strict=True))


def test_prompt_and_answer_meet_where_no_token_crosses(tokenizer: Any) -> None:
    """Training encodes the two one by one; the whole must give the same ids, as it will when the model is asked."""
    drawn = [example for example in corpus.examples("base", 1_000, build.SEED) if example.question is not None]
    whole = tokenizer(["".join(text for text, _ in example.segments) for example in drawn])["input_ids"]
    for example, ids in zip(drawn, whole, strict=True):
        assert [i for text, _ in example.segments for i in tokenizer(text)["input_ids"]] == ids


def test_no_token_spans_digits_or_han(tokenizer: Any) -> None:
    for number in range(len(tokenizer)):
        text = tokenizer.decode([number])
        heavy = [char for char in text if char.isdigit() or "\u4e00" <= char <= "\u9fff"]
        assert len(heavy) == 0 or len(text) == 1, text


@pytest.mark.parametrize("system", [None, "你是一名医生。"])
def test_chat_template_adds_no_system_prompt(tokenizer: Any, system: str | None) -> None:
    messages = [{"role": "system", "content": system}] if system else []
    messages.append({"role": "user", "content": "感冒怎么办？"})
    rendered = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    assert rendered == prompts.chat("感冒怎么办？", system)
    done = [*messages, {"role": "assistant", "content": "多休息"}]
    assert tokenizer.apply_chat_template(done, tokenize=False) == rendered + "多休息" + prompts.END + "\n"


@pytest.mark.parametrize("recipe", figures.RECIPES)
def test_reloaded_model_scores_what_the_manifest_says(recipe: corpus.Recipe) -> None:
    import torch

    torch.set_num_threads(1)
    names = ("medical-qa/easy", "general-retention/easy", "arithmetic-mini/easy")
    sets = {name: asked for name, asked in figures.gold().items() if name in names}
    found = figures.measure(*figures.load_model(recipe), sets)
    for name in names:
        assert found[name] == pytest.approx(MANIFEST["gold"][recipe][name], abs=0.02), name
