"""Which languages the items are in, and whether that is what they say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from harness.gold.checks.finding import MOST_EVIDENCE, Evidence, Finding, quote
from harness.gold.checks.material import Material
from harness.gold.item import Item
from harness.text import has_han


def languages(material: Material) -> Iterator[Finding]:
    """A mixture, and items that declare "zh" without a Chinese character or "en" in Chinese."""
    counts = Counter(item.language for item in material.items)
    if len(counts) > 1:
        mix = ", ".join(f"{language} {count}" for language, count in counts.most_common())
        yield Finding(code="language-mix", severity="info", values={"mix": mix})
    wrong = [item for item in material.items if _is_wrong(item)]
    if wrong:
        yield Finding(
            code="wrong-language",
            severity="warning",
            count=len(wrong),
            items=tuple(item.id for item in wrong),
            evidence=tuple(Evidence(quotes=(quote(item),)) for item in wrong[:MOST_EVIDENCE]),
        )


def _is_wrong(item: Item) -> bool:
    declared = item.metadata.get("language")
    asked = "".join([item.text, *(item.choices or ())])
    if declared == "zh":  # a bare formula or name is in every language
        return not has_han(asked) and sum(char.isalpha() for char in asked) > 20 and " " in asked.strip()
    if declared == "en":  # an English question may quote Chinese
        letters = [char for char in asked if char.isalpha()]
        return sum(has_han(char) for char in letters) > 0.5 * len(letters)
    return False
