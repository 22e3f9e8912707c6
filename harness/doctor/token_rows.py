"""Training sets that are token ids already: what a trainer prepared and somebody saved."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.candidates.tokenizer import PromptTokenizer
from harness.errors import InputError
from harness.gold.importers.reading import open_rows
from harness.gold.rows import Row

#: Label of a token that is not learned (torch's cross entropy leaves it out).
IGNORED = -100

IDS = "input_ids"

#: Where TRL says what is learned before it makes labels of it: 1 is learned.
_MASKS = ("completion_mask", "assistant_masks")

#: Columns that only packing writes: where one example ends and the next begins.
_PACKING = ("seq_lengths", "position_ids")


@dataclass(frozen=True, slots=True)
class TokenRow:
    """One sequence as it was trained on.

    Attributes:
        ids: without padding.
        learned: for each id whether it has a label; None where the set does not say (a collator decides).
        packed: whether the row says that it holds several examples.
    """

    ids: npt.NDArray[np.int64]
    learned: npt.NDArray[np.bool_] | None
    number: int
    packed: bool

    def ends(self, stops: Collection[int], tail: int) -> bool:
        """Whether one of the last `tail` tokens is an end token."""
        return bool(np.isin(self.ids[-tail:], list(stops)).any())

    def answers_with(self, tokens: Collection[int]) -> bool:
        """Whether one of `tokens` stands behind the first learned token, learned or not."""
        answer = self.ids if self.learned is None else self.ids[np.argmax(self.learned) :]
        return bool(np.isin(answer, list(tokens)).any())

    def learns(self, tokens: Collection[int]) -> bool:
        """Whether one of `tokens` is learned; where the set does not say, whether it is there."""
        known = self.ids if self.learned is None else self.ids[self.learned]
        return bool(np.isin(known, list(tokens)).any())


def padding_token(tokenizer: PromptTokenizer) -> int | None:
    """The id of what fills up a batch; None where the tokenizer names none."""
    return tokenizer.token_id(tokenizer.special_tokens.get("pad_token", ""))


def is_tokenised(file: Path) -> bool:
    """Whether the rows of a file are token ids.

    Raises:
        InputError: the file cannot be read.
    """
    first = next(iter(open_rows(file).rows), None)
    return first is not None and IDS in first.values


def token_rows(file: Path, padding: int | None) -> Iterator[TokenRow]:
    """The sequences of a file.

    Args:
        padding: id of the padding token, for sets that say nothing of attention.

    Raises:
        InputError: a row is damaged; names it.
    """
    for row in open_rows(file).rows:
        ids = _column(row, IDS)
        if ids is None:
            raise InputError(f"holds no {IDS}, as the rows before it do", where=row.where())
        learned = _learned(row, ids)
        length = _length(row, ids, padding)
        yield TokenRow(
            ids[:length],
            None if learned is None else learned[:length],
            row.number,
            any(row.values.get(name) is not None for name in _PACKING),
        )


def as_texts(file: Path, tokenizer: PromptTokenizer) -> Iterator[Row]:
    """The rows of a training file with their texts in lines, so that a question is found inside a prompt.

    Ids are decoded; a text that was written in a prompt format (the column `text` of many notebooks) is taken apart.
    """
    rows = iter(open_rows(file).rows)
    first = next(rows, None)
    if first is None:
        return
    tokenised = IDS in first.values
    for row in chain((first,), rows):
        values: Mapping[str, Any] = row.values
        if tokenised:
            values = {"text": tokenizer.decode(list(values[IDS])).splitlines()}
        elif isinstance(values.get("text"), str):
            values = {**values, "text": values["text"].splitlines()}
        yield Row(values, row.file, row.number, row.line, row.fixed)


def _column(row: Row, name: str) -> npt.NDArray[np.int64] | None:
    values = row.values.get(name)
    if values is None:
        return None
    try:
        found = np.asarray(values, dtype=np.int64)
    except (TypeError, ValueError, OverflowError):
        raise InputError("is no list of whole numbers", where=row.where(name)) from None
    if found.ndim != 1:
        raise InputError("is no list of whole numbers", where=row.where(name))
    return found


def _learned(row: Row, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_] | None:
    found: npt.NDArray[np.bool_] | None = None
    labels = _column(row, "labels")
    parts = [labels != IGNORED] if labels is not None else []
    parts += [mask != 0 for name in _MASKS if (mask := _column(row, name)) is not None]
    for part in parts:
        if part.shape != ids.shape:
            raise InputError(f"has {len(ids)} {IDS} and {len(part)} labels", where=row.where())
        found = part if found is None else found & part
    return found


def _length(row: Row, ids: npt.NDArray[np.int64], padding: int | None) -> int:
    """Tokens before the padding on the right. A padding token that is an end token too stands once as the end."""
    attention = _column(row, "attention_mask")
    if attention is not None and attention.shape == ids.shape and not attention.all():
        return int(np.flatnonzero(attention)[-1]) + 1 if attention.any() else 0
    if padding is None or not len(ids) or ids[-1] != padding:
        return len(ids)
    other = np.flatnonzero(ids != padding)
    text = int(other[-1]) + 1 if len(other) else 0
    return min(text + 1, len(ids))
