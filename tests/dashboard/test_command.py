"""`harness dashboard`: what it refuses, and whom its server answers."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli import main
from harness.cli.dashboard import LOOPBACK, streamlit_options
from tests.dashboard.conftest import ROOT, Served


def handshake(url: str, host: str, origin: str | None) -> str:
    """The status line that a page elsewhere gets when it tries to connect."""
    port = int(url.rsplit(":", 1)[1])
    lines = [
        "GET /_stcore/stream HTTP/1.1", f"Host: {host}", "Upgrade: websocket", "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Protocol: streamlit",
    ]  # fmt: skip
    if origin is not None:
        lines.append(f"Origin: {origin}")
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        return connection.recv(200).decode().splitlines()[0]


def test_only_the_page_itself_may_connect(served: Served) -> None:
    own = served.url.removeprefix("http://")
    assert " 101 " in handshake(served.url, own, served.url)
    assert " 403 " in handshake(served.url, own, "http://evil.example"), "a page elsewhere"
    rebound = handshake(served.url, "evil.example", "http://evil.example")
    assert " 403 " in rebound or " 400 " in rebound, "a name elsewhere that leads here"


def test_streamlit_reports_to_nobody_watches_nothing_and_exports_nothing() -> None:
    options = streamlit_options("127.0.0.1", 8501)
    assert options["browser_gatherUsageStats"] is False
    assert options["server_fileWatcherType"] == "none"
    assert options["server_enableXsrfProtection"] is True
    assert options["server_enableCORS"] is True
    assert options["client_disableDataExport"] is True
    assert options["server_allowedHosts"] == sorted(LOOPBACK)


def test_every_option_is_one_that_streamlit_knows() -> None:
    from streamlit import config

    known = set(config.get_config_options())
    assert {name.replace("_", ".") for name in streamlit_options("127.0.0.1", 8501)} <= known


def test_a_taken_port_is_refused_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["dashboard", "--port", str(port), "--no-browser"]) == 2
    assert f"127.0.0.1:{port}" in capsys.readouterr().err


def test_without_the_extra_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("harness.cli.dashboard.find_spec", lambda name: None if name == "duckdb" else object())
    assert main(["dashboard", "--no-browser"]) == 2
    assert "the dashboard needs duckdb. pip install 'finetune-harness[dashboard]'" in capsys.readouterr().err


def test_what_the_pages_show_is_known_without_streamlit_and_help_waits_for_nothing() -> None:
    for module, absent in (
        ("harness.review.store, harness.review.charts, harness.review.export, harness.review.overview", {"streamlit"}),
        ("harness.cli.app", {"streamlit", "altair", "duckdb", "pandas"}),
    ):
        code = f"import sys, {module}; sys.exit(bool({absent!r} & set(sys.modules)))"
        assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
