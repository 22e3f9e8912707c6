"""Were training examples cut? One that is cut loses its answer's end, and teaches to go on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path

from harness.candidates.candidate import ModelCandidate
from harness.candidates.prompt import PromptFormat
from harness.doctor.finding import Finding
from harness.doctor.material import own_format
from harness.doctor.probe import Reporting, Run, Subject, worst
from harness.doctor.token_rows import TokenRow, padding_token, token_rows
from harness.gold.importers.reading import open_rows
from harness.gold.importers.shapes import map_rows
from harness.gold.item import Item, Message
from harness.gold.rows import Row

#: Tokens at the end of a row among which an end token counts as its end: templates write line breaks behind it.
TAIL = 3

#: Cut rows, as a share, that are worth a word, and from which on most of what was taught has no end.
SOME, MOST = 0.01, 0.5

#: Fewer rows of one greatest length are chance.
LEAST = 3

#: From this share of rows at one length on they may have been packed to it.
PACKED = 0.9

#: Examples left out as too long, as a share, from which on the data is another than was meant.
LEFT_OUT = 0.1

_AT_ONCE = 1_000
_REMEDY = "Raise max_seq_length above the longest example, or shorten the texts, and train again."


class Truncation(Reporting):
    """Rows that pile up at one length without an end, and texts that are longer than training allowed."""

    name = "truncation"

    def read(self, subject: Subject) -> Finding:
        """See `Probe.read`."""
        candidate = subject.model
        if candidate is None:
            return self.finding("skip", "its weights are not here, nor what they were trained with")
        training = subject.training
        found = [self._cut(candidate, file, training.longest) for file in training.tokenised]
        if training.longest is not None:
            found += [self._long(subject, candidate, file, training.longest) for file in training.texts]
        elif training.texts:
            found.append(self.finding("skip", "--max-seq-length N says from which length on texts were cut"))
        if training.lineage is not None:
            found.append(self._left_out(training.lineage.too_long, training.lineage.examples, training.longest))
        return worst(self.name, found) if found else self.finding("skip", "no training data is given (--train-data)")

    def ask(self, subject: Subject, run: Run) -> Finding:
        """See `Probe.ask`: the files say everything. (Answers that are cut are eos-learned's.)"""
        return self.finding("skip", "")

    def _cut(self, candidate: ModelCandidate, file: Path, longest: int | None) -> Finding:
        stops = candidate.stop_token_ids
        lengths = _Lengths()
        for row in token_rows(file, padding_token(candidate.tokenizer)):
            lengths.add(row, ends=row.ends(stops, TAIL), learns_end=row.learns(stops))
        if not lengths.rows or not stops:
            return self.finding("skip", f"{file.name} holds no rows" if stops else "the model has no end token")
        pile, length = lengths.pile, lengths.longest
        if lengths.packed:
            return self.finding("pass", f"the rows of {file.name} are packed to {length} tokens")
        if not lengths.ends_written and length != longest:
            return self.finding("skip", f"the rows of {file.name} have no end token: cut ones look like whole ones")
        share = pile.open / lengths.rows
        told = f"{pile.open} of {lengths.rows} rows of {file.name} ({share:.0%}) stop at {length} tokens without an end"
        if pile.open < LEAST or share < SOME:
            return self.finding(
                "pass", f"{told}; the others are whole" if pile.open else f"no row of {file.name} is cut"
            )
        return self.finding("fail" if share >= MOST else "warn", told, _REMEDY)

    def _long(self, subject: Subject, candidate: ModelCandidate, file: Path, longest: int) -> Finding:
        count, over, greatest = 0, 0, 0
        for length in _text_lengths(candidate, own_format(subject), file):
            count += 1
            over += length > longest
            greatest = max(greatest, length)
        told = (
            f"{over} of {count} examples in {file.name} are longer than {longest} tokens (the longest has {greatest})"
        )
        if over and over >= SOME * count:
            return self.finding("warn", f"{told}: they were cut or left out", _REMEDY)
        return self.finding("pass", told)

    def _left_out(self, out: int, used: int, longest: int | None) -> Finding:
        told = f"{out} of {out + used} examples were left out of training: longer than {longest} tokens"
        if out > LEFT_OUT * (out + used):
            return self.finding("warn", told, _REMEDY)
        return self.finding("pass", told if out else f"no example was longer than {longest} tokens")


@dataclass
class _Pile:
    """Rows of one length: all, those without an end, and of these those that learn no end anywhere."""

    rows: int = 0
    open: int = 0
    endless: int = 0


@dataclass
class _Lengths:
    """The rows of one file by their length in tokens."""

    rows: int = 0
    declared: int = 0
    piles: dict[int, _Pile] = field(default_factory=dict)

    def add(self, row: TokenRow, *, ends: bool, learns_end: bool) -> None:
        pile = self.piles.setdefault(len(row.ids), _Pile())
        self.rows += 1
        self.declared += row.packed
        pile.rows += 1
        pile.open += not ends
        pile.endless += not ends and not learns_end

    @property
    def longest(self) -> int:
        return max(self.piles)

    @property
    def pile(self) -> _Pile:
        """The longest rows."""
        return self.piles[self.longest]

    @property
    def packed(self) -> bool:
        """Whether rows were filled up with further examples: they say so, or nearly all are of one length and hold
        ends that are learned inside. (Of one length without such ends they are cut.)"""
        inside = self.pile.open - self.pile.endless
        return self.declared > 0 or (self.pile.rows >= PACKED * self.rows and 2 * inside > self.pile.open > 0)

    @property
    def ends_written(self) -> bool:
        """Whether rows shorter than the longest end as a rule, so that a missing end means something."""
        others = [pile for length, pile in self.piles.items() if length != self.longest]
        return 2 * sum(pile.open for pile in others) <= sum(pile.rows for pile in others)


def _text_lengths(candidate: ModelCandidate, form: PromptFormat, file: Path) -> Iterator[int]:
    """Tokens of each example, as the candidate's format and tokenizer write it; rows that make none are left out.

    A column `text` is the whole example already, as notebooks give it to SFTTrainer.

    Raises:
        InputError: which columns make an example cannot be told, or the format cannot write an answer.
    """
    tokenizer = candidate.tokenizer
    end = tokenizer.special_tokens.get("eos_token", "")
    examples = _examples(file, form, end, candidate.system)
    while texts := list(islice(examples, _AT_ONCE)):
        yield from map(len, tokenizer.encode_batch(texts, special=form.special))


def _examples(file: Path, form: PromptFormat, end: str, system: str | None) -> Iterator[str]:
    rows = open_rows(file).rows
    first = next(rows, None)
    if first is None:
        return
    rows = chain((first,), rows)
    if isinstance(first.values.get("text"), str):
        yield from (text for row in rows if isinstance(text := row.values.get("text"), str))
        return
    yield from (_written(item, form, end, system) for item in _items(rows, file))


def _items(rows: Iterator[Row], file: Path) -> Iterable[Item]:
    mapped = map_rows(rows, {}, where=str(file))
    return (made for row in mapped.rows if isinstance(made := mapped.map.item(row), Item) and made.answer)


def _written(item: Item, form: PromptFormat, end: str, system: str | None) -> str:
    turns = item.messages or (Message(role="user", content=item.text),)
    if system is not None and turns[0].role != "system":
        turns = (Message(role="system", content=system), *turns)
    return form.render(turns) + form.reply(turns, item.answer[0], end)
