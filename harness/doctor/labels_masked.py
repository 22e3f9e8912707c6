"""Was anything learned from, and the end among it? Where every label is masked the loss is 0 and nothing is taught."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from harness.candidates.tokenizer import PromptTokenizer
from harness.doctor.finding import Finding
from harness.doctor.loss_log import LossLog
from harness.doctor.probe import Reporting, Run, Subject, worst
from harness.doctor.token_rows import TokenRow, padding_token, token_rows

#: Rows of which nothing is learned, as a share. Long prompts that were cut leave a few; nearly all of them is a mask
#: that matched nothing (a response marker of another chat template), and then training taught nothing.
MANY, NEARLY_ALL = 0.1, 0.9

#: Rows whose end token is learned: from half down most answers were taught to go on.
ENDED = 0.5

#: Characters of an example that are shown at most, of what is masked and of what is learned.
_SHOWN = 50

_MASK_REMEDY = (
    "Compare the markers of the mask (response_part of train_on_responses_only) with the chat template, to the "
    "character, and see whether prompts alone fill max_seq_length; look at one row's labels before training again."
)
_END_REMEDY = (
    "Put the end token behind every answer, and give padding a token of its own: a collator that masks padding masks "
    "every end token where the two are one."
)
_LOSS_REMEDY = "Look at the labels of one batch, and train again: the loss has to start above 0 and fall."


class LabelsMasked(Reporting):
    """Labels of a tokenised training set, and the loss that training logged."""

    name = "labels-masked"

    def read(self, subject: Subject) -> Finding:
        """See `Probe.read`."""
        candidate = subject.model
        if candidate is None:
            return self.finding("skip", "its weights are not here, nor what they were trained with")
        training = subject.training
        found = [self._labels(candidate.tokenizer, candidate.stop_token_ids, file) for file in training.tokenised]
        if training.log is not None and training.log.points:
            found.append(self._loss(training.log))
        return worst(self.name, found) if found else self.finding("skip", _NOTHING_TO_SEE)

    def ask(self, subject: Subject, run: Run) -> Finding:
        """See `Probe.ask`: the files say everything."""
        return self.finding("skip", "")

    def _labels(self, tokenizer: PromptTokenizer, stops: tuple[int, ...], file: Path) -> Finding:
        tally = _Tally(stops)
        for row in token_rows(file, padding_token(tokenizer)):
            tally.add(row)
        if not tally.rows:
            return self.finding("warn", f"{file.name} holds no rows")
        example = tally.shown(tokenizer)
        if tally.empty >= MANY * tally.rows:
            return self.finding(
                "fail" if tally.empty >= NEARLY_ALL * tally.rows else "warn",
                f"{tally.empty} of {tally.rows} rows of {file.name} have no label but -100: nothing is learned from "
                f"them ({example})",
                _MASK_REMEDY,
            )
        learning = tally.rows - tally.empty
        if stops and tally.ended < ENDED * learning:
            return self.finding(
                "warn" if tally.ended else "fail",
                f"the end token is {'masked' if tally.written else 'missing'} in {learning - tally.ended} of "
                f"{learning} rows of {file.name} ({example})",
                _END_REMEDY,
            )
        if not tally.labelled:
            return self.finding("pass", f"{file.name} has no labels; {tally.ended} of {tally.rows} rows end")
        told = f"{tally.learned / tally.tokens:.0%} of the tokens in {file.name} are learned ({example})"
        if tally.learned == tally.tokens:
            told = f"nothing is masked in {file.name}: prompts are learned like answers ({example})"
        return self.finding("pass", told)

    def _loss(self, log: LossLog) -> Finding:
        steps = f"{len(log.points)} logged steps ({log.where})"
        if log.nothing_lost:
            return self.finding("fail", f"the loss is 0 at all {steps}: no token had a label", _LOSS_REMEDY)
        if log.still:
            return self.finding("fail", f"the gradient is 0 at all {steps}: nothing was learned", _LOSS_REMEDY)
        if (lost := log.diverged) is not None:
            return self.finding(
                "fail",
                f"from step {lost.step} on the loss is not a number ({log.where})",
                "Training diverged: lower the learning rate, or train in bfloat16 instead of float16.",
            )
        first, last = log.points[0], log.points[-1]
        return self.finding("pass", f"the loss went from {first.loss:.3g} to {last.loss:.3g} in {steps}")


_NOTHING_TO_SEE = (
    "there is no log of training (trainer_state.json, lineage.json) beside the weights; --train-data with a tokenised "
    "set or --train-log shows one"
)


@dataclass
class _Tally:
    """Counts over the rows of one file.

    Attributes:
        empty: rows without any label.
        ended: rows in which an end token is learned. Anywhere in it will do: packed rows end in the middle, and a
            chat template ends every turn in the same token.
        written: rows whose answer holds an end token, learned or not.
    """

    stops: tuple[int, ...]
    rows: int = 0
    empty: int = 0
    ended: int = 0
    written: int = 0
    labelled: int = 0
    tokens: int = 0
    learned: int = 0
    example: TokenRow | None = field(default=None, repr=False)

    def add(self, row: TokenRow) -> None:
        learned = len(row.ids) if row.learned is None else int(row.learned.sum())
        self.rows += 1
        self.tokens += len(row.ids)
        self.learned += learned
        self.labelled += row.learned is not None
        self.empty += not learned
        self.ended += row.learns(self.stops)
        self.written += row.answers_with(self.stops)
        if self.example is None:
            self.example = row

    def shown(self, tokenizer: PromptTokenizer) -> str:
        """The first row, decoded: what the model saw and what it had to say."""
        row = self.example
        if row is None:
            return ""
        if row.learned is None:
            return f"row {row.number} ends in {_text(tokenizer, row.ids.tolist())!r}"
        masked, learned = row.ids[~row.learned].tolist(), row.ids[row.learned].tolist()
        parts = [repr(_text(tokenizer, ids)) if ids else "nothing" for ids in (masked, learned)]
        return f"row {row.number}: masked {parts[0]}, learned {parts[1]}"


def _text(tokenizer: PromptTokenizer, ids: list[int]) -> str:
    text = tokenizer.decode(ids, skip_special=False)
    return text if len(text) <= _SHOWN else f"…{text[-_SHOWN:]}"
