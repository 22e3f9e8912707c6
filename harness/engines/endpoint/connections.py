"""Connections that stay open between two requests, and servers that close them without a word.

A server may close an idle connection at the very moment when the next request is on its way, and llama.cpp's closes
every one after a stream although it announced otherwise. Such a request was never read. It is sent again over another
connection, as browsers do, or a load test would count the server's housekeeping as failed answers.

Source: RFC 9112, 9.3.1 and 9.5 (a connection that is closed while a request is on its way).
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openai import DefaultAsyncHttpxClient


def http_package() -> ModuleType:
    """The package that the client of `openai` is made of: httpx, or as it is called since openai 3."""
    import openai

    return import_module(openai.DefaultAsyncHttpxClient.__mro__[1].__module__.partition(".")[0])


@cache
def lasting_client() -> type[DefaultAsyncHttpxClient]:
    """A client that sends a request again whose connection was an old one and broke before an answer began.

    A connection that was opened for the request and breaks is the server's fault, and stays an error. So the number of
    times that a request is sent is bounded by the old connections.
    """
    import openai

    http = http_package()

    class LastingClient(openai.DefaultAsyncHttpxClient):
        async def send(self, request: Any, **options: Any) -> Any:
            opened = False

            async def trace(event: str, _: Any) -> None:
                nonlocal opened
                opened = opened or event == "connection.connect_tcp.started"

            request.extensions = {**request.extensions, "trace": trace}
            while True:
                try:
                    return await super().send(request, **options)
                except (http.RemoteProtocolError, http.ReadError, http.WriteError):
                    if opened:
                        raise

    return LastingClient
