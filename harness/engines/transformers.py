"""transformers and PEFT in this process: the engine that runs everywhere and loads every PEFT method.

Decoding is a loop of this module rather than `model.generate`: rows leave the batch, and reach the caller, the moment
they end, nothing of the model's `generation_config.json` can leak in, and each row draws from its own random numbers.

Source: https://huggingface.co/docs/transformers (DynamicCache), https://huggingface.co/docs/peft (PeftModel).
"""

from __future__ import annotations

import gc
import inspect
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.candidates.tokenizer import read_json
from harness.engines._shared import (
    adapter_config,
    answer_text,
    changes_base,
    check_continuations,
    is_out_of_memory,
    misfit,
    offline_environment,
    refused,
)
from harness.engines.base import Adapter, Completion, Continuation, EngineSpec, FinishReason, Request, Sampling
from harness.engines.decoding import Draw, Row
from harness.engines.versions import engine_version
from harness.errors import HarnessError, InputError

SMALL = 50_000_000
"""Parameters below which a model on a CPU runs on one thread: its matrices are too small to be worth sharing out."""

LOGIT_BYTES = 1 << 30
"""Most memory that the float32 logits of one batch of `logprobs` may take."""

_VIRTUAL_EMBEDDINGS = {"PROMPT_TUNING", "P_TUNING", "MULTITASK_PROMPT_TUNING"}
_VIRTUAL_CACHE = {"PREFIX_TUNING"}
_VIRTUAL = _VIRTUAL_EMBEDDINGS | _VIRTUAL_CACHE


def unloadable(config: Mapping[str, Any]) -> str | None:
    """Why PEFT cannot load an adapter beside its base here, as a clause, or None when it can.

    Args:
        config: content of `adapter_config.json`.
    """
    if config.get("alora_invocation_tokens"):
        return "it is an activated LoRA (alora_invocation_tokens), which is only right inside model.generate"
    if str(config.get("peft_type", "LORA")).upper() in {"CPT", "CARTRIDGE", "POLY", "XLORA"}:
        return f"its method, {config['peft_type']}, needs more than a model and a prompt"
    return changes_base(config)


