"""How text becomes the tokens that ROUGE counts. Punctuation is never a token; all three ignore case and width.

A tokenizer is deterministic given its label, which the signature carries.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from typing import Any, Literal

from harness.text import fold_case, fold_width

TokenizerName = Literal["jieba", "char", "rouge_score"]
Tokenize = Callable[[str], list[str]]

_ENGLISH = re.compile("[a-z0-9]+")
_CHAR = re.compile(r"[a-z0-9]+|[^\W_]")
_HAS_WORD = re.compile(r"[^\W_]")


def tokenizer(name: TokenizerName) -> Tokenize:
    """The tokenizer of that name.

    `jieba`: Chinese words, by jieba's default dictionary and HMM. `char`: each Chinese character, and each Latin word
    or number whole. `rouge_score`: lower-case `[a-z0-9]+`, as the reference package splits English without stemming
    (it finds nothing in Chinese text).
    """
    return {"jieba": _jieba_words, "char": _chars, "rouge_score": _english}[name]


@cache
def label(name: TokenizerName) -> str:
    """The name with whatever version decides the tokens."""
    return f"jieba-{version('jieba')}" if name == "jieba" else name


def _english(text: str) -> list[str]:
    return _ENGLISH.findall(text.lower())


def _chars(text: str) -> list[str]:
    return _CHAR.findall(fold_case(fold_width(text)))


def _jieba_words(text: str) -> list[str]:
    words: list[str] = _jieba().lcut(fold_case(fold_width(text)))
    return [word for word in words if _HAS_WORD.search(word)]


@cache
def _jieba() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # jieba 0.42.1 has invalid escapes, which Python reports at compile time
        import jieba

    logging.getLogger("jieba").setLevel(logging.WARNING)
    # Our own instance, so that words a caller added to jieba's global one cannot change scores; and read from the
    # packaged dictionary, because jieba's cache in the shared temporary folder may be another version's.
    cutter = jieba.Tokenizer()
    cutter.FREQ, cutter.total = cutter.gen_pfdict(cutter.get_dict_file())
    cutter.initialized = True
    return cutter
