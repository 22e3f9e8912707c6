"""A run on disk: `run.json` and `samples.parquet`, immutable, readable by DuckDB or pandas without this project."""

from __future__ import annotations

import os
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer

from harness.digest import digest_json
from harness.errors import InputError, did_you_mean
from harness.runs.parquet import from_parquet, to_parquet
from harness.runs.samples import Sample
from harness.validation import stored_model
from harness.version import __version__

MANIFEST = "run.json"
SAMPLES = "samples.parquet"

#: What the store keeps beside runs, each as `<kind>s/<id>/<kind>.json`: a comparison, what judges said of its answers,
#: which answers people were given to label, and what their labels say of a judging.
Kind = Literal["comparison", "judging", "draw", "calibration"]


class CandidateRecord(BaseModel):
    """Who answered: the label and the digests that are the identity."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: Literal["model", "replay", "endpoint"]
    model: str
    adapter: str | None = None
    tokenizer: str | None = None
    quantization: str | None = None
    digest: str
    path: str
    adapter_path: str | None = None
    prompt_format: str = ""


class TaskRecord(BaseModel):
    """How a task was asked and scored, and how its answers came out.

    Attributes:
        votes: metrics whose answers can be counted for a majority (`harness.scorers.base.votes`); recorded where items
            were answered more than once, absent elsewhere.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    role: Literal["target", "guard"]
    goldset: str
    goldset_path: str = ""
    goldset_digest: str
    primary: str
    signatures: dict[str, str]
    binary: dict[str, bool]
    n: int
    errors: int
    missing: int
    unscored: int = 0
    votes: tuple[str, ...] = ()

    @model_serializer(mode="wrap")
    def _without_absent(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        found: dict[str, Any] = handler(self)
        if not self.votes:  # as in `RunManifest`
            found.pop("votes", None)
        return found


class RunManifest(BaseModel):
    """`run.json`.

    Attributes:
        temperature: what `--temperature` put in the place of the tasks' own; absent where it was not given.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    id: str
    created: datetime
    harness_version: str = __version__
    candidate: CandidateRecord
    suite: str
    suite_digest: str
    tasks: tuple[TaskRecord, ...]
    engine: str
    engine_version: str
    dtype: str | None = None
    limit: int | None = None
    repeats: int = 1
    temperature: float | None = None
    seed: int = 0
    status: Literal["complete", "incomplete"]
    warnings: tuple[str, ...] = ()

    @model_serializer(mode="wrap")
    def _without_absent(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        found: dict[str, Any] = handler(self)
        if self.temperature is None:  # ids are digests of the content: those of older runs stay what they were
            found.pop("temperature", None)
        return found


class RunStore:
    """Runs, and documents about them, under a local folder or an fsspec URL.

    Everything is written into a temporary folder and renamed, manifest last, so that a reader sees all or nothing.

    Raises:
        InputError: the URL's kind of file system is not known here, or what it needs is not installed.
    """

    def __init__(self, url: str) -> None:
        import fsspec

        self.url = url
        try:
            self._fs, root = fsspec.core.url_to_fs(url)
        except (ValueError, ImportError) as error:
            raise InputError(
                f"the store cannot be opened ({error})",
                where=f"--store {url}",
                remedy="Give a folder, or a URL that fsspec knows and whose package is installed (s3fs, gcsfs, …).",
            ) from None
        self._root = str(root).rstrip("/")

    @property
    def local(self) -> bool:
        """True of a folder of this machine."""
        return "file" in (self._fs.protocol if isinstance(self._fs.protocol, tuple) else (self._fs.protocol,))

    @property
    def filesystem(self) -> Any:
        """The fsspec file system that the store lies on."""
        return self._fs

    def path(self, name: str) -> str:
        """A path of the store as its file system knows it."""
        return f"{self._root}/{name}"

    def samples_path(self, run_id: str) -> str:
        """A run's samples: a path of this machine, or an fsspec URL."""
        path = f"{self._root}/{run_id}/{SAMPLES}"
        return path if self.local else str(self._fs.unstrip_protocol(path))

    def document_path(self, kind: Kind, name: str, file: str) -> str:
        """A file beside a document, as `samples_path`."""
        path = f"{self._root}/{kind}s/{name}/{file}"
        return path if self.local else str(self._fs.unstrip_protocol(path))

    def files(self, *, depth: int) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every file at most `depth` names below the root: its path in the store, and what is known of it."""
        try:
            found = self._fs.find(self._root, maxdepth=depth, detail=True)
        except FileNotFoundError:
            return
        for path, info in found.items():
            yield str(path).removeprefix(self._root).lstrip("/"), info

    def read(self, path: str, *, last: int | None = None) -> bytes:
        """A file by its path in the store; its `last` bytes only, where that is given."""
        with self._fs.open(f"{self._root}/{path}", "rb") as file:
            if last is not None:
                file.seek(max(0, file.seek(0, 2) - last))
            return bytes(file.read())

    def write_run(self, manifest: RunManifest, samples: Sequence[Sample]) -> str:
        """Write a run; returns its id. The same content is the same run and is not written again."""
        content = digest_json(
            {
                "manifest": manifest.model_dump(mode="json", exclude={"id", "created"}),
                "outputs": [[s.task, s.item_id, s.repeat, s.output, s.error] for s in samples],
                "scores": [[(m, s.scores[m].value) for m in sorted(s.scores)] for s in samples],
            }
        )
        run_id = f"{_slug(manifest.candidate.name)}-{_slug(manifest.suite)}-{content[:12]}"
        final = manifest.model_copy(update={"id": run_id})
        if not self._fs.exists(f"{self._root}/{run_id}/{MANIFEST}"):
            self._write(run_id, MANIFEST, {SAMPLES: to_parquet(samples), MANIFEST: _json(final)})
        return run_id

    def write_document(self, kind: Kind, name: str, data: bytes, beside: Mapping[str, bytes] | None = None) -> None:
        """Write a document once; it is immutable, and its name ends in a digest of what it holds.

        Args:
            beside: further files of its folder, by name.
        """
        file = f"{kind}.json"
        self._write(f"{kind}s/{name}", file, {**(beside or {}), file: data})

    def write_bench(self, bench_id: str, files: dict[str, bytes], last: str) -> None:
        """Write a bench of deployments once, as `write_document`; the presence of `last` says that it is whole."""
        self._write(f"benches/{bench_id}", last, files)

    def read_run(self, run_id: str, items: Collection[str] | None = None) -> tuple[RunManifest, list[Sample]]:
        """A run by id.

        Args:
            items: read the answers to these item ids alone.

        Raises:
            InputError: no such run, or a file of it is missing or broken.
        """
        manifest = self.read_manifest(run_id)
        from pyarrow import ArrowException

        path = f"{self._root}/{run_id}/{SAMPLES}"
        try:
            with self._fs.open(path, "rb") as file:
                return manifest, from_parquet(file, items)
        except (OSError, ArrowException) as error:
            raise InputError(f"run {run_id} cannot be read ({error})", where=path) from None

    def read_manifest(self, run_id: str) -> RunManifest:
        path = f"{self._root}/{run_id}/{MANIFEST}"
        data = self._read(path, run_id, self.list_runs)
        return stored_model(data, RunManifest, what="a run", where=path, remedy="The same command again makes it anew.")

    def read_document(self, kind: Kind, name: str) -> bytes:
        """A document by its name.

        Raises:
            InputError: no such document.
        """
        return self._read(f"{self._root}/{kind}s/{name}/{kind}.json", name, lambda: self.list_documents(kind))

    def list_runs(self) -> list[str]:
        return self._list("", MANIFEST)

    def list_documents(self, kind: Kind) -> list[str]:
        return self._list(f"{kind}s", f"{kind}.json")

    def manifests(self) -> list[RunManifest]:
        """Manifests of all readable runs, newest first."""
        found = []
        for run_id in self.list_runs():
            try:
                found.append(self.read_manifest(run_id))
            except InputError:
                continue  # shown by `runs list` as absent; reading it by name says why
        return sorted(found, key=lambda manifest: manifest.created, reverse=True)

    def delete(self, path: str) -> None:
        """Remove a run or `comparisons/<id>`."""
        self._fs.rm(f"{self._root}/{path}", recursive=True)

    def _read(self, path: str, name: str, known: Any) -> bytes:
        try:
            if _leads_elsewhere(name):
                raise FileNotFoundError
            with self._fs.open(path, "rb") as file:
                return bytes(file.read())
        except FileNotFoundError:
            raise InputError(f"{name!r} is not in the store {self.url}", remedy=did_you_mean(name, known())) from None

    def _list(self, folder: str, marker: str) -> list[str]:
        root = f"{self._root}/{folder}".rstrip("/")
        try:
            entries = self._fs.ls(root, detail=False)
        except FileNotFoundError:
            return []
        names = (str(entry).rstrip("/").rsplit("/", 1)[-1] for entry in entries)
        return sorted(n for n in names if not n.startswith(".") and self._fs.exists(f"{root}/{n}/{marker}"))

    def _write(self, name: str, last: str, files: Mapping[str, bytes]) -> None:
        final = f"{self._root}/{name}"
        if self._fs.exists(f"{final}/{last}"):
            return
        parent, _, leaf = final.rpartition("/")
        temporary = f"{parent}/.{leaf}.{os.getpid()}.{uuid.uuid4().hex[:8]}"
        try:
            self._fs.makedirs(temporary, exist_ok=True)
            for file in sorted(files, key=lambda file: file == last):
                with self._fs.open(f"{temporary}/{file}", "wb") as out:
                    out.write(files[file])
            self._fs.mv(temporary, final, recursive=True)
        except OSError as error:
            if self._fs.exists(temporary):
                self._fs.rm(temporary, recursive=True)
            if self._fs.exists(f"{final}/{last}"):  # another process wrote the same content first
                return
            raise InputError(
                f"the run cannot be written ({error.strerror or error})",
                where=final,
                remedy="Free some space or use another --store; the answers are kept in the completion store.",
            ) from None


def _leads_elsewhere(name: str) -> bool:
    """Names come out of files too: none may lead out of the store."""
    return not name or name in (".", "..") or any(char in "/\\\0" for char in name)


def now() -> datetime:
    """To the microsecond: recorded answers are compared several times a second, and Trends goes by the order."""
    return datetime.now(UTC)


def _slug(name: str) -> str:
    return "".join(c if c.isalnum() or c in "._" else "_" for c in name).strip("._")[-48:] or "x"


def _json(model: BaseModel) -> bytes:
    return (model.model_dump_json(indent=1) + "\n").encode()
