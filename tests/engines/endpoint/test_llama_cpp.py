"""llama.cpp's own server, asked over the protocol: the demo's base behind it beside the same weights here."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.cli import main

HERE = Path(__file__).resolve().parent
CONVERTER = HERE.parents[1] / "export" / "convert_hf_to_gguf.py"
BASE = HERE.parents[2] / "harness" / "demo" / "models" / "base"

ITEMS = 20
OPTIONS = {
    "name": "letters", "role": "guard", "goldset": "letters.jsonl", "answer": "loglikelihood",
    "scorers": [{"choice": {"method": "loglikelihood"}}], "primary": "choice", "margin": 0.05,
}  # fmt: skip


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where llama.cpp serves the demo's base in the number format of its weights."""
    file = tmp_path_factory.mktemp("llama") / "base.gguf"
    subprocess.run([sys.executable, CONVERTER, BASE, "--outfile", file, "--outtype", "bf16"], check=True)
    command = [sys.executable, str(HERE / "llama_cpp.py"), str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:"), "the server did not start"
        yield f"{address}/v1"
        server.communicate(timeout=30)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "240")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    (tmp_path / "harness.yaml").write_text(yaml.safe_dump({"candidates": {"base": {"model": str(BASE)}}}))
    return tmp_path


def asked(*arguments: str) -> dict[str, Any]:
    """What a command says in JSON."""
    assert main([*arguments, "--json", "said.json"]) == 0
    return dict(json.loads(Path("said.json").read_text(encoding="utf-8")))


def test_the_same_weights_answer_alike_behind_llama_cpp_and_here(url: str) -> None:
    said = asked(
        "compare", "base", f"openai:demo@{url}", "--suite", "medical", "--engine", "transformers", "--limit", str(ITEMS)
    )  # fmt: skip
    results = [one for one in said["comparisons"][0]["results"] if one["verdict"]]
    assert {one["task"] for one in results} == {"medical-qa", "general-retention", "arithmetic-mini"}
    for one in results:
        assert one["verdict"] == "held"
        # Another order of summation may turn an answer where two tokens are nearly equally likely.
        assert one["different"] <= 1
        assert len(one["lost"]) + len(one["gained"]) <= 1


def test_a_load_is_answered_without_an_error_and_every_token_is_counted(url: str) -> None:
    """It closes its connections after every stream, which is nobody's failed answer."""
    said = asked(
        "bench", "serving", f"openai:demo@{url}", "--suite", "medical", "--no-quality", "--concurrency", "1,4",
        "--requests", "16", "--rounds", "2",
    )  # fmt: skip
    (deployment,) = said["deployments"]
    assert [level["concurrency"] for level in deployment["levels"]] == [1, 4]
    for level in deployment["levels"]:
        assert (level["answered"], level["errors"], level["planned"]) == (32, 0, 32)
        assert level["output_tokens"] > 1
        assert level["first_token"]["p50"]["value"] > 0


def test_a_model_that_it_does_not_have_is_named(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It would answer as the one it has."""
    assert main(["run", f"openai:qwen@{url}", "--suite", "medical", "--limit", "2"]) == 2
    assert "demo" in capsys.readouterr().err


@pytest.mark.parametrize("api", ["chat", "completion"])
def test_options_are_not_weighed_by_a_server_that_leaves_the_question_out(
    url: str, folder: Path, api: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It ignores `echo` and `prompt_logprobs` instead of refusing them."""
    rows = [{"id": str(n), "question": f"{n}+1=?", "choices": ["1", str(n + 1)], "answer": "B"} for n in range(3)]
    (folder / "letters.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "letters.yaml").write_text(yaml.safe_dump({"name": "letters", "tasks": [OPTIONS]}))
    entry = {"endpoint": {"url": url, "model": "demo", "api": api}}
    (folder / "harness.yaml").write_text(yaml.safe_dump({"candidates": {"there": entry}}))
    assert main(["run", "there", "--suite", "letters.yaml"]) == 2
    assert "letters" in capsys.readouterr().err
