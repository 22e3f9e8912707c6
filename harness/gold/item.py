"""One question with its accepted answers."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, model_validator

from harness.digest import digest_json
from harness.gold.images import ImageFile


def _as_texts(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


class Message(BaseModel):
    """One turn of a conversation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Literal["system", "user", "assistant"]
    content: str


class Item(BaseModel):
    """One item of a gold set (see the gold set contract in `docs/architecture.md`).

    `answer` holds every accepted text, the canonical one first; an open question, which only people and judges can
    tell a good answer to, has none (`[]`). `metadata` holds anything to slice by; the keys
    `topic`, `difficulty`, `language` and `reference` (a full reference sentence) have meaning to this project.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = ""
    question: str | None = None
    messages: tuple[Message, ...] | None = None
    answer: Annotated[tuple[str, ...], BeforeValidator(_as_texts)]
    choices: tuple[str, ...] | None = None
    images: tuple[str, ...] = ()
    context: str | None = None
    fields: dict[str, Any] | None = None
    rubric: str | None = None
    cluster: str | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)
    _image_files: tuple[ImageFile, ...] = PrivateAttr(())

    @model_validator(mode="after")
    def _asks_something(self) -> Item:
        if (self.question is None) == (self.messages is None):
            raise ValueError("an item needs either 'question' or 'messages', not both")
        if self.question is not None and not self.question.strip():
            raise ValueError("'question' is empty")
        if self.messages is not None and not self.messages:
            raise ValueError("'messages' is empty")
        if self.answer and not any(text.strip() for text in self.answer):
            raise ValueError("'answer' is empty")
        return self

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything but the id: an edited answer or another picture under the same name is another item."""
        content = self.model_dump(mode="json", exclude={"id"}, exclude_defaults=True)
        if self._image_files:
            content["images"] = [image.digest for image in self._image_files]
        return digest_json(content)

    @property
    def image_files(self) -> tuple[ImageFile, ...]:
        """The files of `images`, in order; empty until `with_images` attached them."""
        return self._image_files

    def with_images(self, files: tuple[ImageFile, ...]) -> Item:
        """This item with its image files found (done by whoever read it, who knows the folder)."""
        made = Item.model_validate(self.model_dump())
        made._image_files = files
        return made

    @property
    def text(self) -> str:
        """The question as one text (the last user turn of a conversation)."""
        if self.question is not None:
            return self.question
        assert self.messages is not None
        return next((m.content for m in reversed(self.messages) if m.role == "user"), self.messages[-1].content)

    @property
    def language(self) -> str:
        """`metadata.language`, or "zh" when the question holds a Han character, else "en"."""
        declared = self.metadata.get("language")
        if isinstance(declared, str):
            return declared
        return "zh" if any("\u4e00" <= char <= "\u9fff" for char in self.text) else "en"
