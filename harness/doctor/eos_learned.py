"""Does it stop? A model trained without end tokens answers, and goes on until the limit."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from harness.candidates.candidate import ModelCandidate
from harness.doctor.finding import Finding
from harness.doctor.numbers import more_often
from harness.doctor.probe import Reporting, Run, Subject, worst
from harness.runs.plan import Asked
from harness.runs.samples import Sample
from harness.text import normalise

#: Rates of answers that do not end are compared by task and overall; every such test must reach this p (one-sided exact
#: McNemar, divided by the number of tests) and one of the differences below.
ALPHA = 0.01

#: More answers without an end than the base's by this share: worth a warning. Answers a bit longer stay below.
MORE = 0.15

#: More by this share, and half of them ramble: the end was not learned. (Answers that are only long are no such fault.)
FAR_MORE = 0.30

#: Almost every answer without an end, while the base's have one: no further evidence needed.
ALL, ALL_MORE = 0.9, 0.5

#: Room in multiples of the reference answer's length (in tokens) from which a cut answer counts as far past it.
FAR_PAST = 8
_LEAST_ROOM = 32
_LEAST_ITEMS = 10

#: The next turn of a conversation, written by the model itself. Where special tokens stood nothing is left in the text.
_TURN = re.compile(r"(user|human|assistant|system)\n|### ?(instruction|input|response|问题|回答)", re.I)

_REMEDY = (
    "Train with the end token after every answer (and unmasked), or, if the answers are meant to be long, raise "
    "generation.max_tokens."
)


@dataclass(frozen=True, slots=True)
class _Pair:
    """The answers of base and candidate to one question.

    Attributes:
        base, candidate: whether the answer does not end: it was cut at the limit, or goes on with the next turn.
        cut: of the candidate, by the limit.
        rambles: and has said it all before.
        far_past: and had room for the reference answer several times over.
    """

    task: str
    base: bool | None
    candidate: bool
    cut: bool
    rambles: bool
    far_past: bool


class EosLearned(Reporting):
    """Answers cut at the token limit, far more often than the base's, or far past the reference."""

    name = "eos-learned"

    def read(self, subject: Subject) -> Finding:
        """See `Probe.read`."""
        return self.finding("skip", "only answers can tell")

    def ask(self, subject: Subject, run: Run) -> Finding:
        """See `Probe.ask`."""
        samples = run.answers.samples[subject.index]
        if subject.model is None and not any(s.finish_reason == "length" for s in samples):
            return self.finding("skip", "the recording does not say why answers ended")
        pairs = _pairs(subject, run)
        if not pairs:
            return self.finding("skip", "there are no answers to look at")
        tasks = list(dict.fromkeys(p.task for p in pairs))
        parts = [("all tasks", pairs)] if len(tasks) > 1 else []
        parts += [(task, [p for p in pairs if p.task == task]) for task in tasks]
        found = [self._judge(where, part, ALPHA / len(parts)) for where, part in parts]
        return found[0] if all(f.status == "pass" for f in found) else worst(self.name, found)

    def _judge(self, where: str, pairs: list[_Pair], alpha: float) -> Finding:
        n, endless, cut = len(pairs), sum(p.candidate for p in pairs), sum(p.cut for p in pairs)
        paired = [p for p in pairs if p.base is not None]
        base = sum(bool(p.base) for p in paired)
        told = f"{where}: {cut} of {n} answers are cut at the token limit"
        if endless > cut:
            told += f", {endless - cut} go on with the next turn of the conversation"
        if paired:
            told += f" (the base's: {base} of {len(paired)})"
        more = (sum(p.candidate for p in paired) - base) / len(paired) if paired else 0.0
        gained = sum(p.candidate and not p.base for p in paired)
        lost = sum(bool(p.base) and not p.candidate for p in paired)
        certain = bool(paired) and more_often(gained, lost) <= alpha
        rambling = sum(p.rambles for p in pairs)
        if certain and rambling:
            told += f"; {rambling} repeat themselves or go on after the reference answer"
        if certain and ((more >= FAR_MORE and rambling >= 0.5 * endless) or (endless >= ALL * n and more >= ALL_MORE)):
            return self.finding("fail", told, _REMEDY)
        if certain and more >= MORE:
            return self.finding("warn", told, _REMEDY)
        past = sum(p.far_past for p in pairs)
        if n >= _LEAST_ITEMS and past >= ALL * n:
            return self.finding("warn", f"{told}, though the references need a fraction of it", _REMEDY)
        return self.finding("pass", told)


def _pairs(subject: Subject, run: Run) -> list[_Pair]:
    base = {
        (asked.task, asked.item.id, asked.repeat): (asked, sample)
        for asked, sample in zip(subject.plan.candidates[0].asked, run.answers.samples[0], strict=True)
        if _ended(sample)
    }
    # A base that is a recording may not say why its answers ended.
    known = isinstance(subject.plan.candidates[0].candidate, ModelCandidate) or any(
        sample.finish_reason == "length" for _, sample in base.values()
    )
    found = []
    for asked, sample in zip(subject.planned.asked, run.answers.samples[subject.index], strict=True):
        if not _ended(sample) or asked.request.options:  # what is weighed has no end
            continue
        other = base.get((asked.task, asked.item.id, asked.repeat))
        cut = sample.finish_reason == "length"
        # With less room than the base the candidate is cut more often for no fault of its own.
        fair = known and other is not None and subject.index != 0 and _room(asked) >= _room(other[0])
        found.append(
            _Pair(
                task=asked.task,
                base=_endless(other[1]) if fair and other is not None else None,
                candidate=_endless(sample),
                cut=cut,
                rambles=_endless(sample) and _rambles(asked, sample),
                far_past=cut and _far_past(subject.model, asked),
            )
        )
    return found


def _endless(sample: Sample) -> bool:
    return sample.finish_reason == "length" or _TURN.search(sample.output, 1) is not None


def _ended(sample: Sample) -> bool:
    return not sample.error and sample.finish_reason in ("stop", "length")


def _room(asked: Asked) -> int:
    return asked.request.sampling.max_tokens


def _rambles(asked: Asked, sample: Sample) -> bool:
    """Whether an answer without an end was given in its first half already, repeats itself, or asks on."""
    if _TURN.search(sample.output, 1):
        return True
    text = normalise(sample.output)
    answers = [normalise(answer) for answer in asked.item.answer]
    if any(len(answer) > 1 and 0 <= text.find(answer) < len(text) / 2 - len(answer) for answer in answers):
        return True
    return _loops(text)


def _loops(text: str) -> bool:
    """Whether the second half of a text is mostly the same few characters again and again."""
    half = text[len(text) // 2 :]
    width = 8
    grams = Counter(half[i : i + width] for i in range(len(half) - width + 1))
    return bool(grams) and len(half) >= 3 * width and sum(c for c in grams.values() if c >= 3) >= 0.5 * grams.total()


def _far_past(candidate: ModelCandidate | None, asked: Asked) -> bool:
    """Whether the limit leaves room for the longest reference several times over."""
    if candidate is None:
        return False
    texts = [*asked.item.answer, str(asked.item.metadata.get("reference", ""))]
    longest = max(len(candidate.tokenizer.encode(text)) for text in texts)
    return _room(asked) >= max(_LEAST_ROOM, FAR_PAST * longest)
