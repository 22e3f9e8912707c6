"""Reading gold sets: identity by content, faults with file and line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.errors import InputError
from harness.gold.goldset import list_goldsets, load_goldset
from harness.gold.item import Item


def write(path: Path, *rows: object, encoding: str = "utf-8") -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding=encoding)
    return path


def test_items_are_read_in_order_with_their_answers(tmp_path: Path) -> None:
    file = write(
        tmp_path / "set.jsonl",
        {"id": "a", "question": "法国的首都？", "answer": "巴黎"},
        {"id": "b", "question": "1+1?", "answer": ["2", "two"], "metadata": {"topic": "sums"}},
    )
    loaded = load_goldset(file)
    assert [item.id for item in loaded.items] == ["a", "b"]
    assert loaded.items[0].answer == ("巴黎",)
    assert loaded.items[1].answer == ("2", "two")
    assert loaded.counts() == {"-": {"-": 1}, "sums": {"-": 1}}


def test_a_bare_file_warns_that_it_has_no_card(tmp_path: Path) -> None:
    file = write(tmp_path / "set.jsonl", {"question": "q?", "answer": "a"})
    assert "no card" in load_goldset(file).warnings[0]


def test_an_item_without_id_is_named_by_its_content_and_an_edit_renames_it(tmp_path: Path) -> None:
    first = load_goldset(write(tmp_path / "one.jsonl", {"question": "q?", "answer": "a"})).items[0]
    edited = load_goldset(write(tmp_path / "two.jsonl", {"question": "q?", "answer": "b"})).items[0]
    assert first.id == first.digest[:16]
    assert edited.id != first.id


def test_repeated_rows_without_ids_are_one_item_and_reported(tmp_path: Path) -> None:
    loaded = load_goldset(write(tmp_path / "s.jsonl", *[{"question": "q?", "answer": "a"}] * 3))
    assert len(loaded.items) == 1
    assert any("2 repeated rows" in warning for warning in loaded.warnings)


def test_the_digest_ignores_order_but_no_answer(tmp_path: Path) -> None:
    rows = [{"id": "a", "question": "x?", "answer": "1"}, {"id": "b", "question": "y?", "answer": "2"}]
    straight = load_goldset(write(tmp_path / "a.jsonl", *rows)).digest
    assert load_goldset(write(tmp_path / "b.jsonl", *reversed(rows))).digest == straight
    rows[0]["answer"] = "one"
    assert load_goldset(write(tmp_path / "c.jsonl", *rows)).digest != straight


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('{"id": "a", "question": "q"}\n', ":1: the key 'answer' is missing"),
        ('{"question": "q", "answer": "a"}\n{"question": "q", \n', ":2: is not valid JSON"),
        ('{"id": "a", "question": "q", "answer": "1"}\n' * 2, ":2: id 'a' stands on line 1"),
        ('{"question": "q", "answer": "a", "topics": "x"}\n', ":1: unknown key 'topics'"),
        ('{"question": "q", "answer": ""}\n', ":1: 'answer' is empty"),
        ('{"question": " ", "answer": "a"}\n', ":1: 'question' is empty"),
        ('["q", "a"]\n', ":1: must be a JSON object"),
        ("\n", "holds no items"),
        ("", "holds no items"),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_its_line(tmp_path: Path, content: str, says: str) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_goldset(file)
    assert str(caught.value).startswith(str(file))
    assert says in str(caught.value)


def test_a_gbk_file_is_refused_with_the_line_and_the_way_out(tmp_path: Path) -> None:
    file = tmp_path / "gbk.jsonl"
    file.write_bytes('{"question": "a", "answer": "b"}\n{"question": "发烧", "answer": "退烧药"}\n'.encode("gbk"))
    with pytest.raises(InputError, match=r"gbk\.jsonl:2: is not UTF-8.*GB18030"):
        load_goldset(file)


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    file = tmp_path / "bom.jsonl"
    file.write_bytes(b"\xef\xbb\xbf" + b'{"question": "q", "answer": "a"}\n')
    assert len(load_goldset(file).items) == 1


def test_an_unknown_name_suggests_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Did you mean 'gsm8k'"):
        load_goldset("gsm8", folder=tmp_path)


def test_a_card_without_items_can_be_given_a_local_copy(tmp_path: Path) -> None:
    copy = write(tmp_path / "copy.jsonl", {"question": "How many?", "answer": "work\n#### 4"})
    loaded = load_goldset("gsm8k", folder=tmp_path, overrides={"gsm8k": str(copy)})
    assert loaded.name == "gsm8k"
    assert loaded.card is not None
    assert loaded.card.licence == "MIT"
    assert len(loaded.items) == 1


def test_a_card_whose_hub_cannot_be_reached_says_how_to_give_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    with pytest.raises(InputError, match="--goldset gsm8k=PATH"):
        load_goldset("gsm8k", folder=tmp_path)


def test_a_parquet_copy_reads_like_the_jsonl(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [{"question": "q1", "answer": "#### 1"}, {"question": "q2", "answer": "#### 2"}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "s.parquet")
    assert load_goldset(tmp_path / "s.parquet").digest == load_goldset(write(tmp_path / "s.jsonl", *rows)).digest


def test_the_real_gsm8k_test_set_reads_whole(shared_data: Path) -> None:
    loaded = load_goldset("gsm8k", overrides={"gsm8k": str(shared_data / "gsm8k" / "test.jsonl")})
    assert loaded.card is not None
    assert len(loaded.items) == loaded.card.items == 1319


def test_packaged_gold_sets_are_listed() -> None:
    assert "gsm8k" in list_goldsets()


def test_a_card_with_another_digest_is_reported(tmp_path: Path) -> None:
    write(tmp_path / "s.jsonl", {"question": "q", "answer": "a"})
    (tmp_path / "s.yaml").write_text(
        "name: s\npurpose: p\nauthorship: me\nlicence: MIT\nlanguages: [en]\ndigest: '00'\n", encoding="utf-8"
    )
    assert "differ from the digest" in load_goldset(tmp_path / "s.jsonl").warnings[0]


def test_language_is_declared_or_seen() -> None:
    assert Item(question="发烧怎么办", answer=("休息",)).language == "zh"
    assert Item(question="What now?", answer=("rest",)).language == "en"
    assert Item(question="What now?", answer=("rest",), metadata={"language": "zh"}).language == "zh"
