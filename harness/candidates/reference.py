"""From what a user writes to a candidate."""

from __future__ import annotations

from pathlib import Path

from harness.candidates.adapter import CONFIG, AdapterFolder, misfit
from harness.candidates.candidate import Candidate, EndpointCandidate, ModelCandidate, ReplayCandidate
from harness.candidates.endpoint import PREFIX, parse_reference
from harness.candidates.gguf import SUFFIX, gguf_file
from harness.candidates.hub import HUBS, download
from harness.candidates.workspace import Entry, Workspace
from harness.errors import InputError, did_you_mean

_LATER = {"py:": "Python callables"}


def resolve(
    reference: str, workspace: Workspace, *, base: str | None = None, fallback: ModelCandidate | None = None
) -> Candidate:
    """The candidate that `reference` names.

    Args:
        reference: a name in `harness.yaml`, a model or adapter directory, `hf:…`, `ms:…`, `replay:PATH` or
            `openai:MODEL@URL`.
        base: `--base`: the model an adapter is put on, whatever its config says.
        fallback: the model to put an adapter on when its own base is not on this machine (the BASE of a comparison).

    Raises:
        InputError: nothing, or more than one thing, goes by that reference; or what it names is broken.
    """
    for prefix, what in _LATER.items():
        if reference.startswith(prefix):
            raise InputError(f"{what} ({reference!r}) are not supported yet", remedy="Use replay:PATH.")
    if reference.startswith(PREFIX):
        return EndpointCandidate(reference, parse_reference(reference))
    if reference.startswith("replay:"):
        return _replay(reference, workspace.here / reference.removeprefix("replay:"))
    entry = workspace.entry(reference)
    path = workspace.here / reference
    if entry is not None:
        if path.is_dir() and path.resolve() not in _folders(entry, workspace):
            raise InputError(
                f"{reference!r} is an entry of {workspace.file} and also a folder here",
                where=str(path),
                remedy=f"Write ./{reference} for the folder, or rename the entry.",
            )
        return _from_entry(reference, entry, workspace, base, fallback)
    if reference.startswith(HUBS):
        return _from_folder(reference, download(reference), workspace, base, fallback)
    if path.is_dir():
        return _from_folder(reference, path, workspace, base, fallback)
    remedy = did_you_mean(reference, workspace.content.candidates)
    if workspace.file is None:
        remedy = "There is no harness.yaml here: give a directory, or --demo for the packaged demo."
    raise InputError(f"unknown candidate {reference!r}", remedy=remedy)


def _folders(entry: Entry, workspace: Workspace) -> set[Path]:
    """The folders that an entry is about: an entry named like its own adapter is no second thing."""
    return {(workspace.folder / text).resolve() for text in (entry.adapter or entry.model,) if text}


def _replay(name: str, path: Path) -> ReplayCandidate:
    if not path.exists():
        raise InputError("recorded outputs do not exist", where=str(path))
    return ReplayCandidate(name, path)


def _from_entry(
    name: str, entry: Entry, workspace: Workspace, base: str | None, fallback: ModelCandidate | None
) -> Candidate:
    if entry.replay is not None:
        return _replay(name, workspace.folder / entry.replay)
    if entry.endpoint is not None:
        return EndpointCandidate(name, entry.endpoint, system=entry.system, sampling=entry.sampling)
    model, revision, quantization = entry.model, entry.revision, entry.quantization
    if entry.base is not None:
        other = workspace.entry(entry.base)
        if other is None or other.model is None:
            known = [key for key, value in workspace.content.candidates.items() if value.model]
            raise InputError(
                f"base {entry.base!r} is not an entry with a 'model'",
                where=f"{workspace.file}: candidates.{name}.base",
                remedy=did_you_mean(entry.base, known),
            )
        model, revision, quantization = other.model, other.revision, quantization or other.quantization
    place = f"{workspace.file}: candidates.{name}"
    adapter: AdapterFolder | None = None
    if entry.adapter is None:
        if model is None:
            raise InputError("needs a 'model'", where=place)
        root = _weights(model, workspace, revision, place)
    else:
        adapter = AdapterFolder.open(_existing(workspace.folder / entry.adapter, f"{place}.adapter"))
        given = _named_base(base, workspace, place) if base else None
        if given is None and model is not None:
            given = _weights(model, workspace, revision, place)
        root = _base_of(adapter, given, workspace, fallback, place)
    return ModelCandidate(
        name=name,
        model=root,
        adapter=adapter,
        quantization=quantization,
        system=entry.system,
        prompt=entry.prompt,
        prompt_folder=workspace.folder,
        sampling=entry.sampling,
    )


