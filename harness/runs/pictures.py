"""Pictures in a plan: who can be asked about them, and how long they make a prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.candidates.candidate import ModelCandidate
from harness.candidates.prompt import TEXT_TEMPLATE
from harness.candidates.vision import FAMILIES, Vision, sees_otherwise, vision_of
from harness.errors import InputError
from harness.gold.item import Item


@dataclass(frozen=True, slots=True)
class Sight:
    """How long a candidate's prompts are. `vision` is None where nobody asks it about pictures."""

    vision: Vision | None
    template: str

    def length(self, ids: Sequence[int], item: Item) -> int:
        """Tokens of a prompt with the pictures of its item."""
        return len(ids) if self.vision is None else self.vision.length(ids, item.image_files)

    def fault(self, ids: Sequence[int], item: Item) -> str:
        """Why the item cannot be asked, or "".

        Raises:
            InputError: the template has no place for any picture, so that no item can be asked.
        """
        if self.vision is None:
            return ""
        if item.image_files and self.vision.token_id not in ids:
            raise InputError(f"the prompt format {self.template!r} writes no place for pictures", remedy=TEXT_TEMPLATE)
        return self.vision.fault(ids, item.image_files) or ""


def sight_of(candidate: ModelCandidate, template: str, items: Sequence[tuple[str, Item]]) -> Sight:
    """How a candidate sees the items it is asked.

    Args:
        template: name of its prompt format, for messages.
        items: with the name of their task.

    Raises:
        InputError: there are pictures, and the model is a text model or one whose pictures are not understood here.
    """
    task = next((task for task, item in items if item.image_files), None)
    if task is None:
        return Sight(None, template)
    vision = vision_of(candidate.model)
    if vision is not None:
        return Sight(vision, template)
    families = " and ".join({"qwen2_vl": "Qwen2-VL", "qwen2_5_vl": "Qwen2.5-VL"}[family] for family in FAMILIES)
    if sees_otherwise(candidate.model):
        what = f"{candidate.name} is a vision model of a kind whose pictures are not supported yet"
    else:
        what = f"{candidate.name} is a text model, and task {task!r} has pictures"
    raise InputError(
        what,
        where=str(candidate.model / "config.json"),
        remedy=f"Supported are {families}, replay: candidates with recorded outputs, and tasks without pictures.",
    )
