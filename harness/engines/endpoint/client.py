"""The client of one endpoint, made in one place: keys, waits, proxies and connections are the same whoever asks."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from harness.candidates.endpoint import Endpoint
from harness.engines.endpoint.calls import Credentials
from harness.engines.endpoint.connections import http_package, lasting_client

if TYPE_CHECKING:
    from openai import AsyncOpenAI


def open_client(endpoint: Endpoint, found: Credentials, *, connections: int | None = None) -> AsyncOpenAI:
    """A client that sends everything once; with `connections`, what an old connection lost goes out again.

    Args:
        found: key and headers out of the environment.
        connections: so many stay open between two requests; default: the library's own number. Connections that are
            opened anew would stand in every measured latency.
    """
    import openai

    host = urlsplit(endpoint.url).hostname or ""
    # A proxy of the environment does not reach this machine's own servers.
    here = host in ("127.0.0.1", "localhost", "::1")
    if connections is None:
        http = openai.DefaultAsyncHttpxClient(trust_env=not here)
    else:
        limits = http_package().Limits(
            max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=60.0
        )
        http = lasting_client()(trust_env=not here, limits=limits)
    return openai.AsyncOpenAI(
        base_url=endpoint.url,
        api_key=found.key or "none",
        default_headers=found.headers,
        max_retries=0,  # whoever asks knows the pace, and retries
        timeout=openai.Timeout(endpoint.timeout, connect=min(10.0, endpoint.timeout)),
        http_client=http,
    )
