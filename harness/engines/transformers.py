"""transformers and PEFT in this process: the engine that runs everywhere and loads every PEFT method.

Decoding is a loop of this module rather than `model.generate`: rows leave the batch, and reach the caller, the moment
they end, nothing of the model's `generation_config.json` can leak in, and each row draws from its own random numbers.

Source: https://huggingface.co/docs/transformers (DynamicCache), https://huggingface.co/docs/peft (PeftModel).
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from typing import Any

from harness.engines._shared import (
    answer_text,
    check_continuations,
    is_out_of_memory,
    misfit,
    offline_environment,
    prompt_tokens,
    refused,
)
from harness.engines.base import Completion, Continuation, EngineSpec, FinishReason, Request, Sampling
from harness.engines.decoding import Draw, Row
from harness.engines.transformers_model import LoadedModel, first_line
from harness.engines.versions import engine_version
from harness.errors import HarnessError, InputError
from harness.gold.images import ImageFile

LOGIT_BYTES = 1 << 30
"""Most memory that the float32 logits of one batch of `logprobs` may take."""

IMAGE_TOKENS = 1 << 15
"""Most tokens of pictures in one batch (at least one prompt is): as pixels these take 0.6 GB, and several times that on
their way through the vision tower. On a CPU nobody would say in time that memory runs out."""


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
        self._batch_size = spec.settings.batch_size
        offline_environment()
        gpu = ""
        if spec.device == "cuda":
            from harness.engines.gpu import visible_gpus

            gpu = next((found.name for found in visible_gpus()), "")
        self.version = engine_version(self.name, gpu=gpu)
        self._model = self.load(spec)

    def load(self, spec: EngineSpec) -> LoadedModel:
        """The model that answers."""
        return LoadedModel(spec)

    # Answers

    def generate(self, requests: Sequence[Request]) -> Iterator[list[Completion]]:
        """See `Engine.generate`."""
        self._require_open()
        groups: dict[tuple[Any, ...], list[Request]] = {}
        failed = []
        for request in requests:
            why = self._misfit(request)
            if why is not None:
                failed.append(refused(request, why))
                continue
            drawn = request.sampling
            key = (request.adapter and request.adapter.digest, drawn.temperature, drawn.top_p, drawn.top_k)
            groups.setdefault((*key, drawn.repetition_penalty), []).append(request)
        if failed:
            yield failed
        # Adapters of one method after the other, because changing the method reloads them.
        for group in sorted(groups.values(), key=lambda group: self._model.kind_of(group[0].adapter)):
            group.sort(key=lambda request: (-prompt_tokens(request, self._spec), -request.sampling.max_tokens))
            yield from self._halving(group)

    def _halving(self, work: Sequence[Request]) -> Iterator[list[Completion]]:
        """Run batches of `work`; on out of memory halve the batch and do again what had not finished."""
        left = list(work)
        while left:
            size = self._together([request.images for request in left[: self._batch_size]])
            batch = left[:size]
            finished: set[str] = set()
            try:
                for done in self._batch(batch):
                    finished.update(completion.key for completion in done)
                    yield done
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                message = first_line(error)
            else:
                left = left[size:]
                continue
            # Outside the handler: the traceback holds the tensors that must be freed.
            self._model.free()
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
        self._model.use(batch[0].adapter)
        prompts, lost = [], []
        live = []
        for request in batch:
            try:
                prompts.append(self._model.prompt(request.token_ids, request.images))
                live.append(Row(request))
            except InputError as error:
                lost.append(refused(request, str(error)))
        if lost:
            yield lost
        if not live:
            return
        room = max(row.request.sampling.max_tokens for row in live)
        state, logits = self._model.begin(prompts, room, 1, cached=True)
        logits = logits[:, -1]
        draw = Draw(batch[0].sampling, live, self._model.vocab_size, self._model.device)
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
                index = torch.tensor(keep, device=self._model.device)
                state.keep(index)
                draw.keep(index)
                tokens = tokens[index]
                live = [live[i] for i in keep]
            logits = self._model.next(state, tokens)

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
            prompt_tokens=prompt_tokens(request, self._spec),
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
        for group in self._rows(continuations):
            group.sort(key=lambda r: -len(continuations[r[0]].prompt_ids) - len(continuations[r[0]].continuation_ids))
            self._model.use(continuations[group[0][0]].adapter)
            size = self._batch_size
            while group:
                longest = max(len(continuations[i].continuation_ids) for row in group[:size] for i in row)
                fits = max(LOGIT_BYTES // (4 * self._model.vocab_size * (longest + 1)), 1)
                size_here = self._together([continuations[row[0]].images for row in group[: min(size, fits)]])
                batch = group[:size_here]
                try:
                    scores = self._score([[continuations[i] for i in row] for row in batch])
                except Exception as error:
                    if not is_out_of_memory(error):
                        raise
                    scores = None
                if scores is None:
                    self._model.free()
                    if len(batch) == 1:
                        raise HarnessError(
                            "a single text does not fit in memory",
                            where=f"continuation {batch[0][0]}",
                            remedy="Use a smaller or quantised model.",
                        )
                    size = len(batch) // 2
                    continue
                for i, values in zip(itertools.chain.from_iterable(batch), scores, strict=True):
                    found[i] = values
                group = group[len(batch) :]
        return found

    def _rows(self, continuations: Sequence[Continuation]) -> list[list[list[int]]]:
        """Indexes of continuations, by adapter and by row: those that differ in their last token only (the letters of
        options) are read off the same place of one row."""
        shared: dict[tuple[str | None, tuple[int, ...], tuple[ImageFile, ...]], list[int]] = {}
        for index, asked in enumerate(continuations):
            if not asked.continuation_ids:
                continue
            ids = (*asked.prompt_ids, *asked.continuation_ids)
            probe = Request(
                "", "", "", 0, Sampling(max_tokens=1), token_ids=ids[:-1], adapter=asked.adapter, images=asked.images
            )
            why = self._misfit(probe)
            if why is None and not 0 <= max(ids) < self._model.vocab_size:
                why = f"token id {max(ids)} is beyond the model's {self._model.vocab_size}"
            if why is not None:
                raise InputError(why, where=f"continuation {index}")
            adapter = asked.adapter.digest if asked.adapter else None
            shared.setdefault((adapter, ids[:-1], asked.images), []).append(index)
        groups: dict[str | None, list[list[int]]] = {}
        for (adapter, _, _), row in shared.items():
            groups.setdefault(adapter, []).append(row)
        return list(groups.values())

    def _score(self, batch: Sequence[Sequence[Continuation]]) -> list[list[float]]:
        """Log-probabilities of continuations, in rows of those that differ in their last token only, one after all."""
        import torch

        longest = max(len(asked.continuation_ids) for row in batch for asked in row)
        # The last token is never an input: its probability is read off the place before it.
        firsts = [row[0] for row in batch]
        inputs = [self._model.prompt((*a.prompt_ids, *a.continuation_ids[:-1]), a.images) for a in firsts]
        _, logits = self._model.begin(inputs, 0, longest, cached=False)
        scores = []
        for places, row in zip(logits, batch, strict=True):
            for asked in row:
                ids = torch.tensor(asked.continuation_ids, device=places.device)
                table = torch.log_softmax(places[-len(ids) :].float(), dim=-1)
                scores.append(table.gather(1, ids[:, None])[:, 0].tolist())
        return scores

    def _misfit(self, request: Request) -> str | None:
        return misfit(request, self._spec, vocab_size=self._model.vocab_size, adapters=self._model.adapters)

    def _together(self, images: Sequence[Sequence[ImageFile]]) -> int:
        """How many of the prompts that have these pictures go into one batch."""
        vision, total = self._spec.vision, 0
        for count, pictures in enumerate(images):
            total += sum(vision.tokens(image) for image in pictures) if vision else 0
            if count and total > IMAGE_TOKENS:
                return count
        return len(images)

    # The end

    def close(self) -> None:
        """Free the weights; safe to call twice."""
        self._model.close()

    def __enter__(self) -> TransformersEngine:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _require_open(self) -> None:
        if self._model.closed:
            raise HarnessError("the transformers engine is closed")
