"""Whether a gold set fits a task that gives options to choose from."""

from __future__ import annotations

from collections.abc import Sequence

from harness.errors import InputError
from harness.gold.choices import chance, gold_letters
from harness.gold.goldset import GoldSet
from harness.gold.item import Item
from harness.suites.spec import Task


def check_choices(task: Task, goldset: GoldSet) -> None:
    """Refuse items that the task cannot ask or score.

    Raises:
        InputError: an item without options, an answer that names none of them, options that the model would not see,
            or several letters together where likelihoods can only choose one; names the file and the item.
    """
    for item in goldset.items:
        where = f"{goldset.path}: item {item.id!r}"
        if not task.gives_choices:
            if item.choices is None and item.messages is None and "{choices}" in task.prompt_for(item.language):
                raise InputError(
                    f"the prompt of task {task.name!r} asks for 'choices', but there are none", where=where
                )
            continue
        try:
            accepted = gold_letters(item)
        except ValueError as error:
            raise InputError(
                str(error),
                where=where,
                remedy=f"Task {task.name!r} is multiple choice: an item needs 'choices' and a letter as its 'answer'.",
            ) from None
        if task.answer == "loglikelihood" and any(len(answer) > 1 for answer in accepted):
            raise InputError(
                f"several options are right together ({accepted[0]}), but likelihoods choose one",
                where=where,
                remedy="Take such items out, or use {choice: {method: generated}}.",
            )
        if task.asks_for_letters and not _shown(task, item):
            raise InputError(
                f"the prompt of task {task.name!r} does not show the options",
                where=where,
                remedy="Write {choices} into the prompt, or leave the prompt out to have one made.",
            )


def floor_of(task: Task, items: Sequence[Item]) -> float:
    """The score of a model that knows nothing: what the suite says, else chance where there are options, else 0."""
    if task.floor is not None:
        return task.floor
    if not task.gives_choices or not items:
        return 0.0
    return sum(chance(item) for item in items) / len(items)


def _shown(task: Task, item: Item) -> bool:
    if item.messages is None and "{choices}" in task.prompt_for(item.language):
        return True
    asked = item.text if item.messages is None else "\n".join(message.content for message in item.messages)
    return all(choice.strip() in asked for choice in item.choices or ())
