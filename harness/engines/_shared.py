"""What the engines that hold weights do alike: refuse what cannot be answered, seed, cut text, stay quiet."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.candidates.tokenizer import PromptTokenizer, read_json
from harness.engines.base import Adapter, Completion, Continuation, EngineSpec, Request, Sampling
from harness.errors import InputError

# Initialisations that change the base weights when PEFT loads the adapter; everything else leaves the base alone.
_HARMLESS_INITS = {"true", "false", "none", "gaussian", "eva", "orthogonal"}


def offline_environment() -> None:
    """No hub, no telemetry, no progress bars, unless the user has said otherwise. Call before heavy imports."""
    for name, value in {
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "DO_NOT_TRACK": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }.items():
        os.environ.setdefault(name, value)


def adapter_config(adapter: Adapter) -> dict[str, Any]:
    """`adapter_config.json` of an adapter.

    Raises:
        InputError: there is none, or it is not a JSON object.
    """
    found = read_json(adapter.path / "adapter_config.json")
    if not found:
        raise InputError(
            "is no adapter: it has no adapter_config.json",
            where=str(adapter.path),
            remedy="Name the folder that save_pretrained wrote.",
        )
    return found


def changes_base(config: Mapping[str, Any]) -> str | None:
    """Why an adapter cannot share a base with anything else, or None.

    PiSSA, OLoRA, CorDA, LoftQ and LoRA-GA rewrite the base weights when PEFT loads them (the adapter is only right
    beside the rewritten base), so the base and every other adapter of the engine would silently answer with the wrong
    weights, and an engine that does not rewrite answers wrongly for the adapter.
    """
    init = config.get("init_lora_weights", True)
    if str(init).lower() in _HARMLESS_INITS:
        return None
    return (
        f"it was initialised with {init!r}, which rewrites the base weights; save it with "
        "save_pretrained(…, path_initial_model_for_weight_conversion=…), which makes a plain LoRA of it"
    )


def seed_of(request: Request) -> int:
    """The seed one request draws its text with, 31 bits: it depends on the sampling seed and the completion's key only.

    So the same completion asked for again (a resumed run, another batch, another order) draws with the same numbers,
    and two repeats, whose keys differ, do not.
    """
    text = f"{request.sampling.seed}:{request.key}".encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:4], "big") & 0x7FFFFFFF


def prompt_tokens(request: Request, spec: EngineSpec) -> int:
    """Tokens of a request's prompt, its pictures counted at their full length."""
    if not request.images or spec.vision is None:
        return len(request.token_ids)
    return spec.vision.length(request.token_ids, request.images)


def misfit(
    request: Request,
    spec: EngineSpec,
    *,
    vocab_size: int,
    adapters: Mapping[str, Any],
    max_model_len: int | None = None,
) -> str | None:
    """Why `request` cannot be answered by an engine started with `spec`, or None. The same in every engine.

    A request that does not fit is refused rather than given fewer tokens, because `max_tokens` is part of the
    completion's identity.

    Args:
        adapters: by digest, those the engine has loaded.
        max_model_len: instead of the spec's.
    """
    limit = spec.max_model_len if max_model_len is None else max_model_len
    if not request.token_ids:
        return "the prompt has no token ids, and this engine answers nothing else"
    if request.images and spec.vision is None:
        return "the prompt has pictures, and this model takes none"
    if len(request.images) > spec.max_images:
        return f"the prompt has {len(request.images)} pictures, and the engine was started for {spec.max_images}"
    if spec.vision is not None and (why := spec.vision.fault(request.token_ids, request.images)):
        return why
    length = prompt_tokens(request, spec)
    needed = length + request.sampling.max_tokens
    if needed > limit:
        return (
            f"the prompt ({length} tokens) and its answer (up to {request.sampling.max_tokens}) need "
            f"{needed} tokens, more than max_model_len {limit}: raise it, or lower max_tokens"
        )
    lowest, highest = min(request.token_ids), max(request.token_ids)
    if lowest < 0 or highest >= vocab_size:
        return (
            f"the prompt holds token id {lowest if lowest < 0 else highest}, but the model knows 0 to "
            f"{vocab_size - 1}: the tokenizer does not belong to this model"
        )
    if request.adapter is not None and request.adapter.digest not in adapters:
        return f"the adapter {request.adapter.path} was not among those the engine was opened with"
    return None


def check_continuations(continuations: Sequence[Continuation]) -> None:
    """Refuse continuations that have nothing before them.

    Raises:
        InputError: an empty prompt; the first token's probability would not be defined.
    """
    for index, continuation in enumerate(continuations):
        if continuation.continuation_ids and not continuation.prompt_ids:
            raise InputError(
                "an empty prompt gives the first token nothing to depend on",
                where=f"continuation {index}",
                remedy="Put the beginning-of-text token, or any prompt, before it.",
            )


def refused(request: Request, why: str) -> Completion:
    """The completion of a request that got no answer."""
    return Completion(request.key, "", "error", len(request.token_ids), 0, 0.0, why)


def answer_text(tokenizer: PromptTokenizer, ids: Sequence[int], sampling: Sampling) -> str:
    """Text of an answer's token ids: without the end token, special tokens or anything from a stop string on."""
    kept = list(ids[:-1]) if ids and ids[-1] in sampling.stop_token_ids else list(ids)
    text = tokenizer.decode(kept)
    found = [at for at in (text.find(stop) for stop in sampling.stop) if at >= 0]
    return text[: min(found)] if found else text


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the accelerator (or the machine) ran out of memory, by any name libraries give to it."""
    text = f"{type(error).__name__} {error}".lower()
    return isinstance(error, MemoryError) or any(
        sign in text for sign in ("outofmemory", "out of memory", "can't allocate memory", "cannot allocate memory")
    )


@contextlib.contextmanager
def captured_output(log: Path) -> Iterator[None]:
    """Send what this process and its children print (Python, C++ and progress bars alike) to the file `log`.

    File descriptors 1 and 2 are replaced, because native libraries print past `sys.stdout`. Where `sys.stdout` has no
    descriptor (a notebook's), it is replaced as well, because vLLM asks it for one. `sys.stderr` never is: absl's log
    handler closes a standard stream that is not in its place when logging is configured anew. Children started inside
    keep writing to `log` after the block.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    saved = os.dup(1), os.dup(2)
    try:
        with log.open("ab", buffering=0) as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        with contextlib.ExitStack() as stack:
            if not _has_descriptor(sys.stdout):
                # Never closed: log handlers made inside keep it, and would fail at every line after the block.
                text = log.open("a", buffering=1, encoding="utf-8", errors="replace")
                stack.enter_context(contextlib.redirect_stdout(text))
            yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for descriptor, copy in zip((1, 2), saved, strict=True):
            os.dup2(copy, descriptor)
            os.close(copy)


def _has_descriptor(stream: Any) -> bool:
    try:
        stream.fileno()
    except (AttributeError, OSError, ValueError):
        return False
    return True


def new_log(name: str) -> Path:
    """An empty file in the temporary folder for one engine's output."""
    descriptor, path = tempfile.mkstemp(prefix=f"harness-{name}-", suffix=".log")
    os.close(descriptor)
    return Path(path)
