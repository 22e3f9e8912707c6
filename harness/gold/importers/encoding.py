"""Which encoding a text file is in: proved over the whole file, or asked for.

Strict UTF-8 goes first, because text in another encoding practically never is valid UTF-8. A file that is not is read
as GB18030 (which holds GBK and GB2312) and as Big5, strictly and to its end. Since almost any bytes decode as one of
them, what comes out must also look like Chinese: nearly all of it common characters. `charset-normalizer` has to agree
where there is enough text, decides between two that pass, and says what a refused file might be. A line in UTF-8 inside
a GBK file decodes too, as rare characters, so every line is looked at.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.errors import InputError

_CHUNK = 1 << 20
_SAMPLE = 1 << 18
#: Nobody writes so much without any of the marks that a line can be cut at.
_LONGEST = 1 << 22
#: Marks for common characters beyond ASCII: 1 each, half for the rarer ones of the basic set, 0 for the rest. Single
#: questions of Toyhom's reach 0.81 at least in GB18030 and whole files 0.98; read as Big5, half of them stay under 0.7.
_PLAUSIBLE = 0.75
#: How far the better reading must lead before its marks alone decide.
_LEAD = 0.1
#: From so many characters on, charset-normalizer knows Chinese from Korean or Japanese read as Chinese.
_ENOUGH = 200
#: UTF-16 without a mark is told by these: any table or JSON holds one, and other text hardly ever reads as one.
_STRUCTURE = frozenset('\n,\t"')
_ASIAN = ("gb18030", "cp950")
_NAMES = {"cp950": "Big5", "gb18030": "GB18030", "utf-8": "UTF-8", "utf-8-sig": "UTF-8"}
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_OTHER = {"UTF-8": " not", "not UTF-8": " UTF-8"}
_REMEDY = "Save it as UTF-8, or say what it is with --encoding."


@dataclass(frozen=True, slots=True)
class _Bad:
    """The first byte that an encoding cannot read."""

    line: int
    offset: int
    byte: int

    def __str__(self) -> str:
        return f"byte 0x{self.byte:02x} at {self.offset}"


def find_encoding(path: Path, asked: str | None = None) -> str:
    """The Python codec in which the whole file can be read.

    Args:
        asked: an encoding to use instead of looking; the whole file still has to decode.

    Raises:
        InputError: the file is empty, mixes encodings (names line and byte), is in none that is known here, or could
            be in two.
    """
    with path.open("rb") as file:
        head = file.read(_SAMPLE)
    if not head:
        raise InputError("is empty (0 bytes)", where=str(path))
    if asked is not None:
        return _asked(path, asked)
    for bom, name in _BOMS:
        if head.startswith(bom):
            return _proved(path, name)
    if b"\0" in head:
        for name in ("utf-16-le", "utf-16-be"):
            text = head.decode(name, "ignore")
            if "\0" not in text and not _STRUCTURE.isdisjoint(text) and _first_bad(path, name) is None:
                return name
        raise _nul(path, 1 + head[: head.index(b"\0")].count(b"\n"))
    if _first_bad(path, "utf-8") is None:
        return "utf-8"
    return _chosen(path, _survivors(path), head)


def _asked(path: Path, asked: str) -> str:
    try:
        name = codecs.lookup(asked).name
        "".encode(name)
    except LookupError:
        raise InputError(f"there is no encoding {asked!r}", where="--encoding", remedy="Such as gb18030.") from None
    if name == "utf-8":  # a byte order mark is no text
        name = "utf-8-sig"
    return _proved(path, name)


def _proved(path: Path, name: str) -> str:
    bad = _first_bad(path, name)
    if bad is not None:
        raise InputError(f"is not {_NAMES.get(name, name)} ({bad})", where=f"{path}:{bad.line}", remedy=_REMEDY)
    return name


def _first_bad(path: Path, encoding: str) -> _Bad | None:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    lines = offset = 0
    with path.open("rb") as file:
        while True:
            chunk = file.read(_CHUNK)
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                seen = error.object  # the chunk, after what was left of the one before
                position = offset - (len(seen) - len(chunk)) + error.start
                return _Bad(lines + 1 + seen[: error.start].count(b"\n"), position, seen[error.start])
            if "\0" in text:
                raise _nul(path, lines + 1 + text[: text.index("\0")].count("\n"))
            if not chunk:
                return None
            lines += chunk.count(b"\n")
            offset += len(chunk)


def _nul(path: Path, line: int) -> InputError:
    """No text holds this character, and what comes after it is often gigabytes more of it."""
    return InputError(
        "holds NUL characters: it is damaged, or no text", where=f"{path}:{line}", remedy="Copy it again."
    )


@dataclass(slots=True)
class _Reading:
    """What came out of a double-byte encoding: characters beyond ASCII, and their marks."""

    characters: int = 0
    marks: float = 0.0

    @property
    def share(self) -> float:
        return self.marks / max(self.characters, 1)

    def add(self, text: str, encoding: str) -> None:
        if self.characters < _SAMPLE:
            foreign = [char for char in text if not char.isascii()]
            self.characters += len(foreign)
            self.marks += sum(_MARKS[encoding].get(char, 0.0) for char in foreign)


def _survivors(path: Path) -> dict[str, _Reading]:
    """The double-byte encodings that read every byte of a file that is not UTF-8, with what they read.

    Raises:
        InputError: some lines are UTF-8 and others are not, or neither encoding reads the whole file.
    """
    alive = {name: _Reading() for name in _ASIAN}
    utf8: list[_Bad] = []
    others: list[_Bad] = []
    broken: _Bad | None = None
    counts = [0, 0]
    for number, offset, line in _lines(path):
        if line.isascii():
            continue
        odd, is_utf8 = _judged(line)
        counts[is_utf8] += 1
        seen = utf8 if is_utf8 else others
        if not seen:
            seen.append(_Bad(number, offset + odd, line[odd]))
        for name, reading in tuple(alive.items()):
            try:
                reading.add(line.decode(name), name)
            except UnicodeDecodeError as error:
                broken = _Bad(number, offset + error.start, line[error.start])
                del alive[name]
    if utf8 and others:
        odd_one, kind = (others[0], "not UTF-8") if counts[True] >= counts[False] else (utf8[0], "UTF-8")
        rest = utf8[0] if odd_one is others[0] else others[0]
        raise InputError(
            f"mixes encodings: this line is {kind} ({odd_one}); line {rest.line} is{_OTHER[kind]}, like {max(counts)}",
            where=f"{path}:{odd_one.line}",
            remedy=_REMEDY,
        )
    if not alive:
        assert broken is not None
        raise InputError(
            f"is in no encoding that is known here ({broken})", where=f"{path}:{broken.line}", remedy=_hint(path)
        )
    return alive


def _lines(path: Path) -> Iterator[tuple[int, int, bytes]]:
    """Number, offset and bytes of each line; a line without end is cut at an ASCII byte."""
    number, offset = 1, 0
    with path.open("rb") as file:
        while line := file.readline(_CHUNK):
            rest = bytearray()
            while not line.endswith(b"\n") and len(rest) <= _LONGEST and (more := file.read(1)):
                rest += more
                # Second bytes of GB18030 and Big5 can be ASCII letters and digits, never these.
                if more in b'\n ",\0':
                    break
            if len(rest) > _LONGEST:
                what = f"has a line that goes on for {_LONGEST >> 20} MiB without a space, a comma or a quote"
                raise InputError(what, where=f"{path}:{number}")
            line += rest
            if b"\0" in line:
                raise _nul(path, number)
            yield number, offset, line
            offset += len(line)
            number += line.endswith(b"\n")


def _judged(line: bytes) -> tuple[int, bool]:
    """Where the line stops being ASCII or UTF-8, and whether all that is beyond ASCII in it is CJK in UTF-8.

    Two Chinese characters in GBK are never three-byte UTF-8 sequences: that would take leads of level 2 and two
    continuation bytes in step.
    """
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start, False
    first = next(position for position, byte in enumerate(line) if byte >= 0x80)
    return first, all(char.isascii() or char >= "\u2000" for char in text)


def _chosen(path: Path, readings: dict[str, _Reading], head: bytes) -> str:
    order = sorted(readings, key=lambda name: -readings[name].share)
    best = order[0]
    if readings[best].share < _PLAUSIBLE or (readings[best].characters >= _ENOUGH and not _agrees(head)):
        raise InputError(
            f"is not UTF-8, and as {_NAMES[best]} it is no Chinese text ({_excerpt(head, best)!r})",
            where=str(path),
            remedy=_hint(path),
        )
    if len(order) == 1 or readings[best].share - readings[order[1]].share >= _LEAD:
        return best
    mess = _mess(head)
    best, other = sorted(order, key=lambda name: mess.get(name, 1.0))
    if mess.get(other, 1.0) - mess.get(best, 1.0) >= 0.03:
        return best
    both = " or ".join(f"{_NAMES[name]} ({_excerpt(head, name)!r})" for name in order)
    raise InputError(f"could be {both}", where=str(path), remedy="Say which with --encoding gb18030 or big5.")


def _mess(head: bytes) -> dict[str, float]:
    """How messy charset-normalizer finds what each encoding makes of the sample, from 0."""
    from charset_normalizer import from_bytes

    ranked = from_bytes(_whole_lines(head), cp_isolation=["gb18030", "big5"])
    return {"cp950" if match.encoding == "big5" else match.encoding: match.chaos for match in ranked}


def _agrees(head: bytes) -> bool:
    """True when charset-normalizer, left to itself, takes the sample for Chinese."""
    from charset_normalizer import from_bytes

    best = from_bytes(_whole_lines(head)).best()
    return best is not None and best.encoding in {"gb18030", "gbk", "gb2312", "hz", "big5", "big5hkscs", "cp950"}


def _excerpt(head: bytes, encoding: str) -> str:
    start = next(position for position, byte in enumerate(head) if byte >= 0x80) if not head.isascii() else 0
    return head[start : start + 24].decode(encoding, "ignore")


def _whole_lines(head: bytes) -> bytes:
    return head[: head.rfind(b"\n") + 1] or head


def _hint(path: Path) -> str:
    from charset_normalizer import from_bytes

    with path.open("rb") as file:
        best = from_bytes(_whole_lines(file.read(_SAMPLE))).best()
    return f"It may be {best.encoding}: if so, --encoding {best.encoding}." if best is not None else _REMEDY


def _characters(rows: range, cells: range, encoding: str) -> frozenset[str]:
    found = (bytes((high, low)).decode(encoding, "ignore") for high in rows for low in cells)
    return frozenset(char for char in found if char)


#: Level 1 of GB2312 (3,755 characters by use) and of Big5 (5,401) with punctuation and full-width forms, then level 2.
_MARKS = {
    "gb18030": dict.fromkeys(_characters(range(0xD8, 0xF8), range(0xA1, 0xFF), "gb2312"), 0.5)
    | dict.fromkeys(_characters(range(0xB0, 0xD8), range(0xA1, 0xFF), "gb2312"), 1.0)
    | dict.fromkeys(_characters(range(0xA1, 0xA4), range(0xA1, 0xFF), "gb2312"), 1.0),
    "cp950": dict.fromkeys(_characters(range(0xC9, 0xFA), range(0x40, 0xFF), "cp950"), 0.5)
    | dict.fromkeys(_characters(range(0xA4, 0xC7), range(0x40, 0xFF), "cp950"), 1.0)
    | dict.fromkeys(_characters(range(0xA1, 0xA3), range(0x40, 0xFF), "cp950"), 1.0),
}
