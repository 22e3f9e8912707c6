"""How a row of somebody else's data becomes an item.

The same mapping is written on a card (`map:`), on the command line (`--map question=ask,answer=answer`) and in Python:

    map:
      id: {text: "aime24-{id}"}
      question: [title, ask]          # several columns: one text, a line each
      answer: answer                  # several columns: several accepted answers
      choices: [A, B, C, D]           # the options' texts; the answer is then the letter
      metadata: {topic: "@stem", level: level}
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_serializer,
    model_validator,
)

from harness.errors import InputError
from harness.gold.conversation import Conversation, read_conversation
from harness.gold.item import Item, Message
from harness.gold.rows import Row, as_text, is_placeholder
from harness.text import fold_width
from harness.validation import explain

LETTERS = "ABCDEFGHIJ"

Why = Literal["missing question", "missing answer", "trivial question", "trivial answer", "ambiguous options"]
AnswerIs = Literal["text", "letter", "index", "number"]

_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")
_IMAGE_TAG = re.compile(r"<image>\n?")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row that makes no item, and the column to look at."""

    why: Why
    column: str


class Text(BaseModel):
    """Where a text comes from: columns, or a text with `{column}` in it.

    Written as `ask`, `[title, ask]` or `{text: "Patient: {ask}"}` (`{{` and `}}` are braces).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: tuple[str, ...] = ()
    text: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"columns": (value,)}
        return {"columns": tuple(value)} if isinstance(value, list | tuple) else value

    @model_validator(mode="after")
    def _one_way(self) -> Text:
        if bool(self.columns) == (self.text is not None):
            raise ValueError("name columns, or give a text with {column} in it")
        return self

    @model_serializer
    def _written(self) -> Any:
        if self.text is not None:
            return {"text": self.text}
        return self.columns[0] if len(self.columns) == 1 else list(self.columns)

    def named(self) -> tuple[str, ...]:
        """Every column it reads."""
        if self.text is None:
            return self.columns
        return tuple(match[1] for match in _PLACEHOLDER.finditer(self.text) if match[1] is not None)

    def read(self, row: Row) -> str:
        """The text for one row; several columns stand on a line each, without those in which nothing was written."""
        if self.text is not None:
            return _PLACEHOLDER.sub(
                lambda found: found[0][0] if found[1] is None else as_text(row.get(found[1])), self.text
            )
        if len(self.columns) == 1:
            return as_text(row.get(self.columns[0]))
        parts = [as_text(row.get(column)) for column in self.columns]
        said = [part for part in parts if not is_placeholder(part)]
        return "\n".join(said or parts[:1])


def _as_columns(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Columns: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(_as_columns)]


class RowMap(BaseModel):
    """Which columns make which part of an item. See the module for how it is written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Text | None = Field(None, description="unique; without it the id is made from the content")
    question: Text | None = None
    messages: str | None = Field(None, description="column of turns (role/content or from/value)")
    system: Text | None = Field(None, description="system prompt that goes before the question")
    answer: Text | None = Field(None, description="several columns are several accepted texts; lists are taken apart")
    answer_is: AnswerIs | None = Field(
        None, description="with choices: letter (default), index (from 0), number (from 1) or text of the right option"
    )
    choices: Columns = Field((), description="columns of the options, or one column that holds a list of them")
    incorrect: Columns = Field((), description="columns of wrong options; the answer is the right one, then shuffled")
    context: Text | None = None
    fields: str | dict[str, str] | None = Field(
        None, description="a column that holds an object, a list of columns, or field: column"
    )
    images: Columns = Field((), description="columns with paths from the file's folder, one or a list each")
    rubric: Text | None = None
    cluster: Text | None = None
    open: bool = Field(False, description="a row without an answer is an open question, for a judge, and is kept")
    metadata: dict[str, Text] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _dotted(cls, value: Any) -> Any:
        """`metadata.topic: x` and `fields.total: x` are the nested forms; a list of fields names its columns."""
        if not isinstance(value, Mapping):
            return value
        flat: dict[str, Any] = {}
        for key, part in value.items():
            head, dot, tail = str(key).partition(".")
            if dot and head in ("metadata", "fields"):
                nested = flat.setdefault(head, {})
                if not isinstance(nested, dict):
                    raise ValueError(f"{head!r} is given both as a whole and as {key!r}")
                nested[tail] = part
            elif key == "fields" and isinstance(part, list | tuple):
                flat[key] = {column: column for column in part}
            else:
                flat[key] = dict(part) if isinstance(part, Mapping) and key == "metadata" else part
        return flat

    @model_validator(mode="after")
    def _makes_items(self) -> RowMap:
        if (self.question is None) == (self.messages is None):
            raise ValueError("map either 'question' or 'messages'")
        if self.answer is None and self.messages is None and self.fields is None and not self.open:
            raise ValueError("map 'answer' (or 'fields'); questions without gold answers are 'open: true'")
        if self.choices and self.incorrect:
            raise ValueError("map either 'choices' or 'incorrect'")
        if self.incorrect and (self.answer is None or self.answer_is is not None):
            raise ValueError("'incorrect' wants 'answer' to be the column of the right option, without 'answer_is'")
        if self.answer_is is not None and not self.choices:
            raise ValueError("'answer_is' wants 'choices'")
        if (self.choices or self.incorrect) and (self.answer is None or self.open):
            raise ValueError("options want 'answer', and are never 'open'")
        return self

    def named(self) -> tuple[str, ...]:
        """Every column that the mapping reads, each once; `@stem` and its like are no columns."""
        texts = [self.id, self.question, self.system, self.answer, self.context, self.rubric, self.cluster]
        found = [column for text in (*texts, *self.metadata.values()) if text is not None for column in text.named()]
        found += [*self.choices, *self.incorrect, *self.images]
        found += [self.messages] if self.messages else []
        found += [self.fields] if isinstance(self.fields, str) else list((self.fields or {}).values())
        return tuple(dict.fromkeys(column for column in found if not column.startswith("@")))

    def written(self) -> dict[str, Any]:
        """As a card writes it: without what was not given."""
        return self.model_dump(mode="json", exclude_defaults=True)

    def pictures(self, row: Row) -> tuple[tuple[str, Any], ...]:
        """The pictures of a row with the column of each: a path from the file's folder, or a file's bytes in Parquet.

        Raises:
            InputError: a cell names no picture.
        """
        found: list[tuple[str, Any]] = []
        for column in self.images:
            value = row.get(column)
            for part in value if isinstance(value, list | tuple) else (value,):
                if isinstance(part, Mapping) and isinstance(part.get("bytes"), bytes):
                    found.append((column, part))
                elif isinstance(part, str) and part.strip():
                    found.append((column, part.strip()))
                else:
                    raise InputError("names no image", where=row.where(column))
        return tuple(found)

    def item(self, row: Row, *, keep_trivial: bool = False) -> Item | LeftOut:
        """The item that a row makes, without its images (see `pictures`): whoever reads the row looks at the files.

        Args:
            keep_trivial: also items whose question or answer is a placeholder such as "无".

        Raises:
            InputError: the row cannot be read this way; names file, row and column.
        """
        talk = self._talk(row)
        fields = self._fields(row)
        answers = self._answers(row, talk, fields)
        asked = _first(self.question.named() if self.question else (self.messages,))
        answered = _first(self.answer.named() if self.answer else (self.messages, *self._field_columns(), asked))
        text = talk.text
        if not text:
            return LeftOut("missing question", asked)
        if not answers and not self.open:
            return LeftOut("missing answer", answered)
        if not keep_trivial and is_placeholder(text):
            return LeftOut("trivial question", asked)
        choices: tuple[str, ...] | None = None
        if self.incorrect:
            options = _shuffled(text, answers[0], self._options(row, self.incorrect))
            if options is None:
                return LeftOut("ambiguous options", answered)
            choices, answers = options[0], (options[1],)
        elif self.choices:
            choices = self._options(row, self.choices)
            answers = (_letter(answers[0], choices, self.answer_is or "letter", row.where(answered)),)
        elif answers and not keep_trivial and fields is None and all(map(is_placeholder, answers)):
            return LeftOut("trivial answer", answered)
        content: dict[str, Any] = {"answer": answers, "choices": choices, "fields": fields}
        content |= {"question": text} if talk.question is not None else {"messages": talk.messages}
        return self._item(row, content)

    def _item(self, row: Row, content: dict[str, Any]) -> Item:
        for name, text in (
            ("id", self.id),
            ("context", self.context),
            ("rubric", self.rubric),
            ("cluster", self.cluster),
        ):
            if text is not None and (read := text.read(row)):
                content[name] = read
        if self.metadata:
            found = ((name, self._metadata(text, row)) for name, text in self.metadata.items())
            content["metadata"] = {name: value for name, value in found if value not in (None, "")}
        try:
            return Item.model_validate(content)
        except ValidationError as error:
            raise InputError(explain(error, Item), where=row.where()) from None

    def _talk(self, row: Row) -> Conversation:
        if self.messages is not None:
            talk = read_conversation(
                row.get(self.messages), where=row.where(self.messages), answered_elsewhere=self.answer is not None
            )
            if self.system is not None and (system := self.system.read(row)):
                talk = talk.with_system(system)
            return talk.without(_IMAGE_TAG) if self.images else talk
        assert self.question is not None
        text = self.question.read(row)
        if self.images:
            text = _IMAGE_TAG.sub("", text).strip()
        if text and self.system is not None and (system := self.system.read(row)):
            return Conversation((Message(role="system", content=system), Message(role="user", content=text)), None)
        return Conversation((Message(role="user", content=text),) if text else (), None)

    def _field_columns(self) -> tuple[str, ...]:
        return (self.fields,) if isinstance(self.fields, str) else tuple((self.fields or {}).values())

    def _fields(self, row: Row) -> dict[str, Any] | None:
        if self.fields is None:
            return None
        if isinstance(self.fields, str):
            value = row.get(self.fields)
            if isinstance(value, str):
                try:
                    value = json.loads(value)
                except json.JSONDecodeError as error:
                    where = row.where(self.fields)
                    raise InputError(f"is not a JSON object ({error.msg})", where=where) from None
            if not isinstance(value, Mapping):
                raise InputError("must hold an object with the fields", where=row.where(self.fields))
            named = dict(value)
        else:
            named = {name: row.get(column) for name, column in self.fields.items()}
        return {name: _plain(value) for name, value in named.items() if as_text(value)} or None

    def _answers(self, row: Row, talk: Conversation, fields: dict[str, Any] | None) -> tuple[str, ...]:
        if self.answer is None:
            if self.fields is not None:
                return (json.dumps(fields, ensure_ascii=False),) if fields else ()
            return (talk.answer,) if talk.answer else ()
        if self.answer.text is not None:
            texts = [self.answer.read(row)]
        else:
            texts = []
            for column in self.answer.columns:
                value = row.get(column)
                texts += [as_text(v) for v in value] if isinstance(value, list | tuple) else [as_text(value)]
        return tuple(dict.fromkeys(text for text in texts if text))

    def _options(self, row: Row, columns: Sequence[str]) -> tuple[str, ...]:
        if len(columns) == 1 and not isinstance(value := row.get(columns[0]), str):
            if isinstance(value, Mapping):  # {"A": "…", "B": "…"}
                value = [value[key] for key in sorted(value)]
            if not isinstance(value, list | tuple):
                raise InputError("must hold a list of options", where=row.where(columns[0]))
            texts = [as_text(part) for part in value]
        else:
            texts = [as_text(row.get(column)) for column in columns]
        while texts and not texts[-1]:  # a question with fewer options than columns
            texts.pop()
        if "" in texts:
            place = columns[texts.index("")] if len(columns) > 1 else columns[0]
            raise InputError("an option is empty", where=row.where(place))
        if not 0 < len(texts) <= len(LETTERS):
            raise InputError(
                f"{len(texts)} options, between 1 and {len(LETTERS)} are read", where=row.where(columns[0])
            )
        return tuple(texts)

    def _metadata(self, text: Text, row: Row) -> Any:
        if text.text is None and len(text.columns) == 1:
            return _plain(row.get(text.columns[0]))
        return text.read(row)


