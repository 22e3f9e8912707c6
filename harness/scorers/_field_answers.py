"""What an answer says about each field: from a JSON object, else from prose such as `总里程：528,915公里；时间 12:30`.

The last object that holds one of the fields counts (drafts come first), and in prose the last mention with a value.
JSON that is not quite JSON (trailing commas, single quotes, Chinese punctuation, cut off by the token limit) is
repaired by the json-repair package.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from harness.gold.rows import is_placeholder
from harness.scorers._field_names import Names
from harness.text import fold_punctuation, fold_width

#: What is read of an answer, from its end: anything longer is no answer, and reading it would take long.
MAX_LENGTH = 20_000
_MAX_REPAIRED = 4_000
_MAX_BRACKETS = 200
_MAX_OBJECTS = 20
_MAX_NAME = 60

#: field -> what is said of it, in order; None where it is said not to be there. What is not mentioned is not in it.
Said = Mapping[str, tuple[str | None, ...]]

_NOT_SHOWN = frozenset(
    ("未显示", "不显示", "未知", "不可见", "看不清", "无法识别", "无法辨认", "无法读取", "没有显示", "不清楚",
     "not shown", "not visible", "not displayed", "not available", "unreadable", "unknown", "illegible", "none shown",
     "not present")
)  # fmt: skip


def read_answer(output: str, names: Names) -> Said:
    """What `output` says of the fields; empty when it says nothing that can be read."""
    text = output[-MAX_LENGTH:]
    for found in _objects(text):
        if said := _from_object(found, names):
            return said
    return _from_prose(text, names)


def says_nothing(text: str) -> bool:
    """True for text that says that there is no value: empty, `null`, `无`, `未显示`."""
    plain = fold_width(text).strip(" \t\n.。\"'`*").casefold()
    return not plain or plain in _NOT_SHOWN or is_placeholder(plain)


# --- JSON ------------------------------------------------------------------------------------------------------------


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """The JSON objects in a text that are not inside another one, the last first."""
    for span in reversed(_spans(text)[-_MAX_OBJECTS:]):
        loaded = _load(span)
        if isinstance(loaded, dict) and loaded:
            yield loaded


def _spans(text: str) -> list[str]:
    """Where braces open and close again, in one pass; the last may stay open (an answer that was cut off)."""
    spans: list[str] = []
    depth = start = 0
    quoted = escaped = False
    for at, char in enumerate(text):
        if depth and quoted:
            # A line break ends a string that was never closed, so that one stray quote does not swallow the rest.
            quoted = char != "\n" and (escaped or char != '"')
            escaped = char == "\\" and not escaped
        elif char == '"':
            quoted, escaped = depth > 0, False
        elif char == "{":
            start = at if depth == 0 else start
            depth += 1
        elif char == "}" and depth:
            depth -= 1
            if depth == 0:
                spans.append(text[start : at + 1])
    if depth:
        spans.append(text[start:])
    return spans


def _load(span: str) -> Any:
    if sum(map(span.count, "{[")) > _MAX_BRACKETS:
        return None
    try:
        # Numbers stay text: 9.00 is money as written, and no float comes near it.
        return json.loads(span, parse_int=str, parse_float=str, parse_constant=str)
    except ValueError:
        pass
    if len(span) > _MAX_REPAIRED:
        return None
    from json_repair import repair_json

    try:
        return repair_json(fold_punctuation(fold_width(span)), return_objects=True, skip_json_loads=True)
    except (ValueError, RecursionError):
        return None


def _from_object(found: Mapping[str, Any], names: Names) -> Said:
    said: dict[str, tuple[str | None, ...]] = {
        field: (_as_said(value),)
        for key, value in found.items()
        if len(key) <= _MAX_NAME and (field := names.field(key)) and not isinstance(value, list)
    }
    if said:
        return said
    inside = (value for value in found.values() if isinstance(value, Mapping))  # {"reading": {"odometer": …}}
    return next((deeper for value in inside if (deeper := _from_object(value, names))), {})


def _as_said(value: Any) -> str | None:
    if isinstance(value, Mapping):  # {"value": 528915, "unit": "km"}
        value = f"{value.get('value', '')} {value.get('unit', '')}"
    if value is None or says_nothing(text := str(value)):
        return None
    return text.strip()


# --- prose -----------------------------------------------------------------------------------------------------------

# What stands between a name and its value, after emphasis and a bracket: `**总里程**（ODO）：`, `time is`, `| ODO |`.
_DECORATION = r"[\s*_`\"']{0,4}"
_SEPARATOR = re.compile(
    rf"{_DECORATION}(?:\([^()\n]{{0,20}}\))?{_DECORATION}"
    rf"(?:[:=|]|(?:is|was|reads?|shows?|displays?)\b|(?:显示|读数|示数)?(?:约?为|是|:)|显示){_DECORATION}"
)
_CLAUSE = re.compile(r"(?:^|[\n;,.|(])[\s*_`\"'#>\-•·\d)]*\Z")
_END = re.compile(r"[\n;|]")


def _from_prose(text: str, names: Names) -> Said:
    # The Chinese full stop ends a clause; the Latin one may be a decimal point.
    folded = fold_punctuation(fold_width(text.replace("。", ";"))).casefold()
    mentions = list(_mentions(folded, names))
    said: dict[str, tuple[str | None, ...]] = {}
    for number, (field, _, start) in enumerate(mentions):
        # A name in the brackets before the value (`| 总里程（ODO） | 59679 |`) does not end it.
        later = (mentions[at][1] for at in range(number + 1, len(mentions)))
        following = next((begin for begin in later if begin >= start), len(folded))
        stop = _END.search(folded, start, following)
        value = folded[start : stop.start() if stop else following].strip(" \t,*_`\"'")
        if field is not None and value:
            said[field] = (*said.get(field, ()), None if says_nothing(value) else value)
    return said


def _mentions(folded: str, names: Names) -> Iterator[tuple[str | None, int, int]]:
    """(field, where its name begins, where its value begins) of every name that announces a value.

    A name does so with a separator behind it, or at the beginning of a clause.
    """
    for match in names.in_prose.finditer(folded):
        separator = _SEPARATOR.match(folded, match.end())
        before = folded[max(0, match.start() - 12) : match.start()]
        if separator or match.start() == 0 or _CLAUSE.search(before):
            yield names.field(match[0]), match.start(), separator.end() if separator else match.end()
