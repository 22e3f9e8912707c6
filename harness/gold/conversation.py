"""Conversations as other tools write them: OpenAI messages, ShareGPT, and their relatives."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from harness.errors import InputError, did_you_mean
from harness.gold.item import Message

Role: TypeAlias = Literal["system", "user", "assistant"]

_ROLES: dict[str, Role] = {
    "system": "system", "developer": "system", "user": "user", "human": "user", "patient": "user",
    "assistant": "assistant", "gpt": "assistant", "chatgpt": "assistant", "bot": "assistant", "model": "assistant",
    "doctor": "assistant",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Conversation:
    """What is asked, and what was answered to it.

    Attributes:
        turns: everything before the answer; empty when nothing is asked.
        answer: the last assistant turn, None when there is none.
    """

    turns: tuple[Message, ...]
    answer: str | None

    @property
    def question(self) -> str | None:
        """The text when one user turn is all that is asked: a suite's prompt can then be put round it."""
        return self.turns[0].content if len(self.turns) == 1 and self.turns[0].role == "user" else None

    @property
    def messages(self) -> tuple[Message, ...]:
        return self.turns

    @property
    def text(self) -> str:
        """The last user turn; "" when there is none."""
        return next((turn.content for turn in reversed(self.turns) if turn.role == "user"), "")

    def with_system(self, text: str) -> Conversation:
        """Under another system prompt."""
        kept = tuple(turn for turn in self.turns if turn.role != "system")
        return Conversation((Message(role="system", content=text), *kept), self.answer) if kept else self

    def without(self, pattern: re.Pattern[str]) -> Conversation:
        """With every match of `pattern` removed from what is asked (`<image>` marks, which the images replace)."""
        turns = (turn.model_copy(update={"content": pattern.sub("", turn.content).strip()}) for turn in self.turns)
        return Conversation(tuple(turns), self.answer)


def read_conversation(value: Any, *, where: str, answered_elsewhere: bool = False) -> Conversation:
    """Turns with `role`/`content` (OpenAI) or `from`/`value` (ShareGPT).

    The last assistant turn with a text is the answer and what precedes it is asked; turns after it, such as a user's
    closing thanks, are left out. With `answered_elsewhere` the turns up to the last user's are asked and the answer
    stands in another column.

    Raises:
        InputError: no list of turns, a turn without text, or a role that is not known (tools).
    """
    if value is None or value == "":
        return Conversation((), None)
    if not isinstance(value, list | tuple):
        raise InputError("must hold a list of turns", where=where, remedy="Map another column to 'messages'.")
    said = [_turn(turn, f"{where}, turn {number}") for number, turn in enumerate(value, start=1)]
    turns = list(said)
    role = "user" if answered_elsewhere else "assistant"
    while turns and (turns[-1].role != role or not turns[-1].content):
        turns.pop()
    if answered_elsewhere:
        return Conversation(tuple(turns), None)
    if not turns:  # nothing was answered: what is asked is still told, so that the report can say what is missing
        return Conversation(tuple(turn for turn in said if turn.content), None)
    return Conversation(tuple(turns[:-1]), turns[-1].content)


def _turn(turn: Any, where: str) -> Message:
    if not isinstance(turn, Mapping):
        raise InputError("is no turn with a role and a text", where=where)
    for speaker, said in (("role", "content"), ("from", "value")):
        if speaker in turn:
            name, text = turn[speaker], turn.get(said)
            break
    else:
        raise InputError("a turn has neither 'role' nor 'from'", where=where)
    role = _ROLES.get(str(name).strip().casefold())
    if role is None:
        raise InputError(
            f"the role {str(name)!r} cannot be asked of a plain model",
            where=where,
            remedy=did_you_mean(str(name), _ROLES),
        )
    return Message(role=role, content=_content(text, where))


def _content(value: Any, where: str) -> str:
    """The text of a turn; OpenAI's list of parts is put together."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list) and all(isinstance(part, Mapping) and part.get("type") == "text" for part in value):
        return "\n".join(str(part.get("text", "")).strip() for part in value)
    raise InputError(
        "a turn holds something other than text",
        where=where,
        remedy="Put images into a column of their own and map it to 'images'.",
    )
