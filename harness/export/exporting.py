"""From an adapter to an export with a verdict: made whole, held against its adapter, and registered when it is good."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from harness import api
from harness.candidates.adapter import AdapterFolder
from harness.candidates.candidate import ModelCandidate
from harness.candidates.exported import (
    FILE_NAME,
    ExportRecord,
    ParentRecord,
    read_export_record,
)
from harness.candidates.fingerprint import DigestCache, Fingerprint, fingerprint
from harness.candidates.gguf import SUFFIX
from harness.candidates.reference import resolve
from harness.candidates.registering import register
from harness.candidates.workspace import Entry, Workspace
from harness.engines.versions import installed
from harness.errors import IncompleteError, InputError
from harness.export import gguf, merging, quantizing
from harness.export.parity import judge
from harness.export.placing import check_place, made_whole, write_whole
from harness.export.targets import TARGETS, Target
from harness.runs.progress import Progress
from harness.version import __version__

#: Where exports are put, below the working directory.
FOLDER = "exports"

#: The 16-bit merge inside the folder of a GGUF, until both are judged.
MERGED = "merged"


@dataclass(frozen=True)
class Prepared:
    """All that is known before anything is written.

    Attributes:
        request: how adapter and export are asked; its references are set here.
        parent: the adapter on its base.
        place: the export's folder.
        made: true where it stands there already, from a run that broke off before the verdict.
        tools: llama.cpp's, for a GGUF.
    """

    workspace: Workspace
    request: api.Request
    target: Target
    parent: ModelCandidate
    fingerprint: Fingerprint
    name: str
    place: Path
    dtype: merging.Dtype
    made: bool = False
    tools: gguf.Tools | None = None

    @property
    def adapter(self) -> AdapterFolder:
        assert self.parent.adapter is not None
        return self.parent.adapter


@dataclass(frozen=True)
class Exported:
    """What came of it.

    Attributes:
        outcome: adapter against export; of a GGUF against the merge that it was made from, too, which comes first.
        registered: the workspace file that names it now; None unless it is good.
    """

    record: ExportRecord
    outcome: api.Outcome
    registered: Path | None


def prepare(
    reference: str,
    target: Target,
    workspace: Workspace,
    request: api.Request,
    *,
    output: Path | None = None,
    overwrite: bool = False,
) -> Prepared:
    """Find whatever is wrong before minutes are spent on merging.

    Args:
        output: the export's folder; default: `exports/NAME-SUFFIX`.
        overwrite: take the place of an earlier export.

    Raises:
        InputError: no adapter, one that cannot be merged, a place or name that is taken, a suite or engine that
            cannot be used, or a missing tool.
    """
    parent = resolve(reference, workspace, base=request.base)
    if not isinstance(parent, ModelCandidate):
        raise InputError(f"{reference!r} is a recording: there are no weights to export")
    if parent.adapter is None:
        raise InputError(f"{reference!r} has no adapter: there is nothing to merge", remedy="Name an adapter.")
    if fault := merging.unmergeable(parent.adapter, parent.model):
        raise fault
    if absent := [package for package in ("torch", "transformers", "peft") if package not in installed()]:
        raise InputError(f"{' and '.join(absent)} must be installed", remedy="pip install 'finetune-harness[train]'.")
    name = f"{_plain(parent.name)}-{target.suffix}"
    place = (output if output is not None else workspace.here / FOLDER / name).resolve()
    print_ = fingerprint(parent, DigestCache())
    prepared = Prepared(workspace, request, target, parent, print_, name, place, merging.half_precision(parent.model))
    _check_entry(prepared)
    if _broke_off(prepared):
        prepared = replace(prepared, made=True)
    else:
        check_place(place, replace=overwrite)
    if target.gguf:
        prepared = replace(prepared, tools=gguf.find_tools(target.gguf), request=_through_transformers(request))
    if target.name == "merged4":
        quantizing.check_four_bit()
    api.prepare(replace(prepared.request, references=(parent,)))  # the suite, its gold sets and the engine
    return prepared


def export(prepared: Prepared, progress: Progress, tell: Callable[[str], None]) -> Exported:
    """Make it, hold it against its adapter, write the verdict beside it, and register it when it is good.

    An export that drifted stays in its folder, marked in `export.json`, for whoever wants to see why.

    Args:
        tell: is told what is done, a clause at a time.

    Raises:
        InputError: it cannot be made or written; nothing of it is left.
        IncompleteError: too many questions failed for a verdict; the same command goes on.
    """
    if not prepared.made:
        tell(f"merging {prepared.parent.name} into its base in {prepared.dtype}")
        _make(prepared, tell)
    record = read_export_record(prepared.place)
    assert record is not None
    outcome = _ask(prepared, progress)
    *between, parity = (judge(outcome, compared) for compared in outcome.comparison.comparisons)
    merged = between[0] if between else None
    if merged is not None and merged.verdict == "drifted" and parity.verdict != "drifted":
        # Few bits excuse more than a merge may do: what was wrong before them is not to hide behind them.
        reasons = tuple(f"the merge it was made from: {reason}" for reason in merged.reasons)
        parity = parity.model_copy(update={"verdict": "drifted", "reasons": reasons})
    record = record.model_copy(update={"merged": merged, "parity": parity})
    write_whole(prepared.place / FILE_NAME, record.to_json())
    shutil.rmtree(prepared.place / MERGED, ignore_errors=True)
    registered = register(prepared.name, _entry(prepared), prepared.workspace) if parity.verdict == "good" else None
    return Exported(record, outcome, registered)


def _make(prepared: Prepared, tell: Callable[[str], None]) -> None:
    target, parent = prepared.target, prepared.parent
    with made_whole(prepared.place) as folder:
        between = folder / MERGED
        if target.bits == 16:
            merging.merge(parent, prepared.dtype, folder)
        else:
            between.mkdir()
            merging.merge(parent, prepared.dtype, between)
        if prepared.tools is not None:
            tell(f"converting to {target.gguf} with {prepared.tools.converter.name}")
            file = folder / f"{prepared.name}{SUFFIX}"
            gguf.convert(between, target.gguf, file, prepared.tools, dtype=prepared.dtype)
            tell(f"its weights are {gguf.number_formats(file)}")
            shutil.copyfile(between / "config.json", folder / "config.json")
            merging.copy_companions(parent, folder)
            _write_record(replace(prepared, name=_merge_of(prepared), target=TARGETS["merged16"]), between)
        elif target.bits == 4:
            tell("quantising to 4 bit")
            quantizing.quantize(between, folder, dtype=prepared.dtype)
            merging.copy_companions(parent, folder)
            shutil.rmtree(between, ignore_errors=True)
        _write_record(prepared, folder)


def _ask(prepared: Prepared, progress: Progress) -> api.Outcome:
    """Adapter and export, each as the other is asked; between them the merge that a GGUF was made from."""
    places = {_merge_of(prepared): prepared.place / MERGED} if prepared.target.gguf else {}
    places[prepared.name] = prepared.place
    made = (
        replace(prepared.parent, name=name, model=place, adapter=None, quantization=None)
        for name, place in places.items()
    )
    outcome = api.compare(replace(prepared.request, references=(prepared.parent, *made)), progress)
    if outcome.incomplete:
        reasons = "; ".join(reason for one in outcome.comparison.comparisons for reason in one.gate.reasons)
        raise IncompleteError(
            f"too many questions failed for a verdict: {reasons}",
            where=str(prepared.place),
            remedy="The same command asks them again; what was answered is kept.",
        )
    return outcome


def _merge_of(prepared: Prepared) -> str:
    """The name of the merge that a GGUF is made from."""
    return f"{prepared.name} ({MERGED})"


def _through_transformers(request: api.Request) -> api.Request:
    """Adapter, merge and GGUF on one engine, and only transformers reads a GGUF.

    Raises:
        InputError: another one was asked for, or the package that reads the file is missing.
    """
    if request.engine == "vllm":
        raise InputError(
            "a GGUF is read through transformers",
            where="--engine vllm",
            remedy="Leave it out; or --to merged16, and the merge is asked on vLLM.",
        )
    if "gguf" not in installed():
        raise InputError("gguf must be installed", where="--to gguf", remedy="pip install 'finetune-harness[gguf]'.")
    return replace(request, engine="transformers")


def _write_record(prepared: Prepared, folder: Path) -> None:
    (folder / FILE_NAME).write_text(_record(prepared, folder).to_json(), encoding="utf-8")


def _record(prepared: Prepared, folder: Path) -> ExportRecord:
    parent, print_ = prepared.parent, prepared.fingerprint
    assert print_.adapter is not None
    assert print_.tokenizer is not None
    return ExportRecord(
        name=prepared.name,
        to=prepared.target.name,
        parent=ParentRecord(
            name=parent.name,
            digest=print_.digest,
            model=_written(parent.model, prepared),
            model_digest=print_.model,
            adapter=_written(prepared.adapter.path, prepared),
            adapter_digest=print_.adapter,
            tokenizer_digest=print_.tokenizer,
            quantization=parent.quantization,
            prompt=parent.format().name,
        ),
        digest=fingerprint(ModelCandidate(prepared.name, folder)).model,
        dtype=prepared.dtype,
        bits=prepared.target.bits,
        method=_method(prepared, folder),
        versions={"finetune-harness": __version__, **installed()},
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _method(prepared: Prepared, folder: Path) -> str:
    merged = f"PEFT merge_and_unload in {prepared.dtype}"
    if prepared.target.gguf:
        formats = gguf.number_formats(folder / f"{prepared.name}{SUFFIX}")
        return f"{merged}, then llama.cpp to {prepared.target.gguf} (weights: {formats})"
    return f"{merged}, then {quantizing.METHOD}" if prepared.target.bits == 4 else merged


def _written(path: Path, prepared: Prepared) -> str:
    """A path as the record keeps it: relative where both lie in the workspace, so that it may be moved as a whole."""
    root, path = prepared.workspace.here, path.resolve()
    if path.is_relative_to(root) and prepared.place.is_relative_to(root):
        return Path(os.path.relpath(path, prepared.place)).as_posix()
    return str(path)


def _entry(prepared: Prepared) -> Entry:
    folder, parent = prepared.workspace.folder, prepared.parent
    place = prepared.place
    return Entry(
        model=place.relative_to(folder).as_posix() if place.is_relative_to(folder) else str(place),
        prompt=parent.prompt,
        system=parent.system,
        sampling=parent.sampling,
    )


def _check_entry(prepared: Prepared) -> None:
    """The name must be free in harness.yaml, or be that of this very folder."""
    workspace = prepared.workspace
    entry = workspace.entry(prepared.name)
    if entry is None or (entry.model is not None and (workspace.folder / entry.model).resolve() == prepared.place):
        return
    raise InputError(
        "stands for something else, and would be overwritten",
        where=f"{workspace.file}: candidates.{prepared.name}",
        remedy=f"Rename that entry, or give its folder with --output {entry.model or 'DIR'}.",
    )


def _broke_off(prepared: Prepared) -> bool:
    """Whether this very export stands in its place, whole, and was never judged."""
    if not (prepared.place / FILE_NAME).is_file():
        return False
    record = read_export_record(prepared.place)
    return (
        record is not None
        and record.parity is None
        and record.to == prepared.target.name
        and record.parent.digest == prepared.fingerprint.digest
        and (prepared.place / MERGED).is_dir() == bool(prepared.target.gguf)
        and fingerprint(ModelCandidate(prepared.name, prepared.place)).model == record.digest
    )


def _plain(name: str) -> str:
    """A name for harness.yaml from any reference: the last part of a path or of a hub's name."""
    last = name.rstrip("/").rpartition("/")[2].partition("@")[0]
    return re.sub(r"[^\w.-]+", "_", last) or "candidate"
