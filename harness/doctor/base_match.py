"""Is it on the base it was trained on? Shapes and vocabulary decide; another name or quantisation is a warning."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from harness.candidates.adapter import AdapterFolder, misfit
from harness.candidates.candidate import ModelCandidate
from harness.candidates.tokenizer import read_json
from harness.doctor.finding import Finding
from harness.doctor.probe import Reporting, Run, Subject, worst

#: How quantised checkpoints are called, and what is meant.
_QUANTISED = (
    (re.compile(r"-(unsloth-)?bnb-(4|8)bit$", re.I), "bitsandbytes"),
    (re.compile(r"-gptq(-int\d+)?$", re.I), "gptq"),
    (re.compile(r"-awq$", re.I), "awq"),
    (re.compile(r"-fp8(-dynamic)?$", re.I), "fp8"),
)
_RIGHT_BASE = "Give the base it was trained on with --base PATH."


class BaseMatch(Reporting):
    """Shapes, vocabulary, name and quantisation of the base against what the adapter remembers."""

    name = "base-match"

    def read(self, subject: Subject) -> Finding:
        """See `Probe.read`."""
        candidate = subject.model
        if candidate is None:
            return self.finding("skip", "its weights are not here: there is no base to match")
        found = [self._tokenizer_fits(subject, candidate), self._weights(subject)]
        if candidate.adapter is not None:
            found += [
                self._shapes(candidate, candidate.adapter),
                self._vocabulary(candidate, candidate.adapter),
                self._origin(candidate, candidate.adapter),
            ]
        return worst(self.name, found)

    def ask(self, subject: Subject, run: Run) -> Finding:
        """See `Probe.ask`: the files say everything."""
        return self.finding("skip", "the files say everything")

    def _tokenizer_fits(self, subject: Subject, candidate: ModelCandidate) -> Finding:
        rows = _embedding_rows(candidate.model)
        known = candidate.tokenizer.vocab_size
        if rows is None or known <= rows:
            return self.finding("pass", f"the tokenizer's {known} tokens fit the model's {rows or 'vocabulary'}")
        highest = max((max(a.request.token_ids, default=0) for a in subject.planned.asked), default=0)
        if highest >= rows:
            return self.finding(
                "fail",
                f"the prompts hold token {highest}, the model knows {rows}: the tokenizer belongs to another model",
                "Copy the tokenizer files of this very model beside its weights.",
            )
        return self.finding(
            "warn",
            f"the tokenizer has {known} tokens, the model knows {rows}",
            "Copy the tokenizer files of this very model beside its weights.",
        )

    def _shapes(self, candidate: ModelCandidate, adapter: AdapterFolder) -> Finding:
        why = misfit(adapter, candidate.model)
        if why is not None:
            return self.finding("fail", f"the adapter does not fit the base: {why}", _RIGHT_BASE)
        rows = _embedding_rows(candidate.model)
        for name, shape in adapter.shapes.items():
            whole = len(shape) == 2 and name.endswith(("embed_tokens.weight", "lm_head.weight"))
            if whole and rows is not None and shape[0] != rows:
                return self.finding(
                    "fail", f"training resized the vocabulary to {shape[0]}, the base has {rows} ({name})", _RIGHT_BASE
                )
        return self.finding("pass", "all shapes fit")

    def _weights(self, subject: Subject) -> Finding:
        """The base's content against what the lineage recorded: another model may have the same shapes and name."""
        lineage = subject.training.lineage
        if lineage is None or subject.adapter is None:
            return self.finding("pass", "")
        print_ = subject.planned.fingerprint
        # Quantised on load it is still these weights.
        here = {replace(print_, adapter=None, quantization=method).digest for method in (None, print_.quantization)}
        if lineage.parent_digest in here:
            return self.finding("pass", "the base's weights are those of training, to the byte")
        return self.finding(
            "warn",
            f"trained on other weights than these: the lineage recorded another digest of {lineage.parent!r}",
            _RIGHT_BASE,
        )

    def _vocabulary(self, candidate: ModelCandidate, adapter: AdapterFolder) -> Finding:
        """The tokenizer saved beside the adapter against the base's, with which it is served."""
        own, base = adapter.path / "tokenizer.json", candidate.model / "tokenizer.json"
        if not own.is_file() or own.read_bytes() == base.read_bytes():
            return self.finding("pass", "the vocabulary is the base's")
        trained, served = _vocabulary(str(own), _state(own)), _vocabulary(str(base), _state(base))
        moved = [token for token, id_ in trained.items() if served.get(token, id_) != id_]
        if moved:
            token = moved[0]
            return self.finding(
                "fail",
                f"{len(moved)} tokens have another id in training than in the base "
                f"({token!r}: {trained[token]}, base {served[token]})",
                _RIGHT_BASE,
            )
        padding = _content(read_json(adapter.path / "tokenizer_config.json").get("pad_token"))
        added = [token for token in trained if token not in served and token != padding]
        if not added:
            return self.finding("pass", "the vocabulary is the base's")
        rows = _embedding_rows(candidate.model)
        beyond = [token for token in added if rows is not None and trained[token] >= rows]
        if beyond:
            return self.finding(
                "fail",
                f"training added {len(beyond)} tokens that the base has no embeddings for ({beyond[0]!r})",
                "Merge the adapter into the base it was trained on and evaluate that.",
            )
        return self.finding(
            "warn",
            f"training knew {len(added)} tokens that the base's tokenizer splits ({added[0]!r})",
            "Serve it with the tokenizer that was saved beside the adapter.",
        )

    def _origin(self, candidate: ModelCandidate, adapter: AdapterFolder) -> Finding:
        named = adapter.base_name
        if not named:
            return self.finding("pass", "the adapter does not say what it was trained on")
        trained, quantised = _plain_name(named)
        names = _names(candidate.model)
        here = {_plain_name(name)[0] for name in names}
        found = []
        if trained not in here:
            found.append(
                self.finding(
                    "warn",
                    f"trained on {named!r}, evaluated on {candidate.model.name!r}",
                    "Make sure that both are the same weights.",
                )
            )
        loaded = _loaded_as(candidate, names)
        if quantised is not None and quantised != loaded:
            found.append(
                self.finding(
                    "warn",
                    f"trained on a base quantised with {quantised} ({named!r}), evaluated on one "
                    + (f"quantised with {loaded}" if loaded else "that is not quantised"),
                    "Evaluate what will be deployed (quantization: in harness.yaml quantises on load).",
                )
            )
        return worst(self.name, found) if found else self.finding("pass", f"trained on {named!r}")


