"""The direct strategy: ask the question, take what comes back."""

from __future__ import annotations

from harness.gold.item import Item, Message
from harness.suites.spec import Task


def conversation(item: Item, task: Task, *, system: str | None = None) -> tuple[Message, ...]:
    """The conversation that asks `item` in the way of `task`.

    Args:
        system: the candidate's own system prompt; it goes before the task's.
    """
    if item.messages is not None:
        turns = item.messages
    else:
        text = task.prompt_for(item.language).replace("{context}", item.context or "")
        turns = (Message(role="user", content=text.replace("{question}", item.text)),)
    chosen = system if system is not None else task.system
    if chosen is not None and turns[0].role != "system":
        return (Message(role="system", content=chosen), *turns)
    return turns
