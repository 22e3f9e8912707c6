"""Comparisons of recordings, and the two answers as a scripted judge is shown them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from harness.cli import main
from tests.engines.endpoint.server import Reply, chat, question

JUDGE = Reply(content={"data": [{"id": "judge"}]})
SUITE = {
    "name": "open",
    "tasks": [
        {"name": "qa", "role": "target", "goldset": "qa.jsonl", "scorers": ["contains"], "primary": "contains",
         "margin": 0.05},
    ],
}  # fmt: skip

RIGHT = "应当是答{n}。"
SHORT = "说不清楚。"
LONG = "这个问题我说不清楚，也许都有可能，需要进一步检查。"


def wrong(n: int) -> str:
    return SHORT if n % 2 else LONG


def make_comparison(
    items: int,
    base: Callable[[int], str],
    tuned: Callable[[int], str],
    more: Callable[[int], dict[str, Any]] = lambda n: {},
) -> str:
    """In the working folder; returns the comparison's id.

    Args:
        more: further keys of an item.
    """
    rows = [{"id": f"q{n}", "question": f"第{n}题：答案是什么？", "answer": f"答{n}"} | more(n) for n in range(items)]
    sides = {
        name: [{"item_id": f"q{n}", "output": answer(n)} for n in range(items)]
        for name, answer in (("base", base), ("tuned", tuned))
    }
    for name, lines in {"qa": rows, **sides}.items():
        Path(f"{name}.jsonl").write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    Path("open.yaml").write_text(yaml.safe_dump(SUITE))
    assert main(["compare", "replay:base.jsonl", "replay:tuned.jsonl", "--suite", "open.yaml", "--json", "c.json"]) == 0
    return str(json.loads(Path("c.json").read_text())["id"])


def number_of(text: str) -> int:
    """Which item it is."""
    found = re.search(r"第(\d+)题", text)
    assert found is not None
    return int(found[1])


def sides(body: dict[str, Any]) -> tuple[str, str]:
    """The two answers as the judge is shown them."""
    text = question(body)
    found = re.findall(r"<<<answer ([AB]) [0-9a-f]{12}>>>\n(.*?)\n<<<end of answer \1 [0-9a-f]{12}>>>", text, re.S)
    assert [label for label, _ in found] == ["A", "B"]
    return found[0][1], found[1][1]


def one(body: dict[str, Any]) -> str:
    """The answer that is to be graded."""
    found = re.findall(r"<<<answer [0-9a-f]{12}>>>\n(.*?)\n<<<end of answer [0-9a-f]{12}>>>", question(body), re.S)
    assert len(found) == 1
    return str(found[0])


def gold(body: dict[str, Any]) -> str:
    found = re.search(r"<<<reference [0-9a-f]{12}>>>\n(.*?)\n", question(body))
    assert found is not None
    return found[1]


def fair(body: dict[str, Any], nth: int = 0) -> Reply:
    """Prefers what names the right answer, which it is shown."""
    first, second = sides(body)
    verdict = "A" if gold(body) in first else "B" if gold(body) in second else "平局"
    return chat(f"甲提到……乙没有。结论：A？再想想。\n结论：{verdict}", model="judge")
