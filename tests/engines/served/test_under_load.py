"""`harness bench serving` on the real server: by digest and over plain HTTP."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.candidates.fingerprint import adapter_digest
from harness.candidates.reference import resolve
from harness.candidates.workspace import load_workspace
from harness.cli import main
from harness.engines.served import standing
from harness.engines.served.names import adapter_name, discover
from tests.engines.served.conftest import ADAPTERS

pytestmark = pytest.mark.vllm

LOAD = ("--concurrency", "1,4", "--requests", "10", "--rounds", "2", "--max-tokens", "12", "--ignore-eos")


def bench(*arguments: str) -> dict[str, Any]:
    code = main(["bench", "serving", *arguments, "--suite", "medical", "--json", "bench.json", "--lang", "en", *LOAD])
    assert code == 0
    found: dict[str, Any] = json.loads(Path("bench.json").read_text())
    return found


def check_levels(found: dict[str, Any]) -> None:
    """Every request was answered, at the length that was asked for, and its times make sense."""
    for deployment in found["deployments"]:
        assert (deployment["streamed"], deployment["counted"]) == (True, "server")
        for level in deployment["levels"]:
            assert (level["planned"], level["answered"], level["errors"]) == (20, 20, 0)
            assert level["output_tokens"] == 12
            assert 0 < level["first_token"]["p50"]["value"] <= level["latency"]["p50"]["value"]
            # An answer that begins with its end token shows no text, and has no first one.
            assert 10 <= level["first_token"]["n"] == level["per_token"]["n"] <= 20
            assert level["per_token"]["p50"]["value"] > 0
            rate = level["output_tokens_per_second"]["value"]
            # Closed loop (Little's law): what is in flight divided by the time that each takes; less at the end.
            mean = level["concurrency"] / level["latency"]["p50"]["value"]
            assert 0.3 < rate / 12 / mean < 1.7


def test_weights_are_asked_at_the_server_that_stands(
    yard: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second adapter was not there when the server started. Quality is that of an ordinary comparison."""
    monkeypatch.setenv("COLUMNS", "240")  # no cell of the table is broken
    found = bench("base", ADAPTERS[1], "--limit", "40")
    check_levels(found)
    out, err = capsys.readouterr()
    assert "a warm server at" in err
    assert "no GPU" in out
    assert [(one["kind"], one["gpus"]) for one in found["deployments"]] == [("warm", 0), ("warm", 0)]
    assert standing.standing() is not None, "it was there before, so it stays"
    assert main(["compare", "base", ADAPTERS[1], "--suite", "medical", "--limit", "40", "--json", "c.json"]) == 0
    assert "0 to generate" in capsys.readouterr().err, "answers to the suite are kept, and those under load are not"
    (compared,) = json.loads(Path("c.json").read_text())["comparisons"]
    wanted = {r["task"]: (r["candidate"], r["delta"], r["verdict"]) for r in compared["results"] if r["primary"]}
    quality = found["deployments"][1]["quality"]
    assert {one["task"]: (one["score"], one["delta"], one["verdict"]) for one in quality} == wanted


def test_over_the_plain_protocol(yard: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a chat, and as a text to be continued."""
    stands = standing.standing()
    assert stands is not None
    served = discover(stands.url)
    adapter = resolve(ADAPTERS[0], load_workspace(yard)).adapter  # type: ignore[union-attr]
    assert adapter is not None
    entries = {
        "chat": {"endpoint": {"url": served.url, "model": served.name, "gpus": 2}},
        "text": {"endpoint": {"url": served.url, "model": adapter_name(adapter_digest(adapter)), "api": "completion"}},
    }
    (tmp_path / "harness.yaml").write_text(yaml.safe_dump({"candidates": entries}))
    monkeypatch.chdir(tmp_path)
    found = bench("chat", "text", "--no-quality")
    check_levels(found)
    one, other = (deployment["levels"][0] for deployment in found["deployments"])
    assert one["tokens_per_second_per_gpu"] == pytest.approx(one["output_tokens_per_second"]["value"] / 2)
    assert other["tokens_per_second_per_gpu"] is None
    assert other["against_first"]["output_tokens_per_second"]["value"] > 0
