"""How near asking an endpoint comes to the ideal: a server on loopback that answers everything after one second.

    python benchmarks/endpoint_pace.py                  # 3,840 questions, 64 in flight: 60 seconds at best
    python benchmarks/endpoint_pace.py --requests 640   # the slow start weighs more

The ideal is requests ÷ concurrency × 1 s. The server runs in a process of its own, so that its work is not ours. What
the slow start costs (few in flight at first, doubled every second) is part of the wall time.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from harness.candidates.endpoint import Endpoint  # noqa: E402
from harness.engines.base import Request, Sampling  # noqa: E402
from harness.engines.endpoint.engine import EndpointEngine  # noqa: E402
from harness.gold.item import Message  # noqa: E402


def serve(pipe: Connection, seconds: float) -> None:
    """Until the other end closes."""
    from tests.engines.endpoint.server import chat, serving

    with serving(lambda body, nth: chat("ok", wait=seconds)) as server:
        pipe.send(server.url)
        with contextlib.suppress(EOFError):
            pipe.recv()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=3840)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=1.0, help="what the server takes for an answer")
    parser.add_argument("--bar", type=float, default=1.1)
    options = parser.parse_args()
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(there, options.seconds), daemon=True)
    server.start()
    there.close()
    engine = EndpointEngine(Endpoint(url=here.recv(), model="m", max_concurrency=options.concurrency), "benchmark")
    requests = [
        Request(f"{n}", f"{n}", "t", 0, Sampling(max_tokens=8), messages=(Message(role="user", content=f"q{n}"),))
        for n in range(options.requests)
    ]
    since, used = time.perf_counter(), time.process_time()
    answered = sum(len(finished) for finished in engine.generate(requests))
    wall, cpu = time.perf_counter() - since, time.process_time() - used
    engine.close()
    here.close()
    server.join(timeout=10)
    assert answered == options.requests
    ideal = options.requests / options.concurrency * options.seconds
    print(f"{answered:,} answers, {options.concurrency} in flight, {options.seconds:g} s each: {wall:.1f} s")
    print(f"ideal {ideal:.1f} s, ratio {wall / ideal:.3f}; {cpu / answered * 1000:.1f} ms of CPU a request")
    print(f"bar {options.bar:.2f}: {'pass' if wall / ideal <= options.bar else 'FAIL'}")
    return 0 if wall / ideal <= options.bar else 1


if __name__ == "__main__":
    sys.exit(main())
