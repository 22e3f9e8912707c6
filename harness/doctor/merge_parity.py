"""Does a merged or quantised model answer as the adapter it was made from? Merges go wrong without a word.

**What is measured.** The log-probability of every token of some reference answers under the export and under its
adapter on its base, on one engine, after the same prompt. Their mean absolute difference is the *drift*; the mean
absolute difference between the adapter and its bare base is the *effect* of the whole fine-tune. Log-probabilities show
a fault in 20 answers that right-or-wrong scores could not show in hundreds.

**What counts as a fault.** Drift beyond a share of the effect (`OF_EFFECT`) and beyond what rounding does by itself
(`ROUNDING`). A merge that leaves the adapter out drifts by the whole effect, one that applies it twice by more, a lost
layer by its part; rounding the merged weights once to bfloat16 drifts by less than a hundredth of it. A merge that
gives no numbers (NaN) is a fault whatever the effect.

Reported by users: 44.5% instead of 87.0% after a merge (ms-swift #5430), gibberish (unsloth #5410, #3899).
"""

from __future__ import annotations

import math

from harness.candidates.candidate import ModelCandidate
from harness.candidates.exported import ExportRecord, read_export_record
from harness.doctor.finding import Finding
from harness.doctor.material import references
from harness.doctor.numbers import distance, show
from harness.doctor.probe import Reporting, Run, Subject
from harness.runs.planning.weights import engine_adapter

#: Share of the fine-tune's effect that drift may reach, by bits of a weight. On the demo a healthy bfloat16 merge
#: drifts by 0.4% of the effect, and losing one of its 28 matrices by 8% to 18%: 5% lies between, far from both.
#: Rounding it to 8 bits drifts by 8%. Four bits keep 16 levels a weight and move every answer by design; there only an
#: error as large as half of what the fine-tune did is called a fault; the scores of the suite tell the rest.
OF_EFFECT = {16: 0.05, 8: 0.1, 4: 0.5}

#: Nats a token that rounding explains: bfloat16 keeps 8 significant bits, so a logit between 8 and 16 is known to half
#: of 1/16. An adapter whose whole effect is smaller than this cannot be told from its base after any merge.
ROUNDING = 1 / 32

_AGAIN = "Export it again: harness export {parent} --to {to} --replace."
_FAULT = (
    "Do not deploy it: serve the adapter on its base, or merge again on the very base it was trained on, in 16 bit and "
    "not in 4 (harness export)."
)


class MergeParity(Reporting):
    """Log-probabilities of reference answers under an export against those under the adapter it was made from."""

    name = "merge-parity"

    def read(self, subject: Subject) -> Finding:
        """See `Probe.read`: what was found when it was exported, and whether that still holds."""
        record = _record(subject)
        if record is None:
            return self.finding("skip", "the candidate is no export with a record")
        again = _AGAIN.format(parent=record.parent.name, to=record.to)
        proved, changed = record.parity, subject.planned.fingerprint.model != record.digest
        if proved is not None and proved.verdict == "drifted" and not changed:
            why = "; ".join(proved.reasons)
            return self.finding("fail", f"it was found to drift from {record.parent.name} when exported: {why}", again)
        if _parent(subject, record) is not None:
            return self.finding("skip", "its adapter is asked beside it")
        if retrained := _retrained(subject, record):
            return self.finding("warn", f"{retrained} was trained again since this was exported from it", again)
        if changed:
            return self.finding("warn", "its files were changed since its export: nothing is proved of them", again)
        if proved is None or proved.verdict == "unproved":
            return self.finding("warn", f"it was never held against {record.parent.name}", again)
        return self.finding("pass", f"it was found to answer as {record.parent.name} does (suite {proved.suite})")

    def ask(self, subject: Subject, run: Run) -> Finding:
        """See `Probe.ask`: the engine of the export answers first, then that of its adapter."""
        record = _record(subject)
        if record is None:
            return self.finding("skip", "the candidate is no export with a record")
        index = _parent(subject, record)
        if index is None:
            return self.finding("skip", f"{record.parent.name} as it was exported is not asked beside it")
        parent = subject.plan.candidates[index]
        if parent.prompt_format != subject.planned.prompt_format:
            return self.finding("warn", f"{parent.candidate.name} is asked in another prompt format")
        if fault := self._asked_otherwise(subject, index):
            return fault
        asked = references(subject, run)
        if not asked:
            return self.finding("skip", "no reference answer fits in the engine")
        assert isinstance(parent.candidate, ModelCandidate)
        adapter = engine_adapter(parent.candidate, parent.fingerprint)
        plain = [reference.after(None) for reference in asked]
        export = run.runner.engine_of(subject.index).logprobs(plain)
        # Two models of 7B do not fit one card: opening this engine closes the other one.
        engine = run.runner.engine_of(index)
        adapted, base = engine.logprobs([reference.after(adapter) for reference in asked]), engine.logprobs(plain)
        drift, effect = distance(export, adapted), distance(adapted, base)
        told = (
            f"reference answers are {show(drift)} nat/token from those of {parent.candidate.name}, whose whole effect "
            f"is {show(effect)} ({len(asked)} answers, {sum(map(len, export))} tokens)"
        )
        if not math.isfinite(drift + effect):
            return self.finding("fail", f"log-probabilities are no numbers: {told}", _FAULT)
        allowed = max(OF_EFFECT[record.bits] * effect, ROUNDING)
        if drift > allowed:
            return self.finding("fail", f"{told}; up to {show(allowed)} would be rounding", _FAULT)
        return self.finding("pass", told)

    def _asked_otherwise(self, subject: Subject, parent: int) -> Finding | None:
        """A fault of what goes with the weights: tokenizer, chat template, end tokens."""
        pairs = list(zip(subject.planned.asked, subject.plan.candidates[parent].asked, strict=True))
        name = subject.plan.candidates[parent].candidate.name
        if others := sum(ours.request.token_ids != theirs.request.token_ids for ours, theirs in pairs):
            return self.finding(
                "fail",
                f"{others} of {len(pairs)} questions reach it as other tokens than {name}: its tokenizer or chat "
                "template is another",
                "Copy tokenizer.json, tokenizer_config.json and the chat template of the adapter and its base.",
            )
        if any(a.request.sampling.stop_token_ids != b.request.sampling.stop_token_ids for a, b in pairs):
            return self.finding(
                "fail",
                f"it ends its answers at other tokens than {name}",
                "Copy eos_token_id of generation_config.json from the base.",
            )
        return None


def _record(subject: Subject) -> ExportRecord | None:
    model = subject.model
    return read_export_record(model.model) if model is not None and model.adapter is None else None


def _parent(subject: Subject, record: ExportRecord) -> int | None:
    """Where in the plan the very adapter stands that was exported: a retrained one at the same path is another."""
    plans = enumerate(subject.plan.candidates)
    return next((index for index, planned in plans if planned.fingerprint.digest == record.parent.digest), None)


def _retrained(subject: Subject, record: ExportRecord) -> str | None:
    """The name of a candidate of the plan that lies where the adapter lay, with other content."""
    assert subject.model is not None
    place = (subject.model.model / record.parent.adapter).resolve()
    for planned in subject.plan.candidates:
        candidate = planned.candidate
        if isinstance(candidate, ModelCandidate) and candidate.adapter and candidate.adapter.path.resolve() == place:
            return candidate.name
    return None
