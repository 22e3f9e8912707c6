"""Sign-offs beside a comparison: appended, bound to the content that was signed, and decided by what stands."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

import pytest

from harness.comparison.results import Comparison
from harness.errors import InputError
from harness.release.signoffs import LONGEST_NAME, SignOffs, is_signed, read_signoffs, sign
from harness.runs.files import RunStore
from tests.report.made import compared, comparison, guard, result


def stored(url: str) -> tuple[RunStore, Comparison]:
    made = comparison(compared(result()), compared(guard(), name="bad"))
    store = RunStore(url)
    store.write_document("comparison", made.id, made.to_json().encode())
    return store, made


def add(store: RunStore, made: Comparison, name: str, decision: str | None, **more: object) -> None:
    given = {"candidate": "lora", "note": "", "gate": 0, **more}
    sign(store, made.id, name=name, decision=decision, **given)  # type: ignore[arg-type]


def names(found: SignOffs) -> list[tuple[str, str | None, bool]]:
    return [(one.entry.name, one.entry.decision, one.counts) for one in found.signed]


@pytest.mark.parametrize("url", ["local", "memory://signoffs"])
def test_a_signature_is_read_back_with_who_when_and_what(url: str, tmp_path: Path) -> None:
    store, made = stored(str(tmp_path) if url == "local" else url)
    assert not is_signed(store, made.id)
    add(store, made, "  王  芳 ", "approve", note=" 同意 \n发布 ")
    (one,) = read_signoffs(store, made.id).signed
    assert (one.entry.name, one.entry.note, one.entry.decision) == ("王 芳", "同意 \n发布", "approve")
    assert one.valid
    assert one.counts
    assert one.entry.created.tzinfo is not None
    assert read_signoffs(store, made.id).state("lora") == "approved"
    assert read_signoffs(store, made.id).state("bad") == "open"
    assert is_signed(store, made.id)


def test_the_file_stands_beside_the_comparison_a_line_an_entry(tmp_path: Path) -> None:
    store, made = stored(str(tmp_path))
    add(store, made, "one", "approve")
    first = (tmp_path / "comparisons" / made.id / "signoffs.jsonl").read_bytes()
    add(store, made, "two", None, note="why?\nhow?")
    after = (tmp_path / "comparisons" / made.id / "signoffs.jsonl").read_bytes()
    assert after.startswith(first), "nothing that was written changes"
    assert [json.loads(line)["schema"] for line in after.splitlines()] == [1, 1]


def test_the_last_decision_of_a_person_stands_and_a_rejection_outweighs(tmp_path: Path) -> None:
    store, made = stored(str(tmp_path))
    add(store, made, "one", "approve")
    add(store, made, "two", "reject")
    assert read_signoffs(store, made.id).state("lora") == "rejected"
    add(store, made, "two", None, note="I will look again")
    assert read_signoffs(store, made.id).state("lora") == "rejected", "a note decides nothing"
    add(store, made, "two", "approve", candidate="bad", gate=1, note="that one")
    assert read_signoffs(store, made.id).state("lora") == "rejected", "another candidate is another question"
    add(store, made, "two", "approve")
    found = read_signoffs(store, made.id)
    assert found.state("lora") == "approved"
    assert [one.superseded for one in found.of("lora")] == [False, True, False, False]


def test_a_signature_of_another_content_does_not_count(tmp_path: Path) -> None:
    store, made = stored(str(tmp_path))
    add(store, made, "one", "approve")
    file = tmp_path / "comparisons" / made.id / "comparison.json"
    file.write_text(file.read_text().replace("0.72", "0.99"))
    found = read_signoffs(store, made.id)
    assert names(found) == [("one", "approve", False)]
    assert not found.signed[0].valid
    assert found.state("lora") == "open"
    add(store, made, "one", "reject")
    assert names(read_signoffs(store, made.id)) == [("one", "approve", False), ("one", "reject", True)]


def test_a_signature_copied_from_another_comparison_does_not_count(tmp_path: Path) -> None:
    store, made = stored(str(tmp_path))
    add(store, made, "one", "approve")
    other = comparison(compared(result(n=121)))
    store.write_document("comparison", other.id, other.to_json().encode())
    place = tmp_path / "comparisons"
    (place / other.id / "signoffs.jsonl").write_bytes((place / made.id / "signoffs.jsonl").read_bytes())
    assert read_signoffs(store, other.id).state("lora") == "open"


def test_a_line_that_is_none_is_told_and_hides_no_other(tmp_path: Path) -> None:
    store, made = stored(str(tmp_path))
    add(store, made, "one", "approve")
    place = tmp_path / "comparisons" / made.id / "signoffs.jsonl"
    place.write_text(place.read_text() + '{"schema": 1, "name": "x"}\n{"half')
    add(store, made, "two", "approve")
    found = read_signoffs(store, made.id)
    assert names(found) == [("one", "approve", True), ("two", "approve", True)]
    assert [where.rpartition(" ")[2] for where in found.broken] == ["2", "3"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": " \n"}, "needs a name"),
        ({"name": "x" * (LONGEST_NAME + 1)}, "has 101 characters"),
        ({"note": "x" * 20_001}, "has 20,001 characters"),
        ({"decision": None}, "neither a decision nor a note"),
        ({"gate": 1}, "the gate did not pass lora (code 1)"),
        ({"gate": 4}, "the gate did not pass lora (code 4)"),
    ],
)
def test_what_cannot_be_signed(tmp_path: Path, changes: dict[str, object], says: str) -> None:
    store, made = stored(str(tmp_path))
    given: dict[str, object] = {"name": "one", "decision": "approve", **changes}
    with pytest.raises(InputError) as caught:
        add(store, made, given.pop("name"), given.pop("decision"), **given)  # type: ignore[arg-type]
    assert says in str(caught.value)
    assert not is_signed(store, made.id)


def test_an_approval_against_the_gate_needs_a_reason_and_is_marked(tmp_path: Path) -> None:
    store, made = stored(str(tmp_path))
    add(store, made, "one", "approve", candidate="bad", gate=1, note="the router covers it")
    (one,) = read_signoffs(store, made.id).of("bad")
    assert one.counts
    assert one.against_gate


def test_a_comparison_that_is_not_there_cannot_be_signed(tmp_path: Path) -> None:
    store, _ = stored(str(tmp_path))
    with pytest.raises(InputError, match="is not in the store"):
        sign(store, "nothing", candidate="lora", name="one", decision="reject", note="", gate=0)


def test_bytes_that_are_no_text_are_no_reason_to_fail(tmp_path: Path) -> None:
    store, made = stored(str(tmp_path))
    add(store, made, "Li \udcff", "reject", note="\ud800")
    assert [one.entry.name for one in read_signoffs(store, made.id).signed] == ["Li ?"]


def _sign_often(url: str, comparison: str, who: int) -> None:
    for number in range(15):
        sign(RunStore(url), comparison, candidate="lora", name=f"{who}-{number}", decision="approve", note="", gate=0)


def test_two_who_sign_at_once_lose_nothing(tmp_path: Path) -> None:
    _, made = stored(str(tmp_path))
    context = multiprocessing.get_context("fork")
    signers = [context.Process(target=_sign_often, args=(str(tmp_path), made.id, who)) for who in range(3)]
    for one in signers:
        one.start()
    for one in signers:
        one.join()
    found = read_signoffs(RunStore(str(tmp_path)), made.id)
    assert len({one.entry.name for one in found.signed}) == 45
    assert not found.broken
