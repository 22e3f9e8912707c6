"""Text that a model, a gold set or a file name put there, made safe to show.

A model may answer with anything: terminal escapes that rewrite the screen, bidirectional overrides that make text read
as its opposite, HTML, Markdown images that phone home. Every report takes such text through this module, once
(`visible`), and then escapes it for its own syntax.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any, TypeVar

from pydantic import BaseModel

Model = TypeVar("Model", bound=BaseModel)

#: What is shown of one answer at most, however long it is.
LONGEST = 4_000

# Control characters (C0 without tab and newline, DEL, C1), bidirectional marks, embeddings, overrides and isolates,
# invisible characters (zero-width, soft hyphen, byte order mark, tags), line and paragraph separators, lone surrogates
# and noncharacters. The zero-width joiner stays: emoji and Indic scripts need it, and it moves nothing.
_SUSPECT = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)
# What starts or ends anything in GitHub's Markdown: emphasis, code, links, images, HTML, tables, mathematics, emoji
# codes, strikethrough, addresses (`https:`, `www.`), mentions and issue numbers; at the start of a line also lists,
# headings, rules and GitLab's commands (`/approve`).
_MARKDOWN = re.compile(r"[!#$&*:<>@\[\\\]^_`{|}~]|(?<=www)\.|\A[-+=/]|\A\d+(?=[.)])", re.IGNORECASE)
# What GitHub and GitLab make links of in the finished HTML: `@name`, `#1`, `!1`, `$1`, `~label`, `%1`, `&1`, `GH-1`.
_REFERENCE = re.compile(r"(?:[@#!$~%&]|\bGH-)(?=[\w\"'])", re.IGNORECASE)
_WIDE = frozenset("WF")
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def visible(text: str) -> str:
    """The same text with everything that acts instead of showing made visible: `␛[31m`, `\\u202e`."""
    return _SUSPECT.sub(_shown, text.replace("\r\n", "\n"))


def excerpt(text: str, longest: int = LONGEST) -> str:
    """`visible`, cut to `longest` characters with a note of how long it was."""
    if len(text) <= longest:
        return visible(text)
    return f"{visible(text[:longest])}… ({len(text):,})"


def one_line(text: str, width: int) -> str:
    """On one line and at most `width` terminal cells wide; a Chinese character takes two."""
    flat = " ".join(visible(text[: 4 * width + 400]).split())
    used = 0
    for position, char in enumerate(flat):
        used += cells(char)
        if used > width:
            kept, room = flat[:position], width - 1
            while kept and sum(map(cells, kept)) > room:
                kept = kept[:-1]
            return f"{kept}…"
    return flat


def cells(char: str) -> int:
    """Terminal cells that a character takes."""
    if char.isascii():
        return 1
    if unicodedata.combining(char) or char == "\u200d":
        return 0
    return 2 if unicodedata.east_asian_width(char) in _WIDE else 1


def markdown(text: str) -> str:
    """For one line of Markdown (a table cell, a list item): nothing in it can be markup, a link, an image or a mention.

    Marks become character references, which CommonMark shows and never reads as markup. Mentions and references to
    issues are found in the finished HTML, so a word joiner breaks those.
    """
    flat = " ".join(visible(text).split())
    return _MARKDOWN.sub(_referenced, _REFERENCE.sub(lambda found: f"{found[0]}\u2060", flat))


def spreadsheet(text: str) -> str:
    """For a CSV cell: a spreadsheet that opens the file would run as a formula what begins with `=`, `+`, `-` or `@`.

    Some do so after white space, and some read full-width forms as the same; an apostrophe makes a text of it.
    """
    shown = visible(text)
    return f"'{shown}" if shown.startswith(("\t", "\n")) or shown.lstrip().startswith(_FORMULA) else shown


def cleaned(model: Model) -> Model:
    """A pydantic model with `visible` applied to every text in it, keys excepted."""
    return type(model).model_validate(_clean(model.model_dump(mode="json", by_alias=True)))


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        return {key: _clean(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_clean(part) for part in value]
    return value


def _referenced(found: re.Match[str]) -> str:
    return "".join(f"&#{ord(char)};" for char in found[0])


def _shown(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
