"""`harness bench serving`: the same questions to every deployment, in turns, at each concurrency."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import secrets
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, replace
from typing import Any, Protocol

from harness import api
from harness.bench.deployments import Deployment, check_candidates, find_deployments, warm_server
from harness.bench.measuring import Round, closed_loop
from harness.bench.notes import bench_notes, deployment_notes
from harness.bench.quality import Quality, measure_quality
from harness.bench.results import FILE, REQUESTS, DeploymentResult, ServingBench
from harness.bench.settings import LoadSettings
from harness.bench.summary import against, level_result
from harness.bench.workload import Workload, make_workload
from harness.candidates.candidate import ModelCandidate
from harness.digest import digest_json
from harness.engines.endpoint.calls import credentials, longest
from harness.engines.endpoint.client import open_client
from harness.engines.endpoint.faults import Passing, Refused
from harness.engines.endpoint.streaming import Streamed, Streamer, Way
from harness.engines.versions import installed
from harness.errors import InputError
from harness.runs.files import RunStore, now
from harness.runs.plan import Plan
from harness.runs.progress import Progress
from harness.version import __version__

#: Rounds of one deployment, by level and then by round.
Levels = list[list[Round]]


class LoadProgress(Progress, Protocol):
    """As for a run, and what a load tells beside it."""

    def server_starting(self, seconds: float) -> None:
        """A warm server is being started, for so long now."""
        ...

    def round_measured(self, deployment: str, concurrency: int, number: int, rounds: int, found: Round) -> None:
        """One level of one deployment has been measured, for the `number`-th of `rounds` times."""
        ...


def bench_serving(
    request: api.Request, settings: LoadSettings, progress: LoadProgress, *, quality: bool = True
) -> ServingBench:
    """Measure deployments: their answers by the suite, then their speed under load. The result is kept in the store.

    Args:
        request: the deployments, the first of which the others are compared with, and the suite.
        quality: ask them the suite. Without it only the load is made, of the suite's questions.

    Raises:
        InputError: something that cannot be put under load, or does not answer at all; any other wrong input.
        IncompleteError: a server that went away while the suite was asked; what it answered is kept.
    """
    settings.check()
    prepared = api.prepare(request)
    check_candidates(prepared.candidates)
    if any(isinstance(candidate, ModelCandidate) for candidate in prepared.candidates):
        # What is measured is the server, so it is the server that has to answer the suite.
        request = replace(request, engine="vllm")
    with warm_server(prepared.candidates, prepared.workspace, progress.server_starting) as served:
        if served is not None:
            prepared = api.prepare(request)
        plan = prepared.plan
        deployments = find_deployments(prepared.candidates, plan, served)
        workload = make_workload(prepared.candidates, plan, settings, salt=secrets.token_hex(8), prompt=request.prompt)
        request = _leaving_room(request, deployments, workload)
        given = [_given(deployment, workload, index, settings) for index, deployment in enumerate(deployments)]
        probes = [asyncio.run(_probe(one, asked[0][0][0][0])) for one, asked in zip(deployments, given, strict=True)]
        found = measure_quality(request, plan.tasks, progress) if quality else None
        progress.finished()
        began = time.perf_counter()
        rounds = asyncio.run(_load(deployments, [way for _, way in probes], given, settings, progress))
        seconds = time.perf_counter() - began
    bench = _result(request, settings, plan, workload, deployments, probes, rounds, found, seconds)
    lines = _requests(bench, rounds)
    RunStore(prepared.store).write_bench(bench.id, {REQUESTS: lines, FILE: bench.to_json().encode()}, FILE)
    return bench


#: Arguments of the requests of one deployment, by round, level, and warming up or measured.
_Given = list[list[tuple[list[dict[str, Any]], list[dict[str, Any]]]]]


def _given(deployment: Deployment, workload: Workload, index: int, settings: LoadSettings) -> _Given:
    def written(requests: Sequence[Any]) -> list[dict[str, Any]]:
        return [deployment.arguments(one, ignore_eos=settings.ignore_eos) for one in requests]

    return [[(written(batch.warm), written(batch.measured)) for batch in levels] for levels in workload.batches[index]]


def _leaving_room(request: api.Request, deployments: Sequence[Deployment], workload: Workload) -> api.Request:
    """The request with what the load may cost at most taken off its limit.

    Raises:
        InputError: the load alone may cost more than the limit, or a limit without prices.
    """
    if request.max_cost is None:
        return request
    most = 0.0
    for index, deployment in enumerate(deployments):
        if deployment.kind == "warm":
            continue
        prices = deployment.endpoint.prices
        if prices is None:
            raise InputError(
                f"--max-cost needs to know what {deployment.name} costs",
                where="endpoint.prices",
                remedy="Give prices: {input: …, output: …} per million tokens in harness.yaml.",
            )
        sizes = [longest(one) for one in workload.requests(index)]
        most += sum(prices.cost(size.prompt, size.answer) for size in sizes)
    if most >= request.max_cost:
        raise InputError(
            f"the load may cost up to {most:.4g}, the limit is {request.max_cost:g}",
            where="--max-cost",
            remedy="Lower --requests, --rounds, --concurrency or --max-tokens, or raise it.",
        )
    return replace(request, max_cost=request.max_cost - most)


async def _probe(deployment: Deployment, given: dict[str, Any]) -> tuple[Streamed, Way]:
    """One question, before anything is measured: it answers, and how it streams.

    Raises:
        InputError: it does not answer.
    """
    found = credentials(deployment.endpoint)
    async with open_client(deployment.endpoint, found) as client:
        streamer = Streamer(deployment.endpoint, client, found)
        try:
            async with asyncio.timeout(deployment.endpoint.timeout):
                return await streamer.settle(given), streamer.way
        except (Passing, Refused) as error:
            why = str(error)
        except TimeoutError:
            why = f"no answer within {deployment.endpoint.timeout:g} s"
        raise InputError(
            f"{deployment.name!r} does not answer the first question: {why}",
            where=deployment.endpoint.url,
            remedy="Nothing was measured. Is the server up, and does it take such a question?",
        )


async def _load(
    deployments: Sequence[Deployment],
    ways: Sequence[Way],
    given: Sequence[_Given],
    settings: LoadSettings,
    progress: LoadProgress,
) -> list[Levels]:
    """Every round at every level; deployments take turns, and another one begins each round."""
    rounds: list[Levels] = [[[] for _ in settings.concurrency] for _ in deployments]
    gone: set[tuple[int, int]] = set()
    async with AsyncExitStack() as stack:
        streamers = []
        for deployment, way in zip(deployments, ways, strict=True):
            found = credentials(deployment.endpoint)
            client = open_client(deployment.endpoint, found, connections=max(settings.concurrency))
            streamer = Streamer(deployment.endpoint, await stack.enter_async_context(client), found)
            streamer.way = way
            streamers.append(streamer)
        for number in range(settings.rounds):
            for level, concurrency in enumerate(settings.concurrency):
                for turn in range(len(deployments)):
                    index = (turn + number) % len(deployments)
                    if (index, level) in gone:
                        continue
                    timeout = deployments[index].endpoint.timeout
                    warm, measured = given[index][number][level]
                    # Opens the connections, and has the server meet this many at once before it counts.
                    await closed_loop(streamers[index], warm, concurrency=concurrency, timeout=timeout)
                    one = await closed_loop(streamers[index], measured, concurrency=concurrency, timeout=timeout)
                    rounds[index][level].append(one)
                    if one.unsent and not one.answered:
                        gone.add((index, level))
                    name = deployments[index].name
                    progress.round_measured(name, concurrency, number + 1, settings.rounds, one)
    return rounds


def _result(
    request: api.Request,
    settings: LoadSettings,
    plan: Plan,
    workload: Workload,
    deployments: Sequence[Deployment],
    probes: Sequence[tuple[Streamed, Way]],
    rounds: Sequence[Levels],
    quality: Quality | None,
    seconds: float,
) -> ServingBench:
    compared = against(rounds, alpha=request.alpha)
    results = []
    for index, deployment in enumerate(deployments):
        levels = []
        for level, concurrency in enumerate(settings.concurrency):
            planned = sum(len(batches[level].measured) for batches in workload.batches[index])
            measured = level_result(
                concurrency, rounds[index][level], planned=planned, gpus=deployment.gpus, alpha=request.alpha
            )
            levels.append(measured.model_copy(update={"against_first": compared[index][level]}))
        requests = [one for level in rounds[index] for round_ in level for one in round_.answered]
        streamed = any(one.first is not None for one in requests) or probes[index][0].first is not None
        counted = all(one.counted for one in requests) if requests else probes[index][0].counted
        results.append(
            DeploymentResult(
                name=deployment.name,
                kind=deployment.kind,
                model=deployment.endpoint.model,
                url=deployment.endpoint.url,
                version=deployment.version,
                gpus=deployment.gpus,
                streamed=streamed,
                counted="server" if counted else "pieces",
                notes=deployment_notes(deployment, levels, streamed=streamed, counted=counted,
                                       unfit=workload.unfit[index]),
                levels=tuple(levels),
                quality=quality.by_deployment[index] if quality else (),
            )
        )  # fmt: skip
    bench = ServingBench(
        created=now(),
        harness_version=__version__,
        suite=plan.suite.name,
        suite_digest=plan.suite.digest,
        limit=request.limit,
        alpha=request.alpha,
        seed=settings.seed,
        rounds=settings.rounds,
        max_tokens=settings.max_tokens,
        ignore_eos=settings.ignore_eos,
        repeat_prompts=settings.repeat_prompts,
        load_digest=workload.digest,
        load_seconds=seconds,
        comparison=quality.comparison if quality else None,
        client=f"{os.cpu_count()} processors, Python {platform.python_version()}, openai {installed()['openai']}",
        notes=bench_notes(results, settings, incomplete=quality is not None and quality.incomplete),
        deployments=tuple(results),
    )
    return bench.model_copy(update={"id": digest_json(bench.model_dump(mode="json", exclude={"id"}))[:12]})


def _requests(bench: ServingBench, rounds: Sequence[Levels]) -> bytes:
    """Every request of the load, one JSON object a line: the evidence that the numbers stand on."""
    lines = []
    for deployment, levels in zip(bench.deployments, rounds, strict=True):
        for level, found in zip(deployment.levels, levels, strict=True):
            for number, round_ in enumerate(found):
                head = {"deployment": deployment.name, "concurrency": level.concurrency, "round": number}
                lines += [json.dumps(head | asdict(one), ensure_ascii=False) for one in round_.requests]
    return ("\n".join(lines) + "\n").encode()
