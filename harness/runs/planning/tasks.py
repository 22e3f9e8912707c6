"""The items that a suite asks here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.digest import digest_bytes
from harness.errors import InputError
from harness.gold.goldset import load_goldset
from harness.gold.item import Item
from harness.gold.sources import NotHere
from harness.runs.plan import LoadedTask, Options
from harness.suites.choices import check_choices
from harness.suites.open_items import check_gold_answers
from harness.suites.spec import Suite


def load_tasks(suite: Suite, folder: Path, options: Options) -> tuple[LoadedTask, ...]:
    """Read the gold sets of a suite and draw the items to ask.

    With a part, only the items of that half of every gold set are asked. With a limit, items are drawn by a hash of
    seed and content: the same items for every candidate, on every machine, and a larger limit asks the smaller one's
    items again (from the store). Optional tasks whose gold set is not on this machine are left out.

    Raises:
        InputError: a gold set is missing or broken, does not fit its task, or no task is left.
    """
    if options.limit is not None and options.limit < 1:
        raise InputError("--limit must be at least 1", remedy="Leave it out to ask every item.")
    if options.repeats < 1:
        raise InputError("--repeats must be at least 1")
    loaded = []
    for task in suite.tasks:
        try:
            goldset = load_goldset(task.goldset, folder=folder, overrides=options.goldsets)
        except NotHere:
            if not task.optional:
                raise
            continue
        check_gold_answers(task, goldset)
        check_choices(task, goldset)
        items = options.part.of(goldset) if options.part else goldset.items
        loaded.append(LoadedTask(task, goldset, _draw(items, options)))
    if not loaded:
        wanted = " ".join(f"--goldset {name}=PATH" for name in dict.fromkeys(task.goldset for task in suite.tasks))
        raise InputError(
            f"none of the gold sets of suite {suite.name!r} is on this machine", remedy=f"Give a local copy: {wanted}."
        )
    return tuple(loaded)


def _draw(items: Sequence[Item], options: Options) -> tuple[Item, ...]:
    if options.limit is None or options.limit >= len(items):
        return tuple(items)
    order = sorted(items, key=lambda item: digest_bytes(f"{options.seed}:{item.digest}:{item.id}".encode()))
    drawn = {item.id for item in order[: options.limit]}
    return tuple(item for item in items if item.id in drawn)
