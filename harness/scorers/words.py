"""Chinese text in words, for readers."""

from __future__ import annotations

from harness.scorers._tokenizers import _jieba


def cut(text: str) -> list[str]:
    """The words of a text as it stands: joined they are the text."""
    return list(_jieba().cut(text))