def _first(columns: Sequence[str | None]) -> str:
    return next((column for column in columns if column), "")


def _plain(value: Any) -> Any:
    """A value that JSON can hold and that reads back the same."""
    if isinstance(value, float) and math.isnan(value):
        return None
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return as_text(value)


def _letter(given: str, choices: Sequence[str], form: AnswerIs, where: str) -> str:
    """The letter of the right option."""
    last = LETTERS[len(choices) - 1]
    if form == "text":
        hits = [position for position, choice in enumerate(choices) if choice == given]
        if len(hits) != 1:
            raise InputError(f"the answer {given[:60]!r} is {len(hits)} of the options", where=where)
        return LETTERS[hits[0]]
    folded = fold_width(given).strip("().[]：:、。 \t").upper()
    if form == "letter":
        if len(folded) == 1 and "A" <= folded <= last:
            return folded
        remedy = "If the column counts options or repeats the text, set answer_is to index, number or text."
        raise InputError(f"the answer {given[:60]!r} is no letter from A to {last}", where=where, remedy=remedy)
    first = 0 if form == "index" else 1
    if folded.isdecimal() and first <= int(folded) < first + len(choices):
        return LETTERS[int(folded) - first]
    raise InputError(f"the answer {given[:60]!r} is no number from {first} to {first + len(choices) - 1}", where=where)


def _shuffled(question: str, right: str, wrong: Sequence[str]) -> tuple[tuple[str, ...], str] | None:
    """The options in an order that only their texts and the question decide, and the right one's letter.

    None when the right option stands among the wrong ones.
    """
    if right in wrong:
        return None
    order = sorted((right, *wrong), key=lambda text: hashlib.sha256(f"{question}\0{text}".encode()).digest())
    return tuple(order), LETTERS[order.index(right)]
