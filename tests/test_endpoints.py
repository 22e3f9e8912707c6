"""`harness compare` over HTTP: sessions, resuming, costs, and keys that stand nowhere."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.cli import main
from tests.engines.endpoint.server import Reply, Server, chat, failed, question, serving

ITEMS = 40
MODELS = Reply(content={"data": [{"id": "plain"}, {"id": "tuned"}]})
TASK: dict[str, Any] = {
    "name": "sums", "role": "target", "goldset": "sums.jsonl", "scorers": ["number"], "primary": "number",
    "margin": 0.05,
}  # fmt: skip
SUITE = {"name": "numbers", "tasks": [TASK]}
PRICES = {"input": 0.0, "output": 1e6}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rows = [{"id": f"s{n}", "question": f"{n} + {n} = ?", "answer": str(2 * n)} for n in range(ITEMS)]
    (tmp_path / "sums.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "numbers.yaml").write_text(yaml.safe_dump(SUITE))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("harness.engines.endpoint.faults.LONGEST_WAIT", 0.02)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    return tmp_path


def sums(body: dict[str, Any], nth: int = 0) -> Reply:
    """`tuned` knows every sum, `plain` those of even numbers."""
    number = int(question(body).split()[0])
    right = body["model"] == "tuned" or number % 2 == 0
    return chat(str(2 * number if right else 0), model=body["model"])


def write(folder: Path, server: Server, **more: Any) -> None:
    entries = {
        name: {"endpoint": {"url": server.url, "model": name, "retries": 1, **more}} for name in ("plain", "tuned")
    }
    (folder / "harness.yaml").write_text(yaml.safe_dump({"candidates": entries}))


def compare(*more: str) -> int:
    return main(["compare", "plain", "tuned", "--suite", "numbers.yaml", "--lang", "en", *more])


def primary(folder: Path) -> dict[str, Any]:
    """The result that counts, out of `out.json`."""
    compared = json.loads((folder / "out.json").read_text())["comparisons"][0]
    (found,) = [result for result in compared["results"] if result["primary"]]
    assert isinstance(found, dict)
    return found


def test_two_endpoints_are_compared(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(sums, models=MODELS) as server:
        write(folder, server)
        assert compare("--json", "out.json") == 0
        out, err = capsys.readouterr()
        first = len(server.bodies)
        assert compare() == 0
    compared = json.loads((folder / "out.json").read_text())
    result = primary(folder)
    assert (result["verdict"], result["base"], result["candidate"]) == ("improved", 0.5, 1.0)
    assert (len(result["gained"]), result["lost"], result["noise"]) == (ITEMS // 2, [], 0.0)
    assert f"plain at {server.url}" in err
    assert "nothing proves which weights" in out + err
    assert compared["engine"] == "openai"
    assert "session" in compared["engine_version"]
    # The base is asked a second time for the noise; a finished comparison is never taken for the next one.
    assert first == 3 * ITEMS
    assert len(server.bodies) == 2 * first


def test_a_comparison_that_broke_off_goes_on(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    down, answered = True, 0

    def script(body: dict[str, Any], nth: int) -> Reply:
        nonlocal answered
        if body["model"] == "tuned":
            if down and answered == 15:
                return Reply(reset=True)
            answered += 1
        return sums(body)

    with serving(script, models=MODELS) as server:
        write(folder, server)
        assert compare() == 3
        assert "has stopped answering" in capsys.readouterr().err
        server.bodies.clear()
        down = False
        assert compare() == 0
    assert [body["model"] for body in server.bodies] == ["tuned"] * (ITEMS - 15)


def test_single_failures_are_counted_and_asked_again_next_time(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = True

    def script(body: dict[str, Any], nth: int) -> Reply:
        if broken and body["model"] == "tuned" and question(body).startswith("7 "):
            return failed(500)
        return sums(body)

    with serving(script, models=MODELS) as server:
        write(folder, server)
        assert compare("--json", "out.json") == 3
        result = primary(folder)
        assert (result["n"], result["errors"]) == (ITEMS - 1, {"base": 0, "candidate": 1})
        server.bodies.clear()
        broken = False
        assert compare("--json", "out.json") == 0
    result = primary(folder)
    assert result["n"] == ITEMS
    tuned = [question(body) for body in server.bodies if body["model"] == "tuned"]
    assert tuned == ["7 + 7 = ?"]


def test_a_limit_on_costs_stops_cleanly_and_can_be_raised(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(sums, models=MODELS) as server:
        write(folder, server, prices=PRICES)
        assert compare("--max-cost", "300") == 3
        err = capsys.readouterr().err
        assert "--max-cost: the limit of 300 is reached" in err
        assert re.search(r"\d+ answers cost \d+, by the prices", err), "also where it broke off"
        asked = len(server.bodies)
        assert asked * 5 <= 300
        assert compare("--max-cost", "100000") == 0
        assert len(server.bodies) == 3 * ITEMS, "nothing was asked again"
        assert f"{3 * ITEMS - asked} answers cost {5 * (3 * ITEMS - asked)}," in capsys.readouterr().err
        assert compare("--max-cost", "0") == 2
        write(folder, server)
        assert compare("--max-cost", "5") == 2
        assert "endpoint.prices" in capsys.readouterr().err


def test_a_limit_on_costs_where_nobody_charges(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a.jsonl").write_text(json.dumps({"item_id": "s0", "output": "0"}) + "\n")
    for command in (["compare", "replay:a.jsonl", "replay:a.jsonl"], ["run", "replay:a.jsonl"]):
        assert main([*command, "--suite", "numbers.yaml", "--max-cost", "5"]) == 2
        err = capsys.readouterr().err
        assert "--max-cost: nothing here can be charged: no endpoint is among those asked (replay:a" in err
    assert not (folder / "runs").exists()


def test_one_endpoint_among_others_can_be_charged(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"item_id": f"s{n}", "output": str(2 * n)} for n in range(ITEMS)]
    (folder / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with serving(sums, models=MODELS) as server:
        write(folder, server, prices=PRICES)
        command = ["compare", "replay:a.jsonl", "tuned", "--suite", "numbers.yaml", "--max-cost", "100000"]
        assert main(command) == 0


def test_a_key_stands_in_no_file_and_on_no_screen(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret-0815")
    monkeypatch.setenv("APP_TOKEN", "hush-hush-4711")

    def script(body: dict[str, Any], nth: int) -> Reply:
        said = "no sk-very-secret-0815, no hush-hush-4711"
        return failed(400, said) if question(body).startswith("7 ") else sums(body)

    with serving(script, models=MODELS) as server:
        write(folder, server, headers={"X-App": "APP_TOKEN"})
        assert compare("--json", "a.json", "--html", "a.html", "--markdown", "a.md", "--junit", "a.xml") == 3
        assert all(h["authorization"] == "Bearer sk-very-secret-0815" for h in server.headers)
    shown = "".join(capsys.readouterr())
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 8
    for secret in ("sk-very-secret-0815", "hush-hush-4711"):
        assert secret not in shown
        assert [path for path in files if secret.encode() in path.read_bytes()] == []
    parquet = next(path for path in files if path.suffix == ".parquet")
    import pyarrow.parquet as pq

    assert "HTTP 400: no ***, no ***" in pq.read_table(parquet).column("error").to_pylist()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda entry: entry.update(model="x"), "'endpoint' stands alone"),
        (lambda entry: entry.update(prompt="alpaca"), "a prompt format and a quantization of its own"),
        (lambda entry: entry["endpoint"].update(modle="x"), "modle"),
        (lambda entry: entry["endpoint"].update(url="http://me:pw@x/v1"), "carries a user name"),
    ],
)
def test_an_entry_that_cannot_be(
    folder: Path, capsys: pytest.CaptureFixture[str], change: Callable[[dict[str, Any]], None], says: str
) -> None:
    entry: dict[str, Any] = {"endpoint": {"url": "http://127.0.0.1:9/v1", "model": "plain"}}
    change(entry)
    (folder / "harness.yaml").write_text(yaml.safe_dump({"candidates": {"plain": entry, "tuned": entry}}))
    assert compare() == 2
    err = capsys.readouterr().err
    assert says in err
    assert "pw@" not in err


@pytest.fixture
def letters(folder: Path) -> Path:
    """The suite weighs letters: of half of the questions A is right, of the others B."""
    rows = [
        {"id": f"c{n}", "question": f"{n}?", "choices": ["even", "odd"], "answer": "AB"[n % 2]} for n in range(ITEMS)
    ]
    (folder / "sums.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    task = TASK | {"answer": "loglikelihood", "scorers": [{"choice": {"method": "loglikelihood"}}]}
    task["primary"] = "choice"
    (folder / "numbers.yaml").write_text(yaml.safe_dump(SUITE | {"tasks": [task]}))
    return folder


def weighing(body: dict[str, Any], nth: int) -> Reply:
    """As vLLM's chat API: `tuned` finds the right letter likelier, `plain` always A."""
    *_, last = body["messages"]
    letter = last["content"] if last["role"] == "assistant" else ""
    number = int(body["messages"][0]["content"].partition("?")[0].partition(" ")[0])
    right = "AB"[number % 2] if body["model"] == "tuned" else "A"
    rows = [
        None,
        {"7": {"logprob": -0.5}},
        *([{letter: {"logprob": -1.0 if letter == right else -2.0}}] * bool(letter)),
    ]
    return Reply(content=chat("x", model=body["model"]).content | {"prompt_logprobs": rows})


def test_options_are_weighed_at_endpoints(letters: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(weighing, models=MODELS) as server:
        write(letters, server)
        assert compare("--json", "out.json") == 0
    result = primary(letters)
    assert (result["verdict"], result["base"], result["candidate"]) == ("improved", 0.5, 1.0)
    assert (result["n"], result["noise"]) == (ITEMS, 0.0)


def test_a_server_without_likelihoods_is_an_error_that_names_the_task(
    letters: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(lambda body, nth: chat("A", model=body["model"]), models=MODELS) as server:
        write(letters, server)
        assert compare() == 2
        assert len(server.bodies) == 1
    assert "task 'sums' weighs options, and the server gives no likelihoods" in capsys.readouterr().err


def test_an_endpoint_is_listed_and_shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(sums, models=MODELS) as server:
        write(folder, server)
        assert main(["candidates", "list"]) == 0
        assert f"plain at {server.url}" in capsys.readouterr().out
        assert main(["candidates", "show", "plain"]) == 0
        assert "no digest here" in capsys.readouterr().out
        assert main(["candidates", "doctor", "plain"]) == 2
        assert "weights of 'plain' are not here" in capsys.readouterr().err
