"""What probes ask: a few items spread over the tasks, with reference answers to score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from harness.candidates.candidate import ModelCandidate
from harness.candidates.prompt import ChatFormat, PromptFormat
from harness.candidates.vision import vision_of
from harness.doctor.probe import Run, Subject
from harness.engines.base import Adapter, Continuation
from harness.gold.item import Item, Message
from harness.runs.plan import Asked
from harness.runs.runner import engine_spec

#: Items a probe asks at most: enough for a paired test, cheap on a 7B model.
ITEMS = 20

#: Tokens of a reference answer that are scored at most; the engine's window was not made for more.
LONGEST = 128

_MARK = "@@ANSWER@@"


@dataclass(frozen=True, slots=True)
class Reference:
    """A question as the candidate was asked it, with the tokens of its reference answer and of the end."""

    asked: Asked
    ids: tuple[int, ...]

    def after(self, adapter: Adapter | None) -> Continuation:
        """The reference answer after the prompt that was asked."""
        return Continuation(self.asked.request.token_ids, self.ids, adapter, self.asked.request.images)


def reference_text(item: Item) -> str:
    """The answer to score: the canonical accepted one."""
    return next(text for text in item.answer if text.strip())


def spread(asked: Sequence[Asked], count: int = ITEMS) -> list[Asked]:
    """At most `count` questions, each item once, evenly over the tasks and over each task. Always the same ones."""
    tasks: dict[str, list[Asked]] = {}
    for one in asked:
        if one.repeat == 0 and not one.error:
            tasks.setdefault(one.task, []).append(one)
    if not tasks:
        return []
    share = -(-count // len(tasks))
    rows = zip_longest(*(_evenly(of_task, share) for of_task in tasks.values()))
    return [one for row in rows for one in row if one is not None][:count]


def _evenly(asked: list[Asked], count: int) -> list[Asked]:
    count = min(count, len(asked))
    return [asked[i * len(asked) // count] for i in range(count)]


def references(subject: Subject, run: Run, count: int = ITEMS) -> list[Reference]:
    """Questions of the candidate with their reference answers, where both fit in the engine."""
    candidate = subject.model
    assert candidate is not None
    end = end_token(candidate, own_format(subject))
    room = engine_room(subject, run)
    asked = [one for one in subject.planned.asked if one.item.answer]
    found = [Reference(one, reference_ids(candidate, one.item, end)) for one in spread(asked, count)]
    return [r for r in found if length(candidate, r.after(None)) < room]


def length(candidate: ModelCandidate, continuation: Continuation) -> int:
    """Tokens of a prompt with its pictures and of what follows it."""
    vision = vision_of(candidate.model) if continuation.images else None
    ids = continuation.prompt_ids
    return (vision.length(ids, continuation.images) if vision else len(ids)) + len(continuation.continuation_ids)


def reference_ids(candidate: ModelCandidate, item: Item, end: int | None) -> tuple[int, ...]:
    """Tokens of the reference answer and of what ends it; a long one is cut."""
    ids = candidate.tokenizer.encode(reference_text(item))
    return (*ids, *(() if end is None else (end,)))[:LONGEST]


def own_format(subject: Subject) -> PromptFormat:
    """The format that the candidate was asked in."""
    candidate = subject.model
    assert candidate is not None
    return candidate.format(subject.planned.prompt_format)


def end_token(candidate: ModelCandidate, form: PromptFormat) -> int | None:
    """What ends an answer in a format: the token that the chat template writes after one, else the tokenizer's EOS."""
    tokenizer = candidate.tokenizer
    if isinstance(form, ChatFormat):
        turns = (Message(role="user", content="?"), Message(role="assistant", content=_MARK))
        ids = tokenizer.encode(form.render(turns).rpartition(_MARK)[2].lstrip())
        if ids and not tokenizer.decode(ids[:1]):  # decodes to nothing: a special token
            return ids[0]
    eos = tokenizer.token_id(tokenizer.special_tokens.get("eos_token", ""))
    return eos if eos is not None else next(iter(candidate.stop_token_ids), None)


def engine_room(subject: Subject, run: Run) -> int:
    """Tokens of prompt and answer that the candidate's engine holds."""
    group = subject.group
    assert group is not None
    plan = run.runner.plan
    return engine_spec(group, [plan.candidates[m] for m in group.members], plan).max_model_len
