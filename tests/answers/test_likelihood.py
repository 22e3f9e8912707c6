"""Where a prompt ends and an option begins: what stands between them, and which tokens are weighed."""

from __future__ import annotations

import pytest

from harness.answers.likelihood import continued, separator
from harness.candidates.prompt import ChatFormat, TextFormat
from harness.candidates.tokenizer import PromptTokenizer

PLAIN = TextFormat("plain", "{question}")
CHAT = ChatFormat("chat", "", ())
WORDS = ["a", "b", "c", ":", " ", "\n", "A", "B", "答", "：", " A", " B", ":A", "ab", "<s>"]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> PromptTokenizer:
    """A tokenizer that joins a space or a colon with the letter behind it, where the last merges say so."""
    from tokenizers import Tokenizer, models, processors

    folder = tmp_path_factory.mktemp("tokenizer")
    merges = [(" ", "A"), (" ", "B"), (":", "A"), ("a", "b")]
    made = Tokenizer(models.BPE(vocab={word: n for n, word in enumerate(WORDS)}, merges=merges))
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", len(WORDS) - 1)]
    )  # fmt: skip
    made.save(str(folder / "tokenizer.json"))
    return PromptTokenizer(folder)


def words(ids: tuple[int, ...]) -> list[str]:
    return [WORDS[token] for token in ids]


@pytest.mark.parametrize(
    ("prompt", "form", "between"),
    [
        ("Answer:", PLAIN, " "),
        ("Answer: ", PLAIN, ""),
        ("Answer:\n", PLAIN, ""),
        ("答案：", PLAIN, ""),
        ("答案是", PLAIN, ""),
        ("问题（单选）", PLAIN, ""),
        ("assistant:", CHAT, ""),
        ("assistant\n", CHAT, ""),
    ],
)
def test_a_space_stands_between_latin_words_only(prompt: str, form: TextFormat | ChatFormat, between: str) -> None:
    assert separator(prompt, form) == between


def test_the_options_tokens_are_what_follows_the_prompts(tokenizer: PromptTokenizer) -> None:
    (found,) = continued(["abc:"], [["A", "B"]], tokenizer, PLAIN)
    assert words(found.prompt) == ["<s>", "ab", "c", ":"]
    assert [words(option) for option in found.options] == [[" A"], [" B"]]


def test_white_space_that_joins_an_option_goes_with_every_option(tokenizer: PromptTokenizer) -> None:
    """lm-evaluation-harness moves it there too; "B" with its space is weighed against "A" with its space."""
    (found,) = continued(["c: "], [["A", "B"]], tokenizer, PLAIN)
    assert words(found.prompt) == ["<s>", "c", ":"]
    assert [words(option) for option in found.options] == [[" A"], [" B"]]


def test_where_one_option_joins_the_prompt_all_are_cut_before_the_joined_token(tokenizer: PromptTokenizer) -> None:
    (found,) = continued(["c:"], [["A", "B"]], tokenizer, CHAT)
    assert words(found.prompt) == ["c"], "a chat template writes its own special tokens"
    assert [words(option) for option in found.options] == [[":A"], [":", "B"]]


def test_prompts_with_different_numbers_of_options_keep_their_own(tokenizer: PromptTokenizer) -> None:
    found = continued(["答：", "c\n", "a:"], [["A"], ["A", "B", "ab"], ["B", "B"]], tokenizer, PLAIN)
    assert [[words(option) for option in one.options] for one in found] == [
        [["A"]],
        [["A"], ["B"], ["ab"]],
        [[" B"], [" B"]],
    ]
