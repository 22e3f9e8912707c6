"""Do gold items stand in the training data? Who trains on the test measures memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from harness.candidates.lineage import Leak
from harness.doctor.finding import Finding, Status
from harness.doctor.probe import Reporting, Run, Subject, worst
from harness.doctor.token_rows import as_texts
from harness.gold.checks.finding import Finding as Found
from harness.gold.checks.material import Material
from harness.gold.checks.messages import Code
from harness.gold.checks.training import TrainingLeaks
from harness.gold.goldset import GoldSet

#: An item that stands there word for word is certain (no gold set asks the same by chance, and one is one too many);
#: a near duplicate or a shared passage may ask something else.
_STATUS: Mapping[Code, Status] = {"train-verbatim": "fail", "train-near": "warn", "train-passage": "warn"}
_TOLD: Mapping[Code, str] = {
    "train-verbatim": "stand in the training data word for word",
    "train-near": "have a near duplicate in the training data",
    "train-passage": "share a long passage with the training data",
}

#: Characters of an item and of a training row that are shown.
_SHOWN = 60

_REMEDY = (
    "Take the items out of the gold set, or their rows out of training and train again; harness goldset check NAME "
    "--against FILE shows every pair."
)
_FOR_EVER = "Train again without these rows, or ask another gold set: what it has learned cannot be taken back."


class TrainLeak(Reporting):
    """Gold items of the suite in the training data, and what the lineage recorded of them."""

    name = "train-leak"

    def read(self, subject: Subject) -> Finding:
        """See `Probe.read`. Training data is read only where the doctor was called for; a comparison goes by the
        lineage's record."""
        if subject.model is None:
            return self.finding("skip", "its weights are not here, nor what they were trained with")
        found = [*self._recorded(subject), *self._in_files(subject)]
        gone = subject.training.own.gone
        if gone:
            told = f"training data that the lineage names cannot be looked at: {', '.join(gone)}"
            found.append(self.finding("pass" if found else "skip", told))
        if not found:
            return self.finding("skip", "no training data is known (--train-data), and no lineage recorded a check")
        return worst(self.name, found)

    def ask(self, subject: Subject, run: Run) -> Finding:
        """See `Probe.ask`: the files say everything."""
        return self.finding("skip", "")

    def _recorded(self, subject: Subject) -> Iterator[Finding]:
        """What was found when it was trained. It stays true when the gold set or the data is changed later."""
        lineage = subject.training.lineage
        asked = {goldset.name for goldset in _goldsets(subject)}
        for leak in lineage.leaks if lineage else ():
            if leak.goldset in asked:
                yield self._leak(leak, "fail")
            elif leak.verbatim:
                yield self._leak(leak, "warn")  # it does not touch this suite

    def _leak(self, leak: Leak, status: Status) -> Finding:
        if leak.verbatim:
            told = f"it was trained on {leak.verbatim} of the {leak.items} items of {leak.goldset!r} (lineage.json)"
            return self.finding(status, told, _FOR_EVER)
        if leak.near:
            told = f"{leak.near} of the {leak.items} items of {leak.goldset!r} had near duplicates in training"
            return self.finding("warn", f"{told} (lineage.json)", _REMEDY)
        return self.finding("pass", f"no item of {leak.goldset!r} stood in the training data (lineage.json)")

    def _in_files(self, subject: Subject) -> Iterator[Finding]:
        candidate, training = subject.model, subject.training
        if candidate is None or training.files is None:
            return
        files = dict.fromkeys((*training.files.data, *training.own.files))
        if not files:
            return
        leaks = TrainingLeaks([str(file) for file in files], partial(as_texts, tokenizer=candidate.tokenizer))
        for goldset in _goldsets(subject):
            found = [one for one in leaks(Material(goldset)) if one.code in _STATUS]
            yield from (self._found(goldset, one) for one in found)
            if not found:
                yield self.finding("pass", f"no item of {goldset.name!r} stands in {len(files)} training files")

    def _found(self, goldset: GoldSet, found: Found) -> Finding:
        item, row = found.evidence[0].quotes
        return self.finding(
            _STATUS[found.code],
            f"{found.count} of the {len(goldset.items)} items of {goldset.name!r} {_TOLD[found.code]} (item "
            f"{item.where!r}: {_short(item.question)!r}; {row.where}: {_short(row.question)!r})",
            _REMEDY,
        )


def _goldsets(subject: Subject) -> list[GoldSet]:
    """The gold sets of the suite, whole, whatever --limit asks of them."""
    return list({loaded.goldset.name: loaded.goldset for loaded in subject.plan.tasks}.values())


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"