class TransformersEngine:
    """The base model with every adapter of `spec` loaded beside it, answering in batches of `settings.batch_size`.

    Requests are grouped by adapter and by how text is drawn, longest prompt first (so that a batch that does not fit
    in memory is the first one). Greedy decoding is deterministic for the same batches; another batching can change
    floating-point noise, and with it, rarely, a token. A sampled answer depends on `seed_of(request)` and its logits
    only: one uniform number a token, inverted through the distribution, so batches and order do not matter beyond that
    noise. `latency` counts from the start of a request's batch.

    Out of memory: the batch is halved and what is unfinished is done again; a single sequence that does not fit is an
    error completion.

    Raises:
        InputError: the model or an adapter cannot be loaded; a package is missing.
        HarnessError: the weights do not fit in memory.
    """

    name = "transformers"

    def __init__(self, spec: EngineSpec) -> None:
        self._spec = spec
        self._model: Any = None
        self._peft: Any = None
        self._kind = ""
        self._active: str | None = None
        self._names: dict[str, str] = {}
        self._kinds: dict[str, str] = {}
        self._prompt_type = ""
        self._batch_size = spec.settings.batch_size
        self._threads = 0
        for adapter in spec.adapters:
            config = adapter_config(adapter)
            if why := unloadable(config):
                raise InputError(f"PEFT cannot load this adapter here: {why}", where=str(adapter.path))
            self._names.setdefault(adapter.digest, f"adapter{len(self._names)}")
            self._kinds[adapter.digest] = str(config.get("peft_type", "LORA")).upper()
        offline_environment()
        gpu = ""
        if spec.device == "cuda":
            from harness.engines.gpu import visible_gpus

            gpu = next((found.name for found in visible_gpus()), "")
        self.version = engine_version(self.name, gpu=gpu)
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        import torch
        import transformers

        transformers.logging.set_verbosity_error()
        transformers.logging.disable_progress_bar()
        spec = self._spec
        arguments: dict[str, Any] = {
            "dtype": getattr(torch, spec.dtype),
            "use_safetensors": True,
            "local_files_only": True,
            "trust_remote_code": spec.settings.trust_remote_code,
        }
        if spec.device == "cuda":
            arguments["device_map"] = "auto" if spec.settings.tensor_parallel_size > 1 else {"": 0}
        checkpoint = read_json(spec.model / "config.json")
        if spec.quantization == "bitsandbytes" and "quantization_config" not in checkpoint:
            arguments["quantization_config"] = {
                "load_in_4bit": True,
                "bnb_4bit_quant_type": "nf4",
                "bnb_4bit_use_double_quant": True,
                "bnb_4bit_compute_dtype": spec.dtype,
            }
        arguments |= spec.settings.args
        if isinstance(arguments.get("quantization_config"), dict):
            arguments["quantization_config"] = transformers.BitsAndBytesConfig(**arguments["quantization_config"])
        self._arguments = arguments
        self._load_base()
        model = self._model
        self._device = model.get_input_embeddings().weight.device
        self._vocab_size = int(model.get_input_embeddings().num_embeddings)
        self._config = model.config.get_text_config()
        if spec.device == "cpu" and sum(weight.numel() for weight in model.parameters()) < SMALL:
            self._threads = torch.get_num_threads()
            torch.set_num_threads(1)
        accepted = inspect.signature(type(model).forward).parameters
        self._keeps_last = "logits_to_keep" in accepted
        self._positions = "position_ids" in accepted
        for kind in dict.fromkeys(self._kinds.values()):
            self._load_kind(kind)

    def _load_base(self) -> None:
        import transformers

        try:
            model = transformers.AutoModelForCausalLM.from_pretrained(str(self._spec.model), **self._arguments)
        except Exception as error:
            raise _loading_failed(error, str(self._spec.model), "this model") from error
        self._model = model.eval()

    # Adapters

    def _load_kind(self, kind: str) -> None:
        """Load every adapter of one method. PEFT wraps a base in one method at a time.

        Another method's wrapping is not taken off but left with its base, which is loaded anew: PEFT's `unload` keeps
        a retrained `lm_head` (modules_to_save) in place of the base's own.
        """
        import peft

        wrapped = self._peft is not None and self._kind not in _VIRTUAL
        self._peft, self._active, self._kind = None, None, kind
        if wrapped:
            self._model = None
            self._free()
            self._load_base()
        for adapter in self._spec.adapters:
            name = self._names[adapter.digest]
            if self._kinds[adapter.digest] != kind or (self._peft is not None and name in self._peft.peft_config):
                continue
            try:
                if self._peft is None:
                    self._peft = peft.PeftModel.from_pretrained(self._model, str(adapter.path), adapter_name=name)
                else:
                    self._peft.load_adapter(str(adapter.path), adapter_name=name)
            except Exception as error:
                raise _loading_failed(error, str(adapter.path), "this adapter") from error
        self._peft.eval()
        self._active = ""  # neither the base nor an adapter: what is asked first is switched on

    def _kind_of(self, adapter: Adapter | None) -> str:
        return "" if adapter is None else self._kinds[adapter.digest]

    def _use(self, adapter: Adapter | None) -> None:
        """Make the next forward passes answer as `adapter` (None: the base)."""
        if adapter is not None and self._kind_of(adapter) != self._kind:
            self._load_kind(self._kind_of(adapter))
        wanted = None if adapter is None else self._names[adapter.digest]
        if self._peft is None or wanted == self._active:
            return
        if self._kind in _VIRTUAL:
            if wanted is not None:
                self._peft.set_adapter(wanted)
        elif wanted is None:
            self._peft.base_model.disable_adapter_layers()
        else:
            self._peft.base_model.enable_adapter_layers()
            self._peft.set_adapter(wanted)
        self._active = wanted
        self._prompt_type = self._kind if wanted is not None and self._kind in _VIRTUAL else ""

    # Forward passes

    def _begin(self, prompts: Sequence[Sequence[int]], room: int, keep: int, cached: bool) -> tuple[_Rows, Any]:
        """One forward pass over left-padded prompts: the state to go on from and the logits of the last `keep` places.

        Args:
            prompts: token ids a row.
            room: tokens that will follow.
            keep: places to return logits of, counted from the end.
            cached: whether to keep the KV cache.
        """
        import torch
        from transformers import DynamicCache

        width = max(len(prompt) for prompt in prompts)
        ids = torch.zeros(len(prompts), width, dtype=torch.long)
        mask = torch.zeros(len(prompts), width + room, dtype=torch.long)
        for row, prompt in enumerate(prompts):
            ids[row, width - len(prompt) :] = torch.tensor(prompt, dtype=torch.long)
            mask[row, width - len(prompt) : width] = 1
        mask[:, width:] = 1
        ids, mask = ids.to(self._device), mask.to(self._device)
        embeddings = None
        cache = DynamicCache(config=self._config) if cached else None
        virtual = 0
        if self._prompt_type:
            virtual = int(self._peft.active_peft_config.num_virtual_tokens)
            mask = torch.cat([torch.ones(len(prompts), virtual, dtype=torch.long, device=self._device), mask], dim=1)
            if self._prompt_type in _VIRTUAL_CACHE:
                cache = self._peft.get_prompt(len(prompts))
            else:
                task = torch.zeros(len(prompts), dtype=torch.long, device=self._device)
                soft = self._peft.get_prompt(len(prompts), task_ids=task)
                embedded = self._peft.get_base_model().get_input_embeddings()(ids)
                embeddings = torch.cat([soft.to(embedded.dtype), embedded], dim=1)
        rows = _Rows(cache=cache, mask=mask, filled=virtual + width)
        seen = mask[:, : rows.filled]
        positions = (seen.cumsum(1) - 1).clamp(min=0)
        if self._prompt_type in _VIRTUAL_CACHE:  # the virtual tokens lie in the cache already
            positions = positions[:, virtual:]
        inputs = {"input_ids": ids} if embeddings is None else {"inputs_embeds": embeddings}
        return rows, self._forward(inputs, seen, positions, cache, keep)

    def _next(self, rows: _Rows, tokens: Any) -> Any:
        """One more token for every row; logits of shape (rows, vocabulary)."""
        rows.filled += 1
        seen = rows.mask[:, : rows.filled]
        positions = seen.sum(1, keepdim=True) - 1
        return self._forward({"input_ids": tokens[:, None]}, seen, positions, rows.cache, 1)[:, -1]

    def _forward(self, inputs: dict[str, Any], mask: Any, positions: Any, cache: Any, keep: int) -> Any:
        """Logits of the last `keep` places: (rows, keep, vocabulary), in the model's dtype."""
        import torch

        model = self._model if self._peft is None else self._peft.get_base_model()
        arguments = inputs | {"attention_mask": mask, "use_cache": cache is not None}
        if cache is not None:
            arguments["past_key_values"] = cache
        if self._positions:
            arguments["position_ids"] = positions
        if self._keeps_last:
            arguments["logits_to_keep"] = keep
        with torch.inference_mode():
            return model(**arguments).logits[:, -keep:]

    # Answers

    def generate(self, requests: Sequence[Request]) -> Iterator[list[Completion]]:
        """See `Engine.generate`."""
        self._require_open()
        groups: dict[tuple[Any, ...], list[Request]] = {}
        failed = []
        for request in requests:
            why = misfit(
                request,
                max_model_len=self._spec.max_model_len,
                vocab_size=self._vocab_size,
                adapters=self._names,
            )
            if why is not None:
                failed.append(refused(request, why))
                continue
            drawn = request.sampling
            key = (request.adapter and request.adapter.digest, drawn.temperature, drawn.top_p, drawn.top_k)
            groups.setdefault((*key, drawn.repetition_penalty), []).append(request)
        if failed:
            yield failed
        # Adapters of one method after the other, because changing the method reloads them.
        for group in sorted(groups.values(), key=lambda group: self._kind_of(group[0].adapter)):
            group.sort(key=lambda request: (-len(request.token_ids), -request.sampling.max_tokens))
            yield from self._halving(group)

    def _halving(self, work: Sequence[Request]) -> Iterator[list[Completion]]:
        """Run batches of `work`; on out of memory halve the batch and do again what had not finished."""
        left = list(work)
        while left:
            size = min(self._batch_size, len(left))
            batch = left[:size]
            finished: set[str] = set()
            try:
                for done in self._batch(batch):
                    finished.update(completion.key for completion in done)
                    yield done
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                message = _first_line(error)
            else:
                left = left[size:]
                continue
            # Outside the handler: the traceback holds the tensors that must be freed.
            self._free()
            unfinished = [request for request in batch if request.key not in finished]
            if size == 1:
                yield [refused(request, f"out of memory with a single sequence ({message})") for request in unfinished]
                left = left[size:]
            else:
                self._batch_size = max(size // 2, 1)
                left = unfinished + left[size:]

    def _batch(self, batch: Sequence[Request]) -> Iterator[list[Completion]]:
        """Answer one batch of the same adapter and the same way of drawing; rows come out as they end."""
        import torch

        since = time.perf_counter()
        self._use(batch[0].adapter)
        live = [Row(request) for request in batch]
        room = max(request.sampling.max_tokens for request in batch)
        state, logits = self._begin([request.token_ids for request in batch], room, 1, cached=True)
        logits = logits[:, -1]
        draw = Draw(batch[0].sampling, live, self._vocab_size, self._device)
        while True:
            tokens = draw(logits, live)
            chosen = tokens.tolist()
            done, keep = [], []
            now = time.perf_counter()
            for index, (row, token) in enumerate(zip(live, chosen, strict=True)):
                row.ids.append(token)
                reason = self._ended(row)
                if reason is None:
                    keep.append(index)
                elif not row.over:
                    row.over = True
                    done.append(self._completion(row, reason, now - since))
            if done:
                yield done
            if not keep:
                return
            # Ended rows ride along until a quarter of the batch is over: dropping them copies the cache.
            if len(keep) <= 0.75 * len(live):
                index = torch.tensor(keep, device=self._device)
                state.keep(index)
                draw.keep(index)
                tokens = tokens[index]
                live = [live[i] for i in keep]
            logits = self._next(state, tokens)

    def _ended(self, row: Row) -> FinishReason | None:
        sampling = row.request.sampling
        if row.over:
            return "stop"
        if row.ids[-1] in row.stop_ids:
            return "stop"
        if sampling.stop:
            # Only the end can be new: enough tokens for the longest stop string at four bytes a character.
            tail = 4 * max(len(stop) for stop in sampling.stop) + 8
            text = self._spec.tokenizer.decode(row.ids[-tail:])
            if any(stop in text for stop in sampling.stop):
                return "stop"
        return "length" if len(row.ids) >= sampling.max_tokens else None

    def _completion(self, row: Row, reason: FinishReason, latency: float) -> Completion:
        request = row.request
        return Completion(
            key=request.key,
            text=answer_text(self._spec.tokenizer, row.ids, request.sampling),
            finish_reason=reason,
            prompt_tokens=len(request.token_ids),
            completion_tokens=len(row.ids),
            latency=latency,
        )

    def logprobs(self, continuations: Sequence[Continuation]) -> list[list[float]]:
        """See `Engine.logprobs`; a float32 log-softmax of one teacher-forced pass, in batches.

        Raises:
            InputError: an empty prompt, a text too long for the engine, or an unknown adapter.
            HarnessError: a single text does not fit in memory.
        """
        self._require_open()
        check_continuations(continuations)
        found: list[list[float]] = [[] for _ in continuations]
        groups: dict[str | None, list[int]] = {}
        for index, asked in enumerate(continuations):
            if not asked.continuation_ids:
                continue
            ids = (*asked.prompt_ids, *asked.continuation_ids)
            probe = Request("", "", "", 0, Sampling(max_tokens=1), token_ids=ids[:-1], adapter=asked.adapter)
            why = misfit(
                probe, max_model_len=self._spec.max_model_len, vocab_size=self._vocab_size, adapters=self._names
            )
            if why is None and not 0 <= max(ids) < self._vocab_size:
                why = f"token id {max(ids)} is beyond the model's {self._vocab_size}"
            if why is not None:
                raise InputError(why, where=f"continuation {index}")
            groups.setdefault(asked.adapter.digest if asked.adapter else None, []).append(index)
        for group in groups.values():
            group.sort(key=lambda i: -len(continuations[i].prompt_ids) - len(continuations[i].continuation_ids))
            self._use(continuations[group[0]].adapter)
            size = self._batch_size
            while group:
                longest = max(len(continuations[i].continuation_ids) for i in group[:size])
                fits = max(LOGIT_BYTES // (4 * self._vocab_size * (longest + 1)), 1)
                batch = group[: min(size, fits)]
                try:
                    scores = self._score([continuations[i] for i in batch])
                except Exception as error:
                    if not is_out_of_memory(error):
                        raise
                    scores = None
                if scores is None:
                    self._free()
                    if len(batch) == 1:
                        raise HarnessError(
                            "a single text does not fit in memory",
                            where=f"continuation {batch[0]}",
                            remedy="Use a smaller or quantised model.",
                        )
                    size = len(batch) // 2
                    continue
                for i, values in zip(batch, scores, strict=True):
                    found[i] = values
                group = group[len(batch) :]
        return found

    def _score(self, batch: Sequence[Continuation]) -> list[list[float]]:
        import torch

        longest = max(len(asked.continuation_ids) for asked in batch)
        # The last token is never an input: its probability is read off the place before it.
        inputs = [(*asked.prompt_ids, *asked.continuation_ids[:-1]) for asked in batch]
        _, logits = self._begin(inputs, 0, longest, cached=False)
        scores = []
        for row, asked in zip(logits, batch, strict=True):
            ids = torch.tensor(asked.continuation_ids, device=row.device)
            table = torch.log_softmax(row[-len(ids) :].float(), dim=-1)
            scores.append(table.gather(1, ids[:, None])[:, 0].tolist())
        return scores

    # The end

    def close(self) -> None:
        """Free the weights; safe to call twice."""
        opened = self._model is not None
        self._model = self._peft = None
        if opened:
            self._free()
        if self._threads:
            import torch

            torch.set_num_threads(self._threads)
            self._threads = 0

    def __enter__(self) -> TransformersEngine:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _free(self) -> None:
        gc.collect()
        if self._spec.device == "cuda":
            import torch

            torch.cuda.empty_cache()

    def _require_open(self) -> None:
        if self._model is None:
            raise HarnessError("the transformers engine is closed")


@dataclass(slots=True)
class _Rows:
    """The model's state for the rows of a batch: KV cache, attention mask (rows, width + room), width filled so far."""

    cache: Any
    mask: Any
    filled: int

    def keep(self, index: Any) -> None:
        self.cache.batch_select_indices(index)
        self.mask = self.mask[index]


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:300] if lines else type(error).__name__


def _loading_failed(error: Exception, where: str, what: str) -> HarnessError:
    if is_out_of_memory(error):
        return HarnessError(
            f"{what} does not fit in memory ({_first_line(error)})",
            where=where,
            remedy="Close other programs on the GPU, or use quantization: bitsandbytes, or a smaller model.",
        )
    if isinstance(error, ImportError):
        return InputError(
            f"{what} needs a package that is not installed ({_first_line(error)})",
            where=where,
            remedy="pip install 'finetune-harness[local]'; quantised models need bitsandbytes, gptqmodel or autoawq.",
        )
    return InputError(
        f"transformers cannot load {what}: {_first_line(error)}",
        where=where,
        remedy="Check that the files are whole (safetensors) and that the adapter was trained on this base.",
    )
