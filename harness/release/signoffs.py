"""Who signed a comparison off, and on which content: an append-only file beside it, `comparisons/ID/signoffs.jsonl`.

An entry names the digest of the comparison's file, so that a signature does not pass to another content. It is a
record and no proof: whoever may write to the store may sign by any name.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.errors import EXIT_OK, InputError
from harness.runs.files import RunStore, now
from harness.runs.journal import Journal
from harness.version import __version__

Decision = Literal["approve", "reject"]
#: Of a candidate, all decisions together.
State = Literal["approved", "rejected", "open"]

LONGEST_NAME, LONGEST_NOTE = 100, 20_000


class SignOff(BaseModel):
    """One line of the file.

    Attributes:
        digest: SHA-256 of `comparison.json` as it was signed.
        candidate: which of the comparison's candidates.
        decision: None of a note alone.
        gate: the gate's exit code for the candidate at that time.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_version: Literal[1] = Field(1, alias="schema")
    comparison: str
    digest: str
    candidate: str
    name: str
    decision: Decision | None
    note: str = ""
    gate: int
    created: datetime
    harness_version: str = __version__


@dataclass(frozen=True, slots=True)
class Signed:
    """A sign-off as it stands now.

    Attributes:
        valid: false where the comparison's file is another than the one that was signed.
        superseded: the same person decided again later.
    """

    entry: SignOff
    valid: bool
    superseded: bool

    @property
    def counts(self) -> bool:
        """Whether it is a decision that stands."""
        return self.entry.decision is not None and self.valid and not self.superseded

    @property
    def against_gate(self) -> bool:
        """Approved what the gate did not pass."""
        return self.entry.decision == "approve" and self.entry.gate != EXIT_OK


@dataclass(frozen=True, slots=True)
class SignOffs:
    """Everything that was signed of a comparison, in the order in which it was.

    Attributes:
        broken: where lines stand that are no sign-offs.
    """

    signed: tuple[Signed, ...]
    broken: tuple[str, ...]

    def of(self, candidate: str) -> tuple[Signed, ...]:
        return tuple(one for one in self.signed if one.entry.candidate == candidate)

    def state(self, candidate: str) -> State:
        """One rejection that stands outweighs any number of approvals."""
        decisions = {one.entry.decision for one in self.of(candidate) if one.counts}
        return "rejected" if "reject" in decisions else "approved" if "approve" in decisions else "open"


def read_signoffs(store: RunStore, comparison: str) -> SignOffs:
    """The sign-offs of a stored comparison.

    Raises:
        InputError: no such comparison, or its sign-offs cannot be read.
    """
    digest = _digest(store, comparison)
    entries: list[SignOff] = []
    broken: list[str] = []
    for line in _journal(store, comparison).lines():
        try:
            entries.append(SignOff.model_validate_json(line.data))
        except ValidationError:
            broken.append(line.where)
    entries.sort(key=lambda entry: entry.created)  # stable: of one moment, as they stand in the file
    valid = [entry.comparison == comparison and entry.digest == digest for entry in entries]
    return SignOffs(
        signed=tuple(
            Signed(entry, ok, superseded=_decided_again(entry, position, entries, valid))
            for position, (entry, ok) in enumerate(zip(entries, valid, strict=True))
        ),
        broken=tuple(broken),
    )


def sign(
    store: RunStore,
    comparison: str,
    *,
    candidate: str,
    name: str,
    decision: Decision | None,
    note: str,
    gate: int,
) -> SignOff:
    """Add a decision, or a note alone.

    Args:
        gate: what the gate says of the candidate.

    Raises:
        InputError: no name, nothing said, an approval against the gate without a reason, no such comparison in the
            store, or a store that cannot be written.
    """
    name, note = " ".join(unicodedata.normalize("NFC", _encodable(name)).split()), _encodable(note).strip()
    if not name:
        raise InputError("a sign-off needs a name", where="--sign", remedy="Say who signs.")
    for text, longest, where in ((name, LONGEST_NAME, "--sign"), (note, LONGEST_NOTE, "--note")):
        if len(text) > longest:
            raise InputError(f"has {len(text):,} characters, more than {longest:,}", where=where)
    if decision is None and not note:
        raise InputError(
            "there is neither a decision nor a note", where="--sign", remedy="Add --decision approve|reject, or --note."
        )
    if decision == "approve" and gate != EXIT_OK and not note:
        raise InputError(
            f"the gate did not pass {candidate} (code {gate})",
            where="--decision approve",
            remedy="Whoever approves it all the same says why: --note.",
        )
    entry = SignOff(
        comparison=comparison,
        digest=_digest(store, comparison),
        candidate=candidate,
        name=name,
        decision=decision,
        note=note,
        gate=gate,
        created=now(),
    )
    _journal(store, comparison).append(entry.model_dump_json(by_alias=True))
    return entry


def is_signed(store: RunStore, comparison: str) -> bool:
    """Whether anybody has signed, or tried to."""
    return bool(_journal(store, comparison).lines())


def _decided_again(entry: SignOff, position: int, entries: Sequence[SignOff], valid: Sequence[bool]) -> bool:
    later = zip(entries[position + 1 :], valid[position + 1 :], strict=True)
    return entry.decision is not None and any(
        ok and other.decision is not None and (other.name, other.candidate) == (entry.name, entry.candidate)
        for other, ok in later
    )


def _encodable(text: str) -> str:
    """A terminal hands bytes that are no text on as lone surrogates, which no file can hold."""
    return text.encode("utf-8", "replace").decode()


def _digest(store: RunStore, comparison: str) -> str:
    return hashlib.sha256(store.read_document("comparison", comparison)).hexdigest()


def _journal(store: RunStore, comparison: str) -> Journal:
    return Journal(store, f"comparisons/{comparison}/signoffs")
