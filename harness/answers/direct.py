"""The direct strategy: ask the question, take what comes back."""

from __future__ import annotations

import re

from harness.answers.pictures import marked
from harness.gold.choices import listed
from harness.gold.item import Item, Message
from harness.suites.spec import Task

_PLACE = re.compile(r"\{(question|context|choices)\}")


def conversation(item: Item, task: Task, *, system: str | None = None) -> tuple[Message, ...]:
    """The conversation that asks `item` in the way of `task`.

    Every picture of the item has its `IMAGE` mark in it (see `marked`).

    Args:
        system: the candidate's own system prompt; it goes before the task's.

    Raises:
        InputError: the text has marks, but not as many as the item has pictures.
    """
    if item.messages is not None:
        turns = item.messages
    else:
        parts = {"question": item.text, "context": item.context or "", "choices": listed(item)}
        # In one pass: a question that holds "{choices}" is left alone.
        text = _PLACE.sub(lambda place: parts[place[1]], task.prompt_for(item.language))
        turns = (Message(role="user", content=text),)
    turns = marked(turns, item)
    chosen = system if system is not None else task.system
    if chosen is not None and turns[0].role != "system":
        return (Message(role="system", content=chosen), *turns)
    return turns
