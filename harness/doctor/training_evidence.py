"""What is known of a candidate's training: its lineage, its log, and the data that it learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from harness.candidates.lineage import DataRecord, Lineage, read_lineage
from harness.doctor.loss_log import FILE_NAME, LossLog, find_log, log_of, read_log
from harness.doctor.token_rows import is_tokenised
from harness.errors import InputError
from harness.gold.importers.files import digest_files, find_files
from harness.gold.importers.places import Place, find_place

#: How far above the candidate's folder the paths of its lineage may start (`candidates/NAME` is two below).
_ABOVE = 3


@dataclass(frozen=True)
class TrainingFiles:
    """What the user says a candidate was trained with.

    Attributes:
        data: files of training rows: texts, or token ids with labels.
        log: a `trainer_state.json`.
        longest: the `max_seq_length` of training, in tokens.
    """

    data: tuple[Path, ...] = ()
    log: Path | None = None
    longest: int | None = None

    @classmethod
    def find(cls, data: Sequence[str] = (), log: str | None = None, longest: int | None = None) -> TrainingFiles:
        """
        Args:
            data: files, folders (also what `datasets` saved to disk) or patterns.
            log: a `trainer_state.json`, or the folder of a run that holds one.

        Raises:
            InputError: nothing is there.
        """
        files = tuple(file for given in data for file in find_files(Path(given)))
        found = None
        if log is not None:
            found = Path(log) if Path(log).is_file() else find_log(Path(log))
            if found is None:
                raise InputError(f"there is no {FILE_NAME} here", where=log)
        if longest is not None and longest < 1:
            raise InputError(f"must be at least 1, not {longest}", where="--max-seq-length")
        return cls(files, found, longest)


@dataclass(frozen=True)
class TrainingEvidence:
    """What lies on disk about the training of one candidate.

    Attributes:
        folder: of the candidate; None where it has none.
        files: what the user gave; None where nothing large may be read (in a comparison).
    """

    folder: Path | None
    files: TrainingFiles | None

    @cached_property
    def lineage(self) -> Lineage | None:
        """
        Raises:
            InputError: the file is broken.
        """
        return read_lineage(self.folder) if self.folder else None

    @cached_property
    def log(self) -> LossLog | None:
        """The log given, else that in the candidate's folder, else the lineage's.

        Raises:
            InputError: it is no log.
        """
        file = (self.files.log if self.files else None) or (find_log(self.folder) if self.folder else None)
        if file is not None:
            return read_log(file)
        return log_of(self.lineage) if self.lineage else None

    @property
    def longest(self) -> int | None:
        """`max_seq_length` in tokens: as given, else as the lineage has it."""
        if self.files is not None and self.files.longest is not None:
            return self.files.longest
        found = self.lineage.config.get("max_seq_length") if self.lineage else None
        return found if isinstance(found, int) else None

    @cached_property
    def tokenised(self) -> tuple[Path, ...]:
        """Files given that hold token ids.

        Raises:
            InputError: a file cannot be read.
        """
        return tuple(file for file in self._given if is_tokenised(file))

    @property
    def texts(self) -> tuple[Path, ...]:
        """Files given that hold texts."""
        return tuple(file for file in self._given if file not in self.tokenised)

    @property
    def _given(self) -> tuple[Path, ...]:
        return self.files.data if self.files else ()

    @cached_property
    def own(self) -> OwnData:
        """The files that the lineage names, where they are still here as they were."""
        if self.files is None or self.lineage is None or self.folder is None:
            return OwnData((), ())
        return _own(self.lineage, self.folder)


@dataclass(frozen=True)
class OwnData:
    """The training data that a lineage names.

    Attributes:
        files: found, with the digest that the lineage recorded.
        gone: what became of the others, in words.
    """

    files: tuple[Path, ...]
    gone: tuple[str, ...]


def _own(lineage: Lineage, folder: Path) -> OwnData:
    files: list[Path] = []
    gone: list[str] = []
    for record in lineage.data:
        if not record.taken:
            continue
        if record.path.startswith(("hf:", "ms:")):
            gone.append(f"{record.path} is on a hub")
            continue
        places = _places(record, folder)
        same = next((place for place in places if digest_files(place.files, place.root) == record.digest), None)
        if same is not None:
            files += same.files
        else:
            gone.append(f"{record.path} {'has changed since' if places else 'is no longer here'}")
    return OwnData(tuple(files), tuple(gone))


def _places(record: DataRecord, folder: Path) -> list[Place]:
    """Where a path in a config may lead: the lineage does not say from which folder."""
    found = []
    for root in (Path.cwd(), *folder.resolve().parents[:_ABOVE]):
        try:
            found.append(find_place(record.path, folder=root))
        except InputError:
            continue
    return found
