"""Append-only files of a store: nothing is lost, whoever writes at once and wherever the store lies."""

from __future__ import annotations

import json
import multiprocessing
import os
import zipfile
from pathlib import Path

import pytest

from harness.errors import InputError
from harness.runs.files import RunStore
from harness.runs.journal import Journal

ENTRIES = 40


def entries(journal: Journal) -> list[dict[str, object]]:
    return [json.loads(line.data) for line in journal.lines()]


def write(url: str, who: int) -> None:
    journal = Journal(RunStore(url), "comparisons/c/signoffs")
    for number in range(ENTRIES):
        journal.append(json.dumps({"who": who, "number": number, "text": "长" * 3000}))


def test_several_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=write, args=(str(tmp_path), who)) for who in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    found = entries(Journal(RunStore(str(tmp_path)), "comparisons/c/signoffs"))
    for who in range(4):
        assert [one["number"] for one in found if one["who"] == who] == list(range(ENTRIES)), "and in order"
    assert (tmp_path / "comparisons" / "c" / "signoffs.jsonl").is_file()


def test_a_store_that_cannot_append_keeps_every_entry_in_a_file_of_its_own() -> None:
    url = "memory://journal-apart"
    one, two = (Journal(RunStore(url), "comparisons/c/signoffs") for _ in range(2))
    for number in range(5):
        one.append(json.dumps({"number": number}))
        two.append(json.dumps({"number": number + 100}))
    assert sorted(str(one["number"]) for one in entries(one)) == sorted(
        str(number + more) for number in range(5) for more in (0, 100)
    )
    assert entries(two) == entries(one)


def test_a_store_that_was_copied_here_is_read_and_added_to(tmp_path: Path) -> None:
    parts = tmp_path / "c" / "signoffs"
    parts.mkdir(parents=True)
    (parts / "20260101T000000000000-aaaaaaaa.jsonl").write_text('{"number": 1}\n')
    journal = Journal(RunStore(str(tmp_path)), "c/signoffs")
    journal.append('{"number": 2}')
    assert sorted(str(one["number"]) for one in entries(journal)) == ["1", "2"]


def test_an_entry_after_one_that_was_torn_stands_on_a_line_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_bytes(b'{"number": 1}\n{"numb')
    journal = Journal(RunStore(str(tmp_path)), "log")
    journal.append('{"number": 2}')
    assert [line.data for line in journal.lines()] == [b'{"number": 1}', b'{"numb', b'{"number": 2}']
    assert journal.lines()[1].where.endswith("log.jsonl line 2")


def test_a_full_disk_leaves_no_half_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(RunStore(str(tmp_path)), "log")
    journal.append('{"number": 1}')

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="No space left on device"):
        journal.append('{"number": 2}')
    monkeypatch.undo()
    assert entries(journal) == [{"number": 1}]


def test_a_store_that_is_read_only_is_an_error_that_says_so(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "store.zip", "w") as packed:
        packed.writestr("c/signoffs.jsonl", '{"number": 1}\n')
    journal = Journal(RunStore(f"zip://::{tmp_path / 'store.zip'}"), "c/signoffs")
    assert entries(journal) == [{"number": 1}]
    with pytest.raises(InputError, match="the store cannot be written") as caught:
        journal.append('{"number": 2}')
    assert "--store" in str(caught.value)
    assert entries(journal) == [{"number": 1}]


def test_nothing_written_is_nothing_to_read(tmp_path: Path) -> None:
    assert Journal(RunStore(str(tmp_path)), "c/signoffs").lines() == []
    assert Journal(RunStore("memory://journal-empty"), "c/signoffs").lines() == []
