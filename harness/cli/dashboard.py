"""`harness dashboard`."""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import options
from harness.errors import EXIT_OK, InputError

if TYPE_CHECKING:
    from harness.review.settings import Settings

#: Where a token may come from instead of being drawn: never the command line, which every user of a machine can read.
TOKEN = "HARNESS_DASHBOARD_TOKEN"

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_FONT = "system-ui, 'Segoe UI', 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif"
_NEEDED = ("streamlit", "altair", "duckdb", "pandas")


def dashboard(
    store: options.Store = None,
    demo: options.Demo = False,
    port: Annotated[int, typer.Option("--port", help="Port of the page.", metavar="N", min=1, max=65535)] = 8501,
    host: Annotated[
        str, typer.Option("--host", help="Address to serve on; any but loopback asks visitors for a token.")
    ] = "127.0.0.1",
    allow_host: Annotated[
        list[str] | None,
        typer.Option("--allow-host", help="A name under which visitors reach it; may be given again.", metavar="NAME"),
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open it in a browser.")] = True,
    goldset: options.Goldsets = None,
    lang: options.LanguageOption = None,
) -> int:
    """Show the store in a browser: what improved, what regressed, what flipped; until Ctrl-C.

    It is read-only but for labels and sign-offs, and reachable from this machine only. With --host 0.0.0.0 it is
    reachable from others, and shows nothing without the token in the address it prints (HARNESS_DASHBOARD_TOKEN sets
    one).

    Exit codes: 0 done; 2 wrong input, or the port is taken.
    """
    if absent := [name for name in _NEEDED if find_spec(name) is None]:
        raise InputError(
            f"the dashboard needs {', '.join(absent)}", remedy="pip install 'finetune-harness[dashboard]'."
        )
    from harness.candidates.fingerprint import cache_folder
    from harness.candidates.workspace import load_workspace
    from harness.review.preferences import FILE_NAME
    from harness.review.settings import Settings
    from harness.runs.files import RunStore

    workspace = load_workspace(demo=demo)
    local = host in LOOPBACK
    settings = Settings(
        store=store or workspace.store,
        folder=workspace.here,
        goldsets={**workspace.goldsets, **options.goldset_copies(goldset)},
        language=options.language(lang),
        token="" if local else os.environ.get(TOKEN) or secrets.token_urlsafe(24),
        preferences=cache_folder() / FILE_NAME if local else None,
    )
    RunStore(settings.store)  # an address that leads nowhere is said before one to open is
    _check_free(host, port)
    address = _address(host, port, settings.token)
    typer.echo(f"dashboard of {settings.store}: {address}\nCtrl-C ends it.")
    if browser:
        threading.Thread(target=_open_when_up, args=(host, port, address), daemon=True).start()
    _serve(settings, host, port, tuple(allow_host or ()))
    return EXIT_OK


def streamlit_options(host: str, port: int, names: Sequence[str] = ()) -> dict[str, object]:
    """Streamlit's own settings. They go before its configuration files and environment, which a user may have.

    Args:
        names: under which visitors reach a server that is not on loopback; empty: any, since they need the token.
    """
    return {
        "server_address": host,
        "server_port": port,
        "server_headless": True,
        "server_enableCORS": True,
        "server_enableXsrfProtection": True,
        "server_xsrfCookieSameSite": "strict",
        # A page elsewhere whose name leads here (DNS rebinding) sends that name as Host.
        "server_allowedHosts": sorted(LOOPBACK) if host in LOOPBACK else list(names),
        "server_corsAllowedOrigins": [],
        "server_fileWatcherType": "none",
        "server_runOnSave": False,
        "server_maxUploadSize": 1,
        "server_enableStaticServing": False,
        "server_enableAgentApi": False,
        "browser_gatherUsageStats": False,
        "client_toolbarMode": "minimal",
        "client_showErrorDetails": "type",
        "client_showErrorLinks": False,
        # What a model wrote must not reach a spreadsheet as a formula; the pages have exports of their own.
        "client_disableDataExport": True,
        "runner_magicEnabled": False,
        "logger_hideWelcomeMessage": True,
        "logger_level": "error",
        "theme_base": "light",
        "theme_primaryColor": "#2b5c8a",
        "theme_font": _FONT,
    }


def _serve(settings: Settings, host: str, port: int, names: Sequence[str]) -> None:
    """Serve the app in this process until it is interrupted."""
    from streamlit import net_util
    from streamlit.web import bootstrap

    from harness.resources import packaged

    # Streamlit asks a server on the internet for this machine's address when a foreign page tries to connect.
    net_util.get_external_ip = lambda: None
    settings.leave()
    _warm(settings)
    given = streamlit_options(host, port, names)
    bootstrap.load_config_options(given)
    bootstrap.run(str(packaged("dashboard") / "app.py"), False, [], given)


def _warm(settings: Settings) -> None:
    """Load what the pages need, so that the first visitor does not wait for it."""
    # In one thread: a page that is drawn while another thread imports pandas finds half of it.
    import altair  # noqa: F401
    import pandas  # type: ignore[import-untyped]  # noqa: F401
    import streamlit  # noqa: F401

    from harness.review.markup import render
    from harness.review.overview import build_overview
    from harness.review.store import open_store
    from harness.scorers.words import cut

    overview = build_overview(open_store(settings).catalog())
    render("ability", settings.language, overview=overview)
    threading.Thread(target=cut, args=("预热",), daemon=True).start()


def _check_free(host: str, port: int) -> None:
    """Refuse a taken port: Streamlit would take the next one, and the address printed would be somebody else's."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise InputError(
                f"cannot serve on {host}:{port} ({error.strerror or error})",
                where="--port",
                remedy="Use another --port, or stop what is there.",
            ) from None


def _address(host: str, port: int, token: str) -> str:
    shown = socket.gethostname() if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}/" + (f"?token={token}" if token else "")


def _open_when_up(host: str, port: int, address: str) -> None:
    import webbrowser

    target = "127.0.0.1" if host == "0.0.0.0" else host
    for _ in range(100):
        with suppress(OSError), socket.create_connection((target, port), timeout=1):
            webbrowser.open(address)
            return
        time.sleep(0.2)
