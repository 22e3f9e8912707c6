"""`harness bench serving` against servers that do what a script says: exact counts, planted latencies, bad servers."""

from __future__ import annotations

import json
import re
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.cli import main
from tests.engines.endpoint.server import Reply, Script, Server, chat, failed, question, serving, stream

ITEMS = 40
TASK: dict[str, Any] = {
    "name": "sums", "role": "guard", "goldset": "sums.jsonl", "scorers": ["number"], "primary": "number",
    "margin": 0.05, "generation": {"max_tokens": 12},
}  # fmt: skip
MARK = re.compile(r"\A\[([0-9a-f]{8})\] ")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rows = [{"id": f"s{n}", "question": f"{n} + {n} = ?", "answer": str(2 * n)} for n in range(ITEMS)]
    (tmp_path / "sums.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "numbers.yaml").write_text(yaml.safe_dump({"name": "numbers", "tasks": [TASK]}))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "240")
    monkeypatch.setattr("harness.engines.endpoint.faults.LONGEST_WAIT", 0.02)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    return tmp_path


def is_load(body: dict[str, Any]) -> bool:
    return MARK.match(question(body)) is not None


def answers(body: dict[str, Any], *, wrong: int = 0, **how: Any) -> Reply:
    """The suite is answered, all but the first `wrong` rightly; a load is streamed as `how` says."""
    if is_load(body):
        return stream(body["max_tokens"], **how)
    number = int(question(body).split()[0])
    return chat(str(0 if 0 < number <= wrong else 2 * number))


def write(folder: Path, **servers: tuple[Server, dict[str, Any]]) -> None:
    entries = {
        name: {"endpoint": {"url": server.url, "model": "m", "retries": 0, "timeout": 2.0, **more}}
        for name, (server, more) in servers.items()
    }
    (folder / "harness.yaml").write_text(yaml.safe_dump({"candidates": entries}))


def bench(folder: Path, scripts: dict[str, Script], *more: str, **settings: Any) -> tuple[int, dict[str, Server]]:
    """Run the command on servers of these scripts; the JSON is in `out.json`."""
    with ExitStack() as stack:
        servers = {name: stack.enter_context(serving(script)) for name, script in scripts.items()}
        write(folder, **{name: (server, settings.get(name, {})) for name, server in servers.items()})
        names = list(servers)
        suite = ["--suite", "numbers.yaml", "--lang", "en", "--json", "out.json"]
        return main(["bench", "serving", *names, *suite, *more]), servers


def result(folder: Path) -> dict[str, Any]:
    found = json.loads((folder / "out.json").read_text())
    assert isinstance(found, dict)
    return found


def level(found: dict[str, Any], deployment: int, number: int = 0) -> dict[str, Any]:
    row = found["deployments"][deployment]["levels"][number]
    assert isinstance(row, dict)
    return row


def test_two_deployments_in_one_table(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The second takes twice as long for a token and gets a quarter of the suite wrong: both are found and shown."""
    code, servers = bench(
        folder,
        {
            "quick": lambda body, nth: answers(body, first=0.04, each=0.01, usage=(10, body["max_tokens"])),
            "slow": lambda body, nth: answers(body, wrong=10, first=0.08, each=0.02, usage=(10, body["max_tokens"])),
        },
        "--concurrency", "2,8", "--requests", "8", "--rounds", "3", "--max-tokens", "6",
        "--markdown", "out.md", "--html", "out.html",
        quick={"gpus": 2},
    )  # fmt: skip
    out, err = capsys.readouterr()
    assert code == 0
    found = result(folder)
    for place, wait, each in ((0, 0.04, 0.01), (1, 0.08, 0.02)):
        for number, concurrency in enumerate((2, 8)):
            row = level(found, place, number)
            assert (row["planned"], row["answered"], row["errors"], row["unsent"]) == (24, 24, 0, 0)
            assert row["first_token"]["n"] == 24
            assert row["first_token"]["p50"]["value"] == pytest.approx(wait, abs=0.02)
            assert row["per_token"]["p50"]["value"] == pytest.approx(each, abs=0.004)
            assert row["latency"]["p50"]["value"] == pytest.approx(wait + 5 * each, abs=0.03)
            assert (row["output_tokens"], row["held_back"]) == (6, 0.0)
            ideal = concurrency / (wait + 5 * each)
            assert row["requests_per_second"]["value"] == pytest.approx(ideal, rel=0.35)
            rate = row["output_tokens_per_second"]
            assert rate["low"] < rate["value"] < rate["high"]
            assert rate["value"] == pytest.approx(6 * row["requests_per_second"]["value"], rel=1e-6)
    one, other = level(found, 0), level(found, 1)
    assert one["tokens_per_second_per_gpu"] == pytest.approx(one["output_tokens_per_second"]["value"] / 2)
    assert (other["tokens_per_second_per_gpu"], one["against_first"]) == (None, None)
    against = other["against_first"]
    assert against["speed"] == "slower"
    assert against["p_adjusted"] < 0.05
    assert against["output_tokens_per_second"]["value"] == pytest.approx(0.5, abs=0.12)
    assert against["per_token"]["value"] == pytest.approx(2.0, abs=0.5)
    (quality,) = found["deployments"][1]["quality"]
    assert (quality["score"], quality["delta"], quality["verdict"]) == (0.75, -0.25, "regressed")
    assert found["comparison"]
    assert "▼ slower" in out
    assert "sums 75.0%, −25.0 [" in out
    assert "round 3/3, 8 in flight, slow" in err
    page = (folder / "out.html").read_text()
    assert "▼ 更慢" in page
    assert "▼ slower" in page
    assert "| slow |" in (folder / "out.md").read_text()
    # 40 of the suite (the first deployment's once more for the noise), a probe, and the load with its warming up.
    load = 3 * (8 + 2) + 3 * (8 + 8)
    assert [len(server.bodies) for server in servers.values()] == [80 + 1 + load, 40 + 1 + load]


def test_what_is_kept_is_the_evidence(folder: Path) -> None:
    code, servers = bench(
        folder,
        {"a": lambda body, nth: answers(body, usage=(10, body["max_tokens"]))},
        *("--concurrency", "2", "--requests", "10", "--rounds", "2", "--no-quality"),
    )
    assert code == 0
    found = result(folder)
    kept = folder / "runs" / "benches" / found["id"]
    assert json.loads((kept / "bench.json").read_text()) == found
    rows = [json.loads(line) for line in (kept / "requests.jsonl").read_text().splitlines()]
    assert len(rows) == 20
    assert Counter((row["deployment"], row["concurrency"], row["round"]) for row in rows) == {
        ("a", 2, 0): 10,
        ("a", 2, 1): 10,
    }
    assert sum(row["tokens"] for row in rows) == 20 * 12
    assert found["deployments"][0]["quality"] == []
    assert not list((folder / "runs").glob("*/run.json")), "answers under load are no answers to the suite"
    (server,) = servers.values()
    assert len(server.bodies) == 2 * (2 + 10) + 1


def test_no_prompt_comes_twice_and_all_deployments_are_asked_the_same(folder: Path) -> None:
    """Also of one server under two names, and in another run."""
    asked: list[str] = []

    def script(body: dict[str, Any], nth: int) -> Reply:
        asked.append(question(body))
        return answers(body)

    options = ("--concurrency", "4", "--requests", "50", "--rounds", "1", "--no-quality")
    with serving(script) as server:
        write(folder, a=(server, {}), b=(server, {}))
        for _ in range(2):
            assert main(["bench", "serving", "a", "b", "--suite", "numbers.yaml", "--json", "out.json", *options]) == 0
    digests = {path.parent.name for path in (folder / "runs" / "benches").glob("*/bench.json")}
    assert len(digests) == 2
    marks = [MARK.match(one) for one in asked]
    assert all(marks)
    probes = 4  # the question of a probe is asked again when the server is warmed up
    assert len({one[0] for one in marks if one}) == len(asked) - probes
    plain = Counter(MARK.sub("", one) for one in asked)
    assert set(plain) == {f"{n} + {n} = ?" for n in range(ITEMS)}
    half = len(asked) // 2
    assert Counter(MARK.sub("", one) for one in asked[:half]) == Counter(MARK.sub("", one) for one in asked[half:])


def test_prompts_may_be_left_as_they_are(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, servers = bench(
        folder, {"a": lambda body, nth: stream(3)},
        "--concurrency", "1", "--rounds", "1", "--no-quality", "--repeat-prompts", "--ignore-eos",
    )  # fmt: skip
    assert code == 0
    (server,) = servers.values()
    assert all(not is_load(body) and body["ignore_eos"] for body in server.bodies)
    out = capsys.readouterr().out
    assert "a server that keeps prefixes is faster than in life" in out
    assert "one round" in out


def test_servers_that_stream_in_their_own_way_are_measured_and_said(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As Ollama (no count), as a server that refuses `stream_options`, and one that knows no streaming."""
    code, _ = bench(
        folder,
        {
            "uncounted": lambda body, nth: stream(body["max_tokens"], each=0.002),
            "strict": lambda body, nth: failed(422, "extra") if "stream_options" in body else stream(5),
            "whole": lambda body, nth: failed(400, "no") if body.get("stream") else chat("x", wait=0.01),
        },
        "--concurrency", "2", "--requests", "20", "--rounds", "2", "--no-quality",
    )  # fmt: skip
    assert code == 0
    found = result(folder)
    ways = [(one["streamed"], one["counted"]) for one in found["deployments"]]
    assert ways == [(True, "pieces"), (True, "pieces"), (False, "server")]
    assert level(found, 0)["output_tokens"] == 12
    assert level(found, 2)["first_token"] is None
    assert level(found, 2)["latency"]["n"] == 40
    out = capsys.readouterr().out
    assert "uncounted: the server does not count tokens" in out
    assert "whole: answers come in one piece" in out
    assert "strict answers at another length than the first" in out


def test_failures_are_counted_by_their_reasons_and_in_no_average(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A reset in the middle, an answer that takes too long, a refusal: one in each ten. Nothing is asked again."""
    count = 0

    def script(body: dict[str, Any], nth: int) -> Reply:
        nonlocal count
        count += 1
        if (turn := (count - 4) % 10) == 3 and count > 3:
            return stream(2, finish=None, done=False, reset=True)
        if turn == 6 and count > 3:
            return stream(2, first=1.0)
        if turn == 9 and count > 3:
            return failed(429, "slow down, sk-very-secret-0815")
        return stream(4, usage=(9, 4))

    code, servers = bench(
        folder, {"a": script}, "--concurrency", "2", "--requests", "40", "--rounds", "1", "--no-quality",
        a={"timeout": 0.3},
    )  # fmt: skip
    assert code == 0
    row = level(result(folder), 0)
    assert (row["planned"], row["answered"], row["errors"], row["unsent"]) == (40, 28, 12, 0)
    assert row["error_rate"] == 0.3
    assert {one["why"]: one["count"] for one in row["reasons"]} == {
        "the connection broke in the middle of an answer": 4,
        "no answer within 0.3 s": 4,
        "HTTP 429: slow down, ***": 4,
    }
    assert row["latency"]["n"] == 28
    assert row["latency"]["p99"]["value"] < 0.25
    assert row["output_tokens"] == 4
    (server,) = servers.values()
    assert len(server.bodies) == 1 + 2 + 40
    out = capsys.readouterr().out
    assert "12/40" in out
    assert "4 × HTTP 429" in out
    assert "0815" not in out


def test_a_server_that_dies_is_given_up_and_the_other_is_measured(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    count = 0

    def dying(body: dict[str, Any], nth: int) -> Reply:
        nonlocal count
        count += 1
        return stream(4, usage=(9, 4)) if count <= 1 + 2 + 30 + 2 else Reply(reset=True)

    code, _ = bench(
        folder, {"a": lambda body, nth: stream(4, usage=(9, 4)), "dying": dying},
        "--concurrency", "2", "--requests", "30", "--rounds", "3", "--no-quality",
    )  # fmt: skip
    assert code == 0, "it answered in the first round"
    row = level(result(folder), 1)
    # 10 failures in a row beyond the 2 in flight; the third round is not begun.
    assert (row["planned"], row["answered"], row["unsent"]) == (90, 30, 90 - 30 - row["errors"])
    assert row["errors"] in (12, 13)
    assert level(result(folder), 0)["answered"] == 90
    assert "requests were given up" in capsys.readouterr().out


def test_a_level_without_any_answer_is_incomplete(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    count = 0

    def script(body: dict[str, Any], nth: int) -> Reply:
        nonlocal count
        count += 1
        return stream(4) if count <= 1 + 1 + 16 else failed(503, "full")

    code, _ = bench(folder, {"a": script}, "--concurrency", "1,16", "--requests", "16", "--rounds", "2", "--no-quality")
    assert code == 3
    row = level(result(folder), 0, 1)
    assert (row["answered"], row["requests_per_second"], row["latency"], row["output_tokens"]) == (0, None, None, None)
    assert (row["errors"], row["unsent"], row["error_rate"]) == (32, 0, 1.0)
    out = capsys.readouterr().out
    assert "16 in flight: no request succeeded: HTTP 503: full" in out
    assert "32/32" in out


def test_what_does_not_answer_at_all_is_said_before_anything(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, servers = bench(
        folder,
        {"a": lambda body, nth: answers(body), "b": lambda body, nth: failed(503, "loading")},
        *("--concurrency", "1"),
    )
    assert code == 2
    err = capsys.readouterr().err
    assert "'b' does not answer the first question: HTTP 503: loading" in err
    assert servers["b"].url in err
    assert len(servers["a"].bodies) == 1


def test_a_limit_on_costs_leaves_room_for_the_load(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prices = {"prices": {"input": 0.0, "output": 1e6}}  # a token of an answer costs 1
    options = ("--concurrency", "1", "--requests", "20", "--rounds", "1")
    most = 21 * 12  # of the load: 20 answers and one to warm up, of 12 tokens at most
    code, servers = bench(folder, {"a": lambda body, nth: answers(body)}, *options, "--max-cost", str(most), a=prices)
    assert code == 2
    assert "the load may cost up to" in capsys.readouterr().err
    assert servers["a"].bodies == []
    code, _ = bench(folder, {"a": lambda body, nth: answers(body)}, *options, "--max-cost", "2000", a=prices)
    assert code == 0
    code, _ = bench(folder, {"a": lambda body, nth: answers(body)}, *options, "--max-cost", "2000")
    assert code == 2
    assert "endpoint.prices" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--concurrency", "1,x"], "'1,x' is no list of numbers"),
        (["--concurrency", ""], "is no list of numbers"),
        (["--concurrency", "0"], "must lie between 1 and 1024, not 0"),
        (["--concurrency", "4,4"], "names a number twice"),
        (["--concurrency", "64", "--requests", "32"], "32 requests never bring 64 in flight"),
        (["--rounds", "0"], "--rounds: must be at least 1"),
        (["--max-tokens", "0"], "--max-tokens: must be at least 1"),
    ],
)
def test_options_that_make_no_sense(
    folder: Path, options: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    reference = "openai:m@http://127.0.0.1:9/v1"
    assert main(["bench", "serving", reference, "--suite", "numbers.yaml", *options]) == 2
    assert says in capsys.readouterr().err


def test_a_recording_is_no_deployment(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "r.jsonl").write_text("".join(json.dumps({"item_id": f"s{n}", "output": "0"}) + "\n" for n in range(40)))
    assert main(["bench", "serving", "replay:r.jsonl", "--suite", "numbers.yaml"]) == 2
    assert "is a recording: nothing answers there" in capsys.readouterr().err


def test_a_suite_that_generates_nothing_cannot_be_timed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = {"id": "c", "question": "?", "choices": ["a", "b"], "answer": "A"}
    (folder / "sums.jsonl").write_text(json.dumps(row) + "\n")
    scorer = {"choice": {"method": "loglikelihood"}}
    task = TASK | {"answer": "loglikelihood", "scorers": [scorer], "primary": "choice"}
    (folder / "numbers.yaml").write_text(yaml.safe_dump({"name": "numbers", "tasks": [task]}))
    assert main(["bench", "serving", "openai:m@http://127.0.0.1:9/v1", "--suite", "numbers.yaml"]) == 2
    assert "generates text, so there is nothing to time" in capsys.readouterr().err


def test_tokens_that_are_held_back_are_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A proxy that buffers, or a server that sends several tokens at once: 2 pieces of text, 12 tokens."""
    code, _ = bench(
        folder,
        {"a": lambda body, nth: stream(2, each=0.01, usage=(9, 12))},
        "--concurrency",
        "1",
        "--no-quality",
        "--rounds",
        "2",
    )
    assert code == 0
    assert level(result(folder), 0)["held_back"] == 1.0
    assert "the tokens of 100% of the answers came together" in capsys.readouterr().out
