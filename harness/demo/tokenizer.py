"""The demo's own byte-level BPE, in the form of a Qwen2 tokenizer.

`AutoTokenizer` puts Qwen2's pre-tokenizer in place of whatever is stored beside a qwen2 model, so the tokenizer is
stored with exactly that one. It lets words run on over Han characters (`\\p{L}+` matches them); merges are therefore
learned behind a second split that isolates every Han character and digit, and none ever crosses one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from harness.demo.prompts import CHAT_TEMPLATE

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
MAX_LENGTH = 512


def train(texts: Iterable[str], vocabulary: int) -> Any:
    """A `Qwen2Tokenizer` with at most `vocabulary` tokens, special ones included."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers
    from transformers.models.qwen2.tokenization_qwen2 import PRETOKENIZE_REGEX, Qwen2Tokenizer

    learner = Tokenizer(models.BPE())
    learner.normalizer = normalizers.NFC()
    learner.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PRETOKENIZE_REGEX), behavior="isolated"),
            pre_tokenizers.Split(Regex(r"\p{Han}|\p{N}"), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary - len(SPECIAL),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    learner.train_from_iterator(texts, trainer)
    learned = json.loads(learner.to_str())["model"]
    return Qwen2Tokenizer(
        vocab=learned["vocab"],
        merges=[tuple(pair) for pair in learned["merges"]],
        unk_token=SPECIAL[0],
        pad_token=SPECIAL[0],
        eos_token=SPECIAL[2],
        additional_special_tokens=[SPECIAL[1]],
        chat_template=CHAT_TEMPLATE,
        model_max_length=MAX_LENGTH,
        padding_side="left",
    )


def save(tokenizer: Any, folder: Path) -> None:
    """The tokenizer in two files, the chat template inside `tokenizer_config.json`."""
    tokenizer.save_pretrained(folder, save_jinja_files=False)


def load(folder: Path) -> Any:
    """The tokenizer as everybody else will load it."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)
