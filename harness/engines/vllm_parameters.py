"""vLLM's parameters for what is asked of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.engines._shared import seed_of
from harness.engines.base import Continuation, Request, Sampling

#: Tokens whose likelihoods vLLM gives in one pass at most (its MAX_LOGPROB_TOKEN_IDS).
_TOKENS_TOGETHER = 128


def sampling_params(request: Request, shared: dict[Sampling, Any]) -> Any:
    """vLLM's parameters for a request. Greedy ones are built once for all requests that share a `Sampling`."""
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind

    sampling = request.sampling
    greedy = sampling.temperature == 0.0
    if greedy and sampling in shared:
        return shared[sampling]
    params = SamplingParams(
        max_tokens=sampling.max_tokens,
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        top_k=sampling.top_k,
        repetition_penalty=sampling.repetition_penalty,
        seed=None if greedy else seed_of(request),
        stop=list(sampling.stop),
        stop_token_ids=list(sampling.stop_token_ids),
        # Without this vLLM adds the EOS of the config and of generation_config.json to the stop ids. Where a schema is
        # met a model may say any of those and nothing else: one that did not end the answer would break it.
        ignore_eos=not sampling.json_schema,
        detokenize=bool(sampling.stop),
        output_kind=RequestOutputKind.FINAL_ONLY,
        structured_outputs=_held_to(sampling.json_schema),
    )
    if greedy:
        shared[sampling] = params
    return params


def _held_to(schema: str) -> Any:
    """vLLM's parameters of an answer that is held to a JSON schema; None for a free one."""
    if not schema:
        return None
    from vllm.sampling_params import StructuredOutputsParams

    return StructuredOutputsParams(json=schema)


def likelihood_params(**wanted: Any) -> Any:
    """vLLM's parameters for a request whose text nobody wants."""
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind

    return SamplingParams(
        max_tokens=1,
        temperature=0.0,
        detokenize=False,
        ignore_eos=True,
        output_kind=RequestOutputKind.FINAL_ONLY,
        **wanted,
    )


def passes(continuations: Sequence[Continuation]) -> list[list[int]]:
    """Which continuations one pass of the model answers: single tokens after one prompt (the letters of options).

    The token after a prompt is one that vLLM would generate, so its likelihoods cost no more than a generated token;
    those within a prompt keep it from using its prefix cache, and make it compute the logits of the whole prompt.
    """
    from vllm import SamplingParams

    together = hasattr(SamplingParams(), "logprob_token_ids")
    found: dict[object, list[int]] = {}
    for index, asked in enumerate(continuations):
        if not asked.continuation_ids:
            continue
        single = together and len(asked.continuation_ids) == 1
        shared = (asked.adapter and asked.adapter.digest, asked.prompt_ids, asked.images)
        found.setdefault(shared if single else index, []).append(index)
    return [part for row in found.values() for part in _parts(row)]


def _parts(row: list[int]) -> list[list[int]]:
    return [row[start : start + _TOKENS_TOGETHER] for start in range(0, len(row), _TOKENS_TOGETHER)]
