"""The questions of a load: the suite's own, drawn by a seed, each in the words that its candidate is asked in.

Two things would make a load easier than life. Answers that were given before: nothing here goes through the completion
store, every request is sent. And prompts that were read before: servers keep what they computed for a prefix, so a
question that comes a second time costs next to nothing. So each question is marked with a few characters that no other
request has, unless `repeat_prompts` says otherwise. What stands before the question (a system prompt, the head of the
task's prompt) stays what it is for all, and may be cached, as in life.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from harness.bench.settings import LoadSettings
from harness.candidates.candidate import Candidate
from harness.digest import digest_json
from harness.engines.base import Request
from harness.errors import InputError
from harness.gold.item import Item, Message
from harness.runs.plan import LoadedTask, Options, Plan
from harness.runs.planning.making import make_plan

#: Tokens of an answer that only warms a server up.
WARM_TOKENS = 16


@dataclass(frozen=True)
class Batch:
    """What one round at one level sends: to warm up, unmeasured; then to be measured."""

    warm: tuple[Request, ...]
    measured: tuple[Request, ...]


@dataclass(frozen=True)
class Workload:
    """Batches by candidate, round and level: `batches[candidate][round][level]`.

    Attributes:
        digest: of what is asked, marks left out: the same questions in the same order have the same.
        unfit: questions that a candidate cannot be asked (too long for its window), which are not sent.
    """

    batches: tuple[tuple[tuple[Batch, ...], ...], ...]
    digest: str
    unfit: tuple[int, ...]

    def requests(self, candidate: int) -> Iterator[Request]:
        """Everything that a candidate is sent."""
        for levels in self.batches[candidate]:
            for batch in levels:
                yield from batch.warm
                yield from batch.measured


@dataclass(frozen=True)
class _Slot:
    """One place in the load: whose question, when, and whether it is measured."""

    task: str
    item: Item
    round: int
    level: int
    warm: bool


def make_workload(
    candidates: Sequence[Candidate], plan: Plan, settings: LoadSettings, salt: str, *, prompt: str | None = None
) -> Workload:
    """Draw the questions and write every request.

    Args:
        plan: of the suite; its items are what is drawn from.
        salt: of this very load; no mark of an earlier one comes again.
        prompt: `--prompt`, as for the plan.

    Raises:
        InputError: no task generates text, or none of the questions fits a candidate's window.
    """
    # Where options are weighed nothing is generated, so there is nothing to time.
    tasks = [loaded for loaded in plan.tasks if loaded.task.answer == "generate"]
    pool = [(loaded.task.name, item) for loaded in tasks for item in loaded.items]
    if not pool:
        raise InputError(
            f"no task of suite {plan.suite.name!r} generates text, so there is nothing to time",
            where="--suite",
            remedy="Give one with a task that generates (answer: generate).",
        )
    slots = _slots(pool, settings)
    options = Options(settings=plan.settings, seed=plan.seed, prompt=prompt)
    found = [_candidate(candidate, number, plan, options, slots, settings, salt) for number, candidate in
             enumerate(candidates)]  # fmt: skip
    for candidate, (batches, _) in zip(candidates, found, strict=True):
        if not all(batch.measured for levels in batches for batch in levels):
            raise InputError(
                "none of the questions fits its window", where=candidate.name, remedy="Give a suite of shorter ones."
            )
    asked = [[slot.task, slot.item.digest, slot.round, slot.level, slot.warm] for slot in slots]
    digest = digest_json([asked, settings.max_tokens, settings.ignore_eos, settings.repeat_prompts])
    return Workload(tuple(batches for batches, _ in found), digest, tuple(unfit for _, unfit in found))


def _slots(pool: Sequence[tuple[str, Item]], settings: LoadSettings) -> list[_Slot]:
    """The whole pool in one random order, then in another, and so on: every item comes as often as any other."""
    draw = random.Random(settings.seed)
    order: list[tuple[str, Item]] = []
    slots = []
    for number in range(settings.rounds):
        for position, level in enumerate(settings.concurrency):
            for place in range(level + settings.count(level)):
                if not order:
                    order = list(pool)
                    draw.shuffle(order)
                task, item = order.pop()
                slots.append(_Slot(task, item, number, position, place < level))
    return slots


def _candidate(
    candidate: Candidate,
    number: int,
    plan: Plan,
    options: Options,
    slots: Sequence[_Slot],
    settings: LoadSettings,
    salt: str,
) -> tuple[tuple[tuple[Batch, ...], ...], int]:
    """All requests to one candidate, rendered as a comparison renders them; and how many do not fit."""
    by_task: dict[str, list[Item]] = {}
    for place, slot in enumerate(slots):
        mark = "" if settings.repeat_prompts else _mark(salt, number, place)
        by_task.setdefault(slot.task, []).append(_marked(slot.item, str(place), mark))
    tasks = tuple(
        LoadedTask(loaded.task, loaded.goldset, tuple(by_task[loaded.task.name]))
        for loaded in plan.tasks
        if loaded.task.name in by_task
    )
    suite = plan.suite.only({loaded.task.name for loaded in tasks})
    (planned,) = make_plan([candidate], suite, tasks, options).candidates
    written = {int(asked.item.id): asked.request for asked in planned.asked if not asked.error}
    levels = len(settings.concurrency)
    warm: list[list[list[Request]]] = [[[] for _ in range(levels)] for _ in range(settings.rounds)]
    measured: list[list[list[Request]]] = [[[] for _ in range(levels)] for _ in range(settings.rounds)]
    for place, slot in enumerate(slots):
        if (request := written.get(place)) is None:
            continue
        into = warm if slot.warm else measured
        into[slot.round][slot.level].append(_sized(request, settings, warm=slot.warm))
    batches = tuple(
        tuple(Batch(tuple(warm[r][c]), tuple(measured[r][c])) for c in range(levels)) for r in range(settings.rounds)
    )
    return batches, len(slots) - len(written)


def _mark(salt: str, candidate: int, place: int) -> str:
    """A few characters that no other request has: two candidates may be one server."""
    return hashlib.sha256(f"{salt}:{candidate}:{place}".encode()).hexdigest()[:8]


def _marked(item: Item, name: str, mark: str) -> Item:
    """The item under another id, its question marked at the beginning."""
    change: dict[str, object] = {"id": name}
    if mark and item.question is not None:
        change["question"] = f"[{mark}] {item.question}"
    elif mark and item.messages is not None:
        turns = list(item.messages)
        last = max((n for n, turn in enumerate(turns) if turn.role == "user"), default=len(turns) - 1)
        turns[last] = Message(role=turns[last].role, content=f"[{mark}] {turns[last].content}")
        change["messages"] = tuple(turn.model_dump() for turn in turns)
    # Made anew and not copied: a copy would keep the digest of what it was copied from.
    return Item.model_validate(item.model_dump() | change).with_images(item.image_files)


def _sized(request: Request, settings: LoadSettings, *, warm: bool) -> Request:
    sampling = request.sampling
    most = sampling.max_tokens
    if settings.max_tokens is not None:
        # A question to weights was given the room that their window leaves; more than that does not fit.
        most = min(most, settings.max_tokens) if request.token_ids else settings.max_tokens
    if warm:
        most = min(most, WARM_TOKENS)
    return replace(request, sampling=sampling.model_copy(update={"max_tokens": most}))
