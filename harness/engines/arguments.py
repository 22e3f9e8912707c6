"""What an engine's own constructor takes, read from its source: a misspelt argument is found before anything starts.

Importing vLLM takes some twenty seconds and transformers some five; reading the names out of one file takes a few
milliseconds. Where the file is not there or says nothing, the engine itself judges when it starts.
"""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from harness.candidates.settings import EngineSettings
from harness.candidates.tokenizer import read_json
from harness.errors import InputError, did_you_mean

#: What the candidate decides: in an engine's arguments it would name other weights than those in every key.
_CANDIDATES: Mapping[str, frozenset[str]] = {
    "vllm": frozenset({"model", "tokenizer", "model_weights", "served_model_name", "hf_config_path"}),
    "transformers": frozenset(
        {"pretrained_model_name_or_path", "config", "state_dict", "gguf_file", "subfolder", "variant", "revision",
         "key_mapping", "output_loading_info", "adapter_name"}
    ),
}  # fmt: skip


def check_arguments(settings: EngineSettings, engine: str, model: Path) -> None:
    """Look for arguments that the engines do not take.

    The section of each engine that is installed is looked at, whichever answers; `args` is looked at for `engine`.

    Args:
        engine: what answers, "vllm" or "transformers".
        model: directory of the base model: transformers takes whatever its config has.

    Raises:
        InputError: an engine has no such argument, or the candidate decides it.
    """
    sections = {"vllm": settings.vllm, "transformers": settings.transformers}
    for name, section in sections.items():
        _check(name, section, f"engine.{name}", settings, model)
    _check(engine, settings.args, "engine.args", settings, model)


def _check(name: str, given: Mapping[str, object], where: str, settings: EngineSettings, model: Path) -> None:
    if not given:
        return
    for key in given:
        if key in _CANDIDATES[name]:
            raise InputError(
                f"{key!r} belongs to the candidate, not to the engine: answers would be stored as those of other "
                "weights",
                where=where,
                remedy="Write it in the candidate's entry of harness.yaml.",
            )
    known = arguments_of(name, model, remote=settings.trust_remote_code)
    if not known:
        return
    for key in given:
        if key not in known:
            raise InputError(f"{name} has no argument {key!r}", where=where, remedy=_remedy(key, name, known, model))


def _remedy(key: str, name: str, known: frozenset[str], model: Path) -> str:
    if key in EngineSettings.model_fields:
        return f"Write it as engine.{key}: it is a setting of the harness."
    other = "transformers" if name == "vllm" else "vllm"
    if key in arguments_of(other, model):
        return f"{other} takes it: write it under engine.{other}."
    return did_you_mean(key, known)


def arguments_of(name: str, model: Path, *, remote: bool = False) -> frozenset[str]:
    """Names of the arguments that an engine takes; empty where that cannot be known.

    Args:
        remote: the model brings code of its own, which may take anything.
    """
    if name == "vllm":
        return _fields("vllm", "engine/arg_utils.py", "EngineArgs")
    own = _loader()
    if not own or remote:
        return frozenset()
    config = read_json(model / "config.json")
    kind = str(config.get("model_type", ""))
    return (
        own
        | frozenset(config)
        | _fields("transformers", "configuration_utils.py")
        | _fields("transformers", f"models/{kind}/configuration_{kind}.py")
    )


@cache
def _loader() -> frozenset[str]:
    """What `from_pretrained` of transformers takes: its parameters, and what it takes out of its `kwargs`."""
    found: set[str] = set()
    for function in ast.walk(_source("transformers", "modeling_utils.py")):
        if isinstance(function, ast.FunctionDef) and function.name == "from_pretrained":
            found |= {argument.arg for argument in (*function.args.args, *function.args.kwonlyargs)} - {"cls"}
            found |= {name for node in ast.walk(function) for name in _popped(node)}
    return frozenset(name for name in found if not name.startswith("_"))


def _popped(node: ast.AST) -> Iterator[str]:
    """The name in `kwargs.pop("name")`."""
    match node:
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id="kwargs"), attr="pop"), args=[ast.Constant(value=str(name)), *_]
        ):
            yield name


@cache
def _fields(package: str, file: str, class_name: str | None = None) -> frozenset[str]:
    """Names of the annotated fields of a class in a file of a package, or of all its classes."""
    return frozenset(
        field.target.id
        for node in _source(package, file).body
        if isinstance(node, ast.ClassDef) and class_name in (None, node.name)
        for field in node.body
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and "ClassVar" not in ast.unparse(field.annotation)
    )


@cache
def _source(package: str, file: str) -> ast.Module:
    """A file of a package, parsed; an empty one where it is not there. Finding a package does not import it."""
    found = importlib.util.find_spec(package)
    try:
        assert found is not None
        assert found.origin is not None
        return ast.parse((Path(found.origin).parent / file).read_text(encoding="utf-8"))
    except (AssertionError, OSError, SyntaxError, ValueError):
        return ast.Module(body=[], type_ignores=[])
