"""`harness serve`."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli import options
from harness.errors import EXIT_OK, HarnessError, InputError


def serve(
    base: Annotated[str | None, typer.Argument(metavar="BASE", help="As for compare.")] = None,
    adapter: Annotated[list[str] | None, typer.Argument(metavar="ADAPTER...", help="Loaded at once.")] = None,
    port: Annotated[int, typer.Option("--port", help="Port on loopback.", metavar="N", min=1, max=65535)] = 8765,
    max_model_len: Annotated[
        int | None,
        typer.Option("--max-model-len", help="Tokens of prompt and answer [default: 4096].", metavar="N", min=1),
    ] = None,
    stop: Annotated[bool, typer.Option("--stop", help="Stop the server that stands.")] = False,
    base_path: options.Base = None,
    demo: options.Demo = False,
) -> int:
    """Start a vLLM server of BASE on loopback and leave it there, so that compare needs no engine start.

    Every later compare of this machine that asks BASE finds it. Adapters are loaded when they are asked, by the digest
    of their content. Without BASE it says what stands.

    Exit codes: 0 done; 2 wrong input, the port is taken, or the server does not start or answer.
    """
    from harness.engines.served import standing

    if stop:
        if base is not None:
            raise InputError("takes no BASE", where="--stop", remedy="One server stands at a time; it is the one.")
        found = standing.stop()
        typer.echo(f"stopped {found.url} ({found.place})" if found else "no server stands")
        return EXIT_OK
    if base is None:
        found = standing.standing()
        if found is not None and standing.standing_for(found.model) is None:
            raise HarnessError(
                f"the server's process {found.pid} is there, but it does not answer",
                where=found.url,
                remedy=f"Its own output is in {found.log}. harness serve --stop ends it.",
            )
        typer.echo(f"{found.url} holds {found.place} (process {found.pid}, log {found.log})" if found else _NOTHING)
        return EXIT_OK
    from harness.candidates.workspace import load_workspace
    from harness.runs.serving import serve as start

    def wait(seconds: float) -> None:
        if round(seconds) % 15 == 0:
            typer.echo(f"starting … {seconds:.0f} s", err=True)

    served = start(
        [base, *(adapter or ())],
        load_workspace(demo=demo),
        base=base_path,
        port=port,
        max_model_len=max_model_len,
        wait=wait,
    )
    typer.echo(f"{served.url} holds {base}: {served.max_model_len:,} tokens, {served.dtype}, vLLM {served.version}")
    typer.echo("harness compare finds it by itself; harness serve --stop stops it.")
    return EXIT_OK


_NOTHING = "no server stands; harness serve BASE starts one"
