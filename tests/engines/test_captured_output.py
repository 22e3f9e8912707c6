"""What an engine prints while it starts goes to its log, and nobody's streams are harmed."""

from __future__ import annotations

import io
import logging
import sys
from pathlib import Path

import pytest

from harness.engines._shared import captured_output


class ClosingHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """As absl's handler: closing it closes its stream, unless that is the standard stream in its place."""

    def close(self) -> None:
        if self.stream not in (sys.stdout, sys.stderr):
            self.stream.close()
        super().close()


def test_a_handler_that_closes_foreign_streams_leaves_stderr_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    handler = ClosingHandler(stream)
    with captured_output(tmp_path / "log"):
        handler.close()  # what logging.config does to every handler it finds
    assert not stream.closed


def test_a_stdout_without_a_descriptor_gets_one_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    with captured_output(tmp_path / "log"):
        assert sys.stdout.fileno() > 2
        print("printed while starting")
    assert sys.stdout is stream
    assert stream.getvalue() == ""
    assert "printed while starting" in (tmp_path / "log").read_text()