def _embedding_rows(model: Path) -> int | None:
    config = read_json(model / "config.json")
    found = config.get("vocab_size") or config.get("text_config", {}).get("vocab_size")
    return found if isinstance(found, int) else None


def _plain_name(name: str) -> tuple[str, str | None]:
    """A model's name without organisation, folders and marks of quantisation, and what those marks say.

    ModelScope writes "Qwen2___5" for "Qwen2.5" in its folders.
    """
    last = PurePosixPath(name.replace("\\", "/").rstrip("/")).name.replace("___", ".").lower()
    for mark, method in _QUANTISED:
        if mark.search(last):
            return mark.sub("", last), method
    return last, None


def _names(model: Path) -> list[str]:
    """What the base may be called: its folder, where a link leads, the hub's name in a cache, what its config says."""
    names = [model.name]
    for place in (model, model.resolve()):
        names.append(place.name)
        if place.parent.name == "snapshots":  # models--ORG--NAME/snapshots/REVISION
            names.append(place.parent.parent.name.rpartition("--")[2])
    said = read_json(model / "config.json").get("_name_or_path")
    return [*names, said] if isinstance(said, str) and said else names


def _loaded_as(candidate: ModelCandidate, names: list[str]) -> str | None:
    """How the base is quantised when it is asked: on load, or in the checkpoint."""
    if candidate.quantization:
        return candidate.quantization
    config = read_json(candidate.model / "config.json").get("quantization_config")
    if isinstance(config, dict):
        method = str(config.get("quant_method") or "")
        return method or next((found for _, found in map(_plain_name, names) if found), "an unknown method")
    return None


def _content(token: Any) -> str | None:
    found = token.get("content") if isinstance(token, dict) else token
    return found if isinstance(found, str) else None


def _state(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


@lru_cache(maxsize=8)
def _vocabulary(path: str, state: tuple[int, int]) -> dict[str, int]:
    """Token -> id, added tokens included; `state` keeps the cache honest."""
    content = read_json(Path(path))
    model = content.get("model", {}).get("vocab", {})
    if isinstance(model, list):  # Unigram: pieces with their scores
        model = {piece[0]: index for index, piece in enumerate(model)}
    added = {token["content"]: token["id"] for token in content.get("added_tokens", [])}
    return {**model, **added}
