"""Repeats that draw nothing: why K answers to an item may be one answer K times, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Undrawn:
    """A task that one candidate answers without drawing anything.

    Attributes:
        weighed: its options are weighed; else it decodes greedily.
        own: the candidate's own `sampling` states temperature 0, which goes before everything else.
    """

    candidate: str
    task: str
    weighed: bool
    own: bool


def undrawn(found: Iterable[Undrawn], repeats: int) -> tuple[str, ...]:
    """One sentence for each way in which repeats are the same answer; tasks and candidates are named together."""
    weighed: dict[str, None] = {}
    greedy: dict[bool, tuple[dict[str, None], dict[str, None]]] = {}
    for one in found:
        if one.weighed:
            weighed[one.task] = None
        else:
            candidates, tasks = greedy.setdefault(one.own, ({}, {}))
            candidates[one.candidate] = None
            tasks[one.task] = None
    said = [
        f"greedy decoding (temperature 0) of {', '.join(candidates)} on {', '.join(tasks)}: the {repeats} repeats of "
        f"an item are the same answer, asked once and counted once; {_REMEDY[own]}"
        for own, (candidates, tasks) in sorted(greedy.items())
    ]
    if weighed:
        said.append(
            f"options are weighed on {', '.join(weighed)}: nothing is drawn, so the {repeats} repeats of an item are "
            "the same answer"
        )
    return tuple(said)


_REMEDY = {
    False: "--temperature 0.7 draws different ones, or leave --repeats out",
    True: "their own 'sampling: {temperature: 0}' in harness.yaml goes before --temperature, so change it there",
}
