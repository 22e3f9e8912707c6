"""A warm server of a base and its adapters."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.candidates.candidate import ModelCandidate
from harness.candidates.fingerprint import fingerprint
from harness.candidates.reference import resolve
from harness.candidates.vision import vision_of
from harness.candidates.workspace import Workspace
from harness.engines.arguments import check_arguments
from harness.engines.base import EngineSpec
from harness.engines.select import choose_engine
from harness.engines.served.names import Served
from harness.engines.served.pictures import pictures_served
from harness.engines.served.standing import PORT, start
from harness.errors import InputError
from harness.runs.planning.weights import engine_adapter, window

#: Tokens of prompt and answer that a server takes where nothing else is said: enough for every suite here.
USUAL_LENGTH = 4096


def serve(
    references: Sequence[str],
    workspace: Workspace,
    *,
    base: str | None = None,
    port: int = PORT,
    max_model_len: int | None = None,
    wait: Callable[[float], None] = lambda seconds: None,
) -> Served:
    """Start a server of `references`, the base first, and leave it standing.

    Args:
        base: `--base`: the model that adapters are put on.
        max_model_len: tokens of prompt and answer; `USUAL_LENGTH`, or the model's window where that is less.
        wait: told every second how long it has been.

    Raises:
        InputError: something without weights, adapters of another base, a server that stands already, a taken port.
        HarnessError: vLLM does not start.
    """
    found: list[ModelCandidate] = []
    for reference in references:
        candidate = resolve(reference, workspace, base=base, fallback=found[0] if found else None)
        if not isinstance(candidate, ModelCandidate):
            raise InputError(f"{candidate.name!r} has no weights here: nothing can be served", where="BASE")
        found.append(candidate)
    return serve_candidates(found, workspace, port=port, max_model_len=max_model_len, wait=wait)


def serve_candidates(
    found: Sequence[ModelCandidate],
    workspace: Workspace,
    *,
    port: int = PORT,
    max_model_len: int | None = None,
    wait: Callable[[float], None] = lambda seconds: None,
) -> Served:
    """As `serve`, of candidates that are resolved: the base first."""
    first, prints = found[0], [fingerprint(candidate) for candidate in found]
    for candidate, print_ in zip(found[1:], prints[1:], strict=True):
        if candidate.adapter is None or (print_.model, candidate.quantization) != (prints[0].model, first.quantization):
            raise InputError(
                f"{candidate.name!r} is no adapter of {first.name!r}",
                where="ADAPTER",
                remedy="A server holds one base; start it with adapters of that base.",
            )
    if first.adapter is not None:
        raise InputError(f"{first.name!r} is an adapter", where="BASE", remedy="Name its base first.")
    settings = workspace.content.engine.model_copy(update={"name": "vllm", "serve": None})
    configs = {candidate.name: candidate.adapter.config for candidate in found if candidate.adapter is not None}
    choice = choose_engine(settings, configs, model=first.model)
    check_arguments(settings, choice.name, first.model)
    adapters = (engine_adapter(candidate, print_) for candidate, print_ in zip(found, prints, strict=True))
    vision = vision_of(first.model)
    spec = EngineSpec(
        model=first.model,
        tokenizer=first.tokenizer,
        dtype=choice.dtype,
        quantization=first.quantization,
        device=choice.device,
        max_model_len=max_model_len or settings.max_model_len or min(window(first.model), USUAL_LENGTH),
        adapters=tuple({one.digest: one for one in adapters if one is not None}.values()),
        settings=settings,
        vision=vision,
        max_images=pictures_served(settings) if vision else 0,
    )
    return start(spec, prints[0].model, port=port, wait=wait)
