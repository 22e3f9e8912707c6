"""The encoding of a text file is proved over the whole of it, or the import stops and says where."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import InputError
from harness.gold.importers.encoding import find_encoding
from tests.gold.importers.conftest import Import

# Characters of GB2312, one of GBK alone (镕, 囍) and one of GB18030 alone (㐂, four bytes).
ROWS = [
    ("高血压能吃党参吗", "可以，但要监测血压。"),
    ("什么是糖尿病？", "一种代谢疾病。"),
    ("脑梗塞的前兆有哪些", "头晕、肢体麻木。"),
]
GBK_ONLY, GB18030_ONLY = ("朱镕囍发烧怎么办", "多喝水。"), ("㐂姓患者头痛怎么办", "先量体温。")


def table(rows: list[tuple[str, str]]) -> str:
    return "ask,answer\n" + "".join(f"{ask},{answer}\n" for ask, answer in rows)


def write(path: Path, rows: list[tuple[str, str]], encoding: str) -> Path:
    path.write_bytes(table(rows).encode(encoding))
    return path


@pytest.mark.parametrize(
    ("encoding", "found", "more"),
    [
        ("utf-8", "utf-8", GB18030_ONLY),
        ("utf-8-sig", "utf-8-sig", GB18030_ONLY),
        ("utf-16", "utf-16", GB18030_ONLY),
        ("utf-16-le", "utf-16-le", GB18030_ONLY),
        ("gb2312", "gb18030", ROWS[0]),
        ("gbk", "gb18030", GBK_ONLY),
        ("gb18030", "gb18030", GB18030_ONLY),
    ],
)
def test_the_same_rows_come_out_of_every_encoding(
    tmp_path: Path, imported: Import, encoding: str, found: str, more: tuple[str, str]
) -> None:
    path = write(tmp_path / "qa.csv", [*ROWS, more], encoding)
    report, items = imported(path)
    assert report.files[0].encoding == found
    assert [(item.text, item.answer[0]) for item in items] == list(dict.fromkeys([*ROWS, more]))


def test_traditional_chinese_in_big5(tmp_path: Path, imported: Import) -> None:
    rows = [
        ("高血壓可以吃黨參嗎", "可以，但要監測血壓。"),
        ("什麼是糖尿病？", "一種代謝疾病。"),
        ("腦中風的前兆有哪些", "頭暈、肢體麻木。"),
    ]
    report, items = imported(write(tmp_path / "qa.csv", rows, "big5"))
    assert report.files[0].encoding == "cp950"
    assert [item.text for item in items] == [ask for ask, _ in rows]


@pytest.mark.parametrize(("rest", "other"), [("gbk", "utf-8"), ("utf-8", "gbk")])
@pytest.mark.parametrize("before", [1, 3000])
def test_one_line_in_another_encoding_is_found_wherever_it_stands(
    tmp_path: Path, refused: Callable[..., str], rest: str, other: str, before: int
) -> None:
    rows = [(f"{ROWS[n % 3][0]}{n}", ROWS[n % 3][1]) for n in range(before)]
    path = tmp_path / "qa.csv"
    odd = "小儿发热的物理降温方法有哪些,温水擦浴。\n"
    after = [(f"{ask}乙", answer) for ask, answer in ROWS]
    path.write_bytes(table(rows).encode(rest) + odd.encode(other) + table(after).partition("\n")[2].encode(rest))
    error = refused(path)
    assert error.startswith(f"{path}:{before + 2}: mixes encodings")
    assert "UTF-8" in error
    assert "--encoding" in error


def test_half_a_character_at_the_end_is_no_guess(tmp_path: Path, refused: Callable[..., str]) -> None:
    path = tmp_path / "qa.csv"
    path.write_bytes(table(ROWS).encode()[:-3])
    assert f"{path}:4: " in refused(path)


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("shift_jis", "高血圧のひとは何を食べるべきですか,野菜をたくさん食べてください。\n" * 9),
        ("euc_kr", "고혈압 환자는 무엇을 먹어야 합니까,채소를 많이 드십시오 그리고 운동하십시오\n" * 9),
        ("latin-1", "Wie heißt die Hauptstadt Österreichs?,Wien hört man überall\n" * 9),
        ("cp1251", "Какое лекарство от давления,Обратитесь к врачу\n" * 9),
    ],
)
def test_other_languages_are_not_read_as_chinese(
    tmp_path: Path, refused: Callable[..., str], imported: Import, encoding: str, text: str
) -> None:
    path = tmp_path / "qa.csv"
    path.write_bytes(f"question,answer\n{text}".encode(encoding))
    assert "--encoding" in refused(path)
    report, items = imported(path, encoding=encoding)
    assert report.items == 1
    assert items[0].text == text.split(",")[0]


def test_an_encoding_that_is_asked_for_has_to_fit(tmp_path: Path, refused: Callable[..., str]) -> None:
    path = write(tmp_path / "qa.csv", [*ROWS, GB18030_ONLY], "gb18030")
    assert refused(path, encoding="utf-8").startswith(f"{path}:2: is not UTF-8")
    assert refused(path, encoding="gbk").startswith(f"{path}:5: ")
    assert "there is no encoding 'gbq'" in refused(path, encoding="gbq")


def test_the_real_toyhom_file_is_gb18030(shared_data: Path) -> None:
    (path,) = (shared_data / "toyhom").glob("*.csv")
    assert find_encoding(path) == "gb18030"
    with pytest.raises(InputError, match="is not UTF-8"):
        find_encoding(path, "utf-8")
