"""What a row of somebody else's data set says about the question, by the names that such columns usually have."""

from __future__ import annotations

from typing import Any

_IDS = ("item_id", "id")
_QUESTIONS = ("question", "query", "problem", "prompt", "input", "ask", "instruction")


def id_of(row: Any) -> str | None:
    """The row's own id as a text, None where it has none."""
    return next((str(row[key]) for key in _IDS if _is_name(row.get(key))), None) if isinstance(row, dict) else None


def question_of(row: Any) -> str | None:
    """The row's question, None where no column looks like one."""
    if not isinstance(row, dict):
        return None
    return next((row[key] for key in _QUESTIONS if isinstance(row.get(key), str) and row[key].strip()), None)


def text_of(content: Any) -> str:
    """The text of a chat message: a text, or a list of parts of which those of type `text` count.

    Parts of type `reasoning` are what a model thought, not what it answered.
    """
    if isinstance(content, str):
        return content
    if content is None:
        return ""
    return "\n".join(part["text"] for part in content if part.get("type") == "text")


def _is_name(value: Any) -> bool:
    return (isinstance(value, str) and bool(value)) or (isinstance(value, int) and not isinstance(value, bool))
