"""What a streamed token costs the client of `harness bench serving`: from there on it is the client that is measured.

    python benchmarks/stream_cost.py
    python benchmarks/stream_cost.py --concurrency 64 --tokens 400

A server on loopback, in a process of its own, streams each token in a piece of its own. CPU time is the client's.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import multiprocessing
import sys
from multiprocessing.connection import Connection
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from harness.bench.measuring import Round, closed_loop  # noqa: E402
from harness.bench.notes import BUSY  # noqa: E402
from harness.candidates.endpoint import Endpoint  # noqa: E402
from harness.engines.endpoint.calls import Credentials  # noqa: E402
from harness.engines.endpoint.client import open_client  # noqa: E402
from harness.engines.endpoint.streaming import Streamer  # noqa: E402


def serve(pipe: Connection, tokens: int, each: float) -> None:
    """Until the other end closes."""
    from tests.engines.endpoint.server import serving, stream

    answer = stream(tokens, each=each, usage=(9, tokens))
    with serving(lambda body, nth: answer) as server:
        pipe.send(server.url)
        with contextlib.suppress(EOFError):
            pipe.recv()


async def measure(url: str, concurrency: int) -> Round:
    endpoint, found = Endpoint(url=url, model="m"), Credentials(None, {})
    given = {"model": "m", "messages": [{"role": "user", "content": "q"}], "max_tokens": 9}
    async with open_client(endpoint, found, connections=concurrency) as client:
        streamer = Streamer(endpoint, client, found)
        await closed_loop(streamer, [given] * concurrency, concurrency=concurrency, timeout=60.0)
        return await closed_loop(streamer, [given] * 4 * concurrency, concurrency=concurrency, timeout=60.0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--concurrency", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=200)
    parser.add_argument("--each", type=float, default=0.005, help="seconds between two tokens")
    options = parser.parse_args()
    here, there = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    server = context.Process(target=serve, args=(there, options.tokens, options.each), daemon=True)
    server.start()
    there.close()
    found = asyncio.run(measure(here.recv(), options.concurrency))
    here.close()
    server.join(timeout=10)
    assert len(found.answered) == 4 * options.concurrency
    cost = found.busy * found.seconds / found.tokens
    print(f"{found.tokens:,} tokens at {found.tokens / found.seconds:,.0f} a second, client {found.busy:.0%} busy")
    print(f"{1e6 * cost:.0f} us of CPU a token: the report warns from some {BUSY / cost:,.0f} tokens a second on")
    return 0


if __name__ == "__main__":
    sys.exit(main())
