"""The completion store: durable at once, shared between processes, honest about what it cannot do."""

from __future__ import annotations

import multiprocessing
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.engines.base import Adapter, Completion, Sampling
from harness.engines.identity import EngineIdentity
from harness.errors import InputError
from harness.runs.store import CompletionStore, completions_path


def completion(key: str, text: str = "answer") -> Completion:
    return Completion(key, text, "stop", 5, 3, 0.25)


def test_what_was_put_is_found_again_in_another_connection(tmp_path: Path) -> None:
    with CompletionStore(tmp_path / "c.sqlite") as store:
        store.put([completion("a", "文字 \x00 and more"), completion("b")], "v1")
        with CompletionStore(tmp_path / "c.sqlite") as other:  # before the first one is closed
            assert {c.key: c for c in other.get(["a", "b", "c"], "v1")} == {
                "a": completion("a", "文字 \x00 and more"),
                "b": completion("b"),
            }


def test_versions_are_kept_apart(tmp_path: Path) -> None:
    with CompletionStore(tmp_path / "c.sqlite") as store:
        store.put([completion("a", "old")], "v1")
        store.put([completion("a", "new")], "v2")
        assert [c.text for c in store.get(["a"], "v1")] == ["old"]
        assert [c.text for c in store.get(["a"], "v2")] == ["new"]
        assert store.versions(["a", "b"]) == {"v1": {"a"}, "v2": {"a"}}


def test_failures_are_not_kept_so_that_the_next_run_tries_again(tmp_path: Path) -> None:
    with CompletionStore(tmp_path / "c.sqlite") as store:
        store.put([Completion("a", "", "error", 0, 0, 0.0, "out of memory"), completion("b")], "v1")
        assert [c.key for c in store.get(["a", "b"], "v1")] == ["b"]


def test_more_keys_than_one_statement_takes(tmp_path: Path) -> None:
    keys = [f"{n:05}" for n in range(5000)]
    with CompletionStore(tmp_path / "c.sqlite") as store:
        store.put([completion(key) for key in keys], "v1")
        assert {c.key for c in store.get(keys, "v1")} == set(keys)


def test_logprobs_come_back_to_the_last_bit(tmp_path: Path) -> None:
    values = [-0.1, -1e-300, -3.141592653589793, float("-inf")]
    with CompletionStore(tmp_path / "c.sqlite") as store:
        store.put_logprobs({"a": values}, "v1")
        assert store.get_logprobs(["a", "b"], "v1") == {"a": values}


def _write_many(path: Path, prefix: str) -> None:
    with CompletionStore(path) as store:
        for n in range(200):
            store.put([completion(f"{prefix}{n}")], "v1")


def test_two_processes_share_a_store(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_write_many, args=(path, prefix)) for prefix in "ab"]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    with CompletionStore(path) as store:
        keys = [f"{prefix}{n}" for prefix in "ab" for n in range(200)]
        assert store.versions(keys) == {"v1": set(keys)}


def test_many_that_open_a_new_store_at_once_all_get_it(tmp_path: Path) -> None:
    """Which of them SQLite turns away is a matter of luck: enough tries for bad luck in one."""
    together = threading.Barrier(8, timeout=60)

    def open_at_once(path: Path) -> None:
        together.wait()
        CompletionStore(path).close()

    with ThreadPoolExecutor(8) as pool:
        for n in range(100):
            list(pool.map(open_at_once, [tmp_path / f"{n}.sqlite"] * 8))


def test_a_store_of_a_newer_schema_is_refused(tmp_path: Path) -> None:
    CompletionStore(tmp_path / "c.sqlite").close()
    with sqlite3.connect(tmp_path / "c.sqlite") as db:
        db.execute("PRAGMA user_version=99")
    with pytest.raises(InputError, match="schema 99"):
        CompletionStore(tmp_path / "c.sqlite")


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "c.sqlite").write_text("not a database, but long enough to look like one to SQLite\n" * 30)
    with pytest.raises(InputError, match="not a completion store"):
        CompletionStore(tmp_path / "c.sqlite")


def test_a_store_under_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="cannot be written"):
        CompletionStore(tmp_path / "file" / "c.sqlite")


def test_a_full_disk_is_named_and_what_was_stored_stays(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    with CompletionStore(path) as store:
        store.put([completion("kept")], "v1")
        # SQLite's own limit on the file's size raises what a full disk raises.
        pages = store._db.execute("PRAGMA page_count").fetchone()[0]
        store._db.execute(f"PRAGMA max_page_count={pages}")
        with pytest.raises(InputError, match=r"disk is full.*what was stored is kept"):
            store.put([completion(f"k{n}", "x" * 5000) for n in range(50)], "v1")
    with CompletionStore(path) as store:
        assert [c.key for c in store.get(["kept", "k0"], "v1")] == ["kept"]


def test_a_remote_run_store_keeps_its_completions_on_this_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path))
    assert completions_path("s3://bucket/runs").is_relative_to(tmp_path)
    assert completions_path("s3://bucket/runs") != completions_path("s3://bucket/other")
    assert completions_path(str(tmp_path / "runs")) == tmp_path / "runs" / "completions.sqlite"


class TestKey:
    identity = EngineIdentity(engine="e", model="m", tokenizer="t", dtype="float32")
    adapter = Adapter(Path("lora"), "digest", 8)

    def key(self, **changes: object) -> str:
        given = {"token_ids": (1, 2, 3), "sampling": Sampling(), "adapter": None, **changes}
        identity = given.pop("identity", self.identity)
        return identity.completion_key(given.pop("token_ids"), given.pop("sampling"), given.pop("adapter"), **given)  # type: ignore[attr-defined]

    @pytest.mark.parametrize(
        "change",
        [
            {"token_ids": (1, 2, 4)},
            {"sampling": Sampling(max_tokens=7)},
            {"sampling": Sampling(stop_token_ids=(1,))},
            {"adapter": adapter},
            {"repeat": 1},
            {"variant": "again"},
            {"identity": EngineIdentity(engine="f", model="m", tokenizer="t", dtype="float32")},
            {"identity": EngineIdentity(engine="e", model="n", tokenizer="t", dtype="float32")},
            {"identity": EngineIdentity(engine="e", model="m", tokenizer="u", dtype="float32")},
            {"identity": EngineIdentity(engine="e", model="m", tokenizer="t", dtype="bfloat16")},
            {"identity": EngineIdentity("e", "m", "t", "float32", quantization="bitsandbytes")},
            {"identity": EngineIdentity("e", "m", "t", "float32", args={"rope_theta": 1})},
        ],
    )  # fmt: skip
    def test_everything_that_decides_the_text_changes_it(self, change: dict[str, object]) -> None:
        assert self.key(**change) != self.key()

    def test_the_path_of_an_adapter_does_not(self) -> None:
        moved = Adapter(Path("elsewhere"), "digest", 8)
        assert self.key(adapter=moved) == self.key(adapter=self.adapter)
