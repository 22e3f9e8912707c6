"""A server of the OpenAI protocol that does what a script says, faults of the network included."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

#: Given the request's body and how often this very question has come (from 0), what happens.
Script = Callable[[dict[str, Any], int], "Reply"]


@dataclass(frozen=True)
class Reply:
    """One HTTP answer, or the lack of one.

    Attributes:
        wait: seconds before the first byte.
        drip: seconds between two bytes.
        reset: the connection is cut in place of an answer, or after the last of `pieces`.
        pieces: a stream of events in place of `content`: seconds to wait before each, and its data.
        closes: the connection is closed after the answer, unannounced, and the next request on it comes too late.
    """

    status: int = 200
    content: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    wait: float = 0.0
    drip: float = 0.0
    reset: bool = False
    pieces: tuple[tuple[float, str], ...] = ()
    closes: bool = False


def chat(text: str, *, model: str = "m", finish: str = "stop", tokens: tuple[int, int] = (10, 5), **more: Any) -> Reply:
    """A good answer."""
    content = {
        "id": "x", "object": "chat.completion", "created": 0, "model": model,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}],
        "usage": {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_tokens": sum(tokens)},
    }  # fmt: skip
    return Reply(content=content, **more)


def stream(
    tokens: int,
    *,
    model: str = "m",
    first: float = 0.0,
    each: float = 0.0,
    usage: tuple[int, int] | None = None,
    done: bool = True,
    finish: str | None = "stop",
    **more: Any,
) -> Reply:
    """A good answer that comes in pieces.

    Args:
        first: seconds until the first piece with text; `each`: between two of them.
        usage: tokens of prompt and answer, told in a last piece as vLLM tells them; None tells nothing.
        done: whether `[DONE]` stands at the end; `finish`: the reason that is given, None gives none.
    """

    def piece(choices: list[dict[str, Any]], **more: Any) -> str:
        return json.dumps({"id": "x", "object": "chat.completion.chunk", "model": model, "choices": choices, **more})

    said = [(0.0, piece([{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]))]
    for number in range(tokens):
        delta = {"index": 0, "delta": {"content": f"w{number} "}, "finish_reason": None}
        said.append((first if number == 0 else each, piece([delta])))
    if finish:
        said.append((0.0, piece([{"index": 0, "delta": {}, "finish_reason": finish}])))
    if usage:
        counts = {"prompt_tokens": usage[0], "completion_tokens": usage[1], "total_tokens": sum(usage)}
        said.append((0.0, piece([], usage=counts)))
    if done:
        said.append((0.0, "[DONE]"))
    return Reply(pieces=tuple(said), **more)


def failed(status: int, message: str = "no", **headers: str) -> Reply:
    return Reply(status, {"error": {"message": message}}, {name.replace("_", "-"): v for name, v in headers.items()})


def question(body: dict[str, Any]) -> str:
    """What was asked last, as text."""
    if "prompt" in body:
        return str(body["prompt"])
    content = body["messages"][-1]["content"]
    return content if isinstance(content, str) else " ".join(part.get("text", "<image>") for part in content)


@dataclass
class Server:
    """What came in: bodies and headers, by path; and the most requests that were in flight at once."""

    url: str
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    inside: int = 0
    most: int = 0
    models: Reply = field(default_factory=lambda: Reply(content={"object": "list", "data": [{"id": "m"}]}))


@contextmanager
def serving(script: Script, **options: Any) -> Iterator[Server]:
    """Serve on a free port of loopback."""
    loop = asyncio.new_event_loop()
    server = Server("", **options)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await _one(reader, writer, server, script):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def start() -> asyncio.Server:
        return await asyncio.start_server(connected, "127.0.0.1", 0, limit=1 << 24, backlog=1024)

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    listening = asyncio.run_coroutine_threadsafe(start(), loop).result()
    server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1"
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(_ended(listening), loop).result(timeout=10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=10)
        loop.close()


async def _ended(listening: asyncio.Server) -> None:
    listening.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


async def _one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, server: Server, script: Script) -> bool:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    content = await reader.readexactly(int(headers.get("content-length", 0)))
    if first.startswith("GET"):
        return await _answer(writer, server.models)
    body = json.loads(content)
    server.bodies.append(body)
    server.headers.append(headers)
    asked = question(body)
    nth = server.seen[asked]
    server.seen[asked] += 1
    server.inside += 1
    server.most = max(server.most, server.inside)
    try:
        reply = script(body, nth)
        stays = await _answer(writer, reply)
    finally:
        server.inside -= 1
    if reply.closes:
        await reader.readexactly(1)
        return False
    return stays


async def _answer(writer: asyncio.StreamWriter, reply: Reply) -> bool:
    if reply.wait:
        await asyncio.sleep(reply.wait)
    if reply.pieces:
        return await _streamed(writer, reply)
    if reply.reset:
        writer.transport.abort()
        return False
    content = reply.raw if reply.raw is not None else json.dumps(reply.content, ensure_ascii=False).encode()
    headers = {"content-type": "application/json", "content-length": str(len(content)), **reply.headers}
    head = f"HTTP/1.1 {reply.status} X\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(head.encode("latin-1") + b"\r\n")
    if reply.drip:
        for at in range(len(content)):
            writer.write(content[at : at + 1])
            await writer.drain()
            await asyncio.sleep(reply.drip)
    else:
        writer.write(content)
    await writer.drain()
    return int(headers["content-length"]) == len(content)  # what promises more than comes ends in the middle


async def _streamed(writer: asyncio.StreamWriter, reply: Reply) -> bool:
    head = "HTTP/1.1 200 X\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    writer.write(head.encode())
    for wait, data in reply.pieces:
        if wait:
            await writer.drain()
            await asyncio.sleep(wait)
        event = f"data: {data}\n\n".encode()
        writer.write(f"{len(event):x}\r\n".encode() + event + b"\r\n")
    await writer.drain()
    if reply.reset:
        await asyncio.sleep(0.01)  # what was sent gets there
        writer.transport.abort()
        return False
    writer.write(b"0\r\n\r\n")
    await writer.drain()
    return True
