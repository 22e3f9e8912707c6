"""Where the pictures of an item stand in what is asked."""

from __future__ import annotations

from harness.candidates.prompt import IMAGE
from harness.errors import InputError
from harness.gold.item import Item, Message


def marked(turns: tuple[Message, ...], item: Item) -> tuple[Message, ...]:
    """The conversation with an `IMAGE` mark for each picture of the item, in order.

    They stay where the text has them; without any, they go before the text of the last user turn, as in the
    examples that Qwen2.5-VL was published with. Where the item has no pictures a mark is text like any other.

    Raises:
        InputError: the text has marks, but not as many as the item has pictures.
    """
    count = len(item.image_files)
    marks = sum(turn.content.count(IMAGE) for turn in turns)
    if count == 0 or marks == count:
        return turns
    if marks:
        raise InputError(
            f"the text has {marks} {IMAGE} marks and the item {count} pictures",
            where=f"item {item.id!r}",
            remedy="Write one mark for each picture, or none: pictures then go before the question.",
        )
    last = max((at for at, turn in enumerate(turns) if turn.role == "user"), default=len(turns) - 1)
    first = turns[last].model_copy(update={"content": IMAGE * count + turns[last].content})
    return (*turns[:last], first, *turns[last + 1 :])
