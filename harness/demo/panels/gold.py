"""Panels as a gold set: what is asked of each picture, what is right, and the card."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from harness.demo.goldsets import Written, counted, save
from harness.demo.panels import camera, scene
from harness.demo.panels.panel import Panel, panels
from harness.gold.card import Card
from harness.gold.goldset import digest_of
from harness.gold.images import open_image
from harness.gold.item import Item

NAME = "odometer"

# As people ask. Few wordings, so that many pictures are asked about in the same words and only the picture tells them
# apart.
_QUESTIONS = {
    "zh": (
        "请读出仪表盘上的总里程、里程单位、车速、时间、温度和档位。",
        "这张仪表照片上的总里程是多少？单位、车速、时间、车外温度和档位也请一并读出。",
        "帮我看一下仪表：总里程（不是小计里程，也不是续航里程）、单位、车速、时间、外温、档位。",
    ),
    "en": (
        "Read the instrument panel: the odometer and its unit, the speed, the time, the temperature and the gear.",
        "What is the odometer reading (not the trip meter)? Also give unit, speed, time, outside temperature and gear.",
    ),
}
_EVERY_ENGLISH = 4  # one question in four is asked in English, always of a panel that is lettered in English


def pictures() -> Iterator[tuple[Panel, bytes]]:
    """Every panel with the bytes of its JPEG file.

    The pixels depend on nothing but the seed, Pillow with the font inside it, and NumPy; the bytes also on libjpeg.
    """
    for panel in panels():
        photograph = camera.take(scene.draw(panel), panel.camera, panel.name)
        yield panel, camera.jpeg(photograph, panel.camera.quality)


def write(folder: Path) -> None:
    """Write the pictures, the items and the card into `folder`, in place of what is there."""
    place = folder / NAME
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    items = []
    for number, (panel, data) in enumerate(pictures()):
        picture = f"{NAME}/{panel.name}.jpg"
        (folder / picture).write_bytes(data)
        items.append(_item(panel, number, picture).with_images((open_image(picture, folder, where=panel.name),)))
    save(Written(tuple(items), _card(tuple(items))), folder)


def _item(panel: Panel, number: int, picture: str) -> Item:
    language = "en" if number % _EVERY_ENGLISH == _EVERY_ENGLISH - 1 else "zh"
    wordings = _QUESTIONS[language]
    return Item(
        id=panel.name,
        question=wordings[number // _EVERY_ENGLISH % len(wordings)],
        answer=(json.dumps(panel.fields, ensure_ascii=False),),
        images=(picture,),
        fields=panel.fields,
        metadata={
            "topic": panel.display,
            "difficulty": panel.tier,
            "language": language,
            "unit": panel.unit,
            "layout": panel.layout,
            "lettering": panel.language,
            "trip": panel.trip or "none",
            "range": "none" if panel.range_left is None else str(panel.range_left),
            "effects": ", ".join(panel.camera.effects) or "none",
        },
    )


def _card(items: tuple[Item, ...]) -> Card:
    return Card(
        name=NAME,
        purpose="Drawn instrument panels (LCD, mechanical drums, screen; kilometres and miles) with their readings: "
        "does a vision fine-tune read odometers better than its base?",
        authorship="Drawn for this project by `python -m harness.demo.panels goldsets` from a seed. No photograph, and "
        "no real vehicle; the readings are those that were drawn.",
        licence="Apache-2.0",
        languages=("zh", "en"),
        fields={
            "id": "unique name of the item",
            "question": "the question, without the suffix that a suite puts behind it",
            "images": "one JPEG picture, 480 by 270 pixels",
            "answer": "the fields as JSON",
            "fields.odometer": "the reading; of a turning wheel the digit on its way out, the larger of the two",
            "fields.unit": "km or mi, as the panel says",
            "fields.speed": "with its unit; on a dial, what the needle was set to",
            "fields.time": "as shown, with 12 or 24 hours",
            "fields.temperature": "outside temperature with its unit",
            "fields.gear": "P, R, N or D",
            "metadata.topic": "kind of display: lcd, drum or screen",
            "metadata.difficulty": "easy (as drawn), medium (two mild effects of the camera), hard (three strong ones)",
            "metadata.language": "of the question: zh or en",
            "metadata.unit": "km or mi",
            "metadata.layout": "how the display is laid out; closeup has no dial and no speed",
            "metadata.lettering": "language on the panel: zh or en",
            "metadata.trip": "what the trip meter shows, a reading to be confused with the odometer",
            "metadata.range": "the distance left, another such reading",
            "metadata.effects": "of the camera: rotation, perspective, blur, shake, glare, low-light, noise, jpeg",
        },
        items=len(items),
        counts=counted(items),
        digest=digest_of((item.id, item.digest) for item in items),
        notes="A field is null where the panel does not show it; right is then to leave it out or to say so. Drawings "
        "are cleaner and more alike than photographs: a gain here is a reason to look at photographs of your own, and "
        "no proof of one there. A needle is read to about half a mark, so compare speeds with a tolerance. The trip "
        "meter and the distance left are in the metadata, to see whether a wrong answer is one of them.",
    )