def _from_folder(
    name: str, path: Path, workspace: Workspace, base: str | None, fallback: ModelCandidate | None
) -> ModelCandidate:
    if (path / CONFIG).is_file():
        adapter = AdapterFolder.open(path)
        given = _named_base(base, workspace, str(path)) if base else None
        root = _base_of(adapter, given, workspace, fallback, str(path))
        quantization = fallback.quantization if fallback is not None and fallback.model == root else None
        return ModelCandidate(
            name=name,
            model=root,
            adapter=adapter,
            quantization=quantization,
            prompt_folder=workspace.here,
        )
    return ModelCandidate(name=name, model=_checked_model(path), prompt_folder=workspace.here)


def _base_of(
    adapter: AdapterFolder, given: Path | None, workspace: Workspace, fallback: ModelCandidate | None, place: str
) -> Path:
    """The model an adapter is put on. Shapes decide whether it fits; the doctor warns of another name."""
    named = adapter.base_name
    if given is not None:
        root = given
    elif named and (workspace.here / named).is_dir():
        root = _checked_model((workspace.here / named).resolve())
    elif fallback is not None:
        root = fallback.model
    else:
        raise InputError(
            f"the adapter was trained on {named!r}, which is not on this machine",
            where=place,
            remedy="Say where its base is: --base PATH, or 'base:' in harness.yaml.",
        )
    why = misfit(adapter, root)
    if why is not None:
        raise InputError(
            f"the adapter does not fit the base {root}: {why}",
            where=str(adapter.path),
            remedy=f"It was trained on {named!r}; give that model with --base PATH.",
        )
    return root


def _named_base(text: str, workspace: Workspace, place: str) -> Path:
    """What `--base` names: an entry with a model, a folder, or a model of a hub."""
    entry = workspace.entry(text)
    if entry is not None and entry.model is not None:
        return _weights(entry.model, workspace, entry.revision, place)
    return _weights(text, workspace, None, place)


def _weights(text: str, workspace: Workspace, revision: str | None, place: str) -> Path:
    """The folder of a model: `text` is a path or a model of a hub, never the name of an entry."""
    if text.startswith(HUBS):
        return _checked_model(download(text if revision is None or "@" in text else f"{text}@{revision}"))
    root = workspace.folder / text
    if not root.is_dir() and (workspace.here / text).is_dir():
        root = workspace.here / text
    return _checked_model(_existing(root, place))


def _existing(path: Path, place: str) -> Path:
    if not path.is_dir():
        raise InputError(f"the directory {str(path)!r} does not exist", where=place)
    return path


def _checked_model(path: Path) -> Path:
    if not (path / "config.json").is_file():
        raise InputError("is neither a model directory (no config.json) nor an adapter directory", where=str(path))
    if not any(path.glob("*.safetensors")) and gguf_file(path) is None:
        if several := sorted(file.name for file in path.glob(f"*{SUFFIX}")):
            raise InputError(
                f"holds several GGUF files ({', '.join(several)}), and nothing says which",
                where=str(path),
                remedy="Keep one of them in a folder of its own, with config.json and the tokenizer's files.",
            )
        pickles = sorted(p.name for p in path.iterdir() if p.suffix in {".bin", ".pt", ".pth"})
        if pickles:
            raise InputError(
                f"holds pickle weights ({pickles[0]}), which can run code when loaded",
                where=str(path),
                remedy="Convert them: model.save_pretrained(…, safe_serialization=True).",
            )
        raise InputError("holds no weights (*.safetensors, or one GGUF file)", where=str(path))
    return path
