"""Word problems and bare sums, with worked solutions, split by their numbers.

Which split a problem belongs to is decided by its operands alone (`bucket`), whatever the template and the order.
A training example must stand on the training side with its question *and* with every expression of its worked
solution, so that no operand tuple of a gold problem is ever seen, not even as a step of a longer one.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from harness.demo.arithmetic_templates import NAMES, OBJECTS, TEMPLATES

Split = Literal["train", "dev", "gold"]
Tier = Literal["easy", "medium", "hard"]
TIERS: tuple[Tier, ...] = ("easy", "medium", "hard")

_EXPRESSION = re.compile(r"(\d+)[-+×÷](\d+)")
_NUMBER = re.compile(r"\d+")


@cache
def bucket(operands: tuple[int, ...]) -> Split:
    """The split that owns these operands. Tables (7×8, 56÷8, anything with a round ten) are for training only."""
    if len(operands) == 2 and _tabular(min(operands), max(operands)):
        return "train"
    key = ",".join(str(n) for n in sorted(operands))
    share = hashlib.sha256(f"harness-demo:{key}".encode()).digest()[0]
    return "gold" if share < 31 else "dev" if share < 51 else "train"


def _tabular(low: int, high: int) -> bool:
    return high < 13 or low % 10 == 0 or high % 10 == 0 or (low > 0 and high % low == 0 and high // low < 10)


def expressions(text: str) -> list[tuple[int, ...]]:
    """The operand pairs written in a worked solution."""
    return [(int(a), int(b)) for a, b in _EXPRESSION.findall(text)]


def add(a: int, b: int) -> str:
    return f"{a}+{b}={a + b}"


def sub(a: int, b: int) -> str:
    return f"{a}-{b}={a - b}"


def mul(a: int, b: int) -> str:
    """By tens and units where that helps: 23×4=80+12=92."""
    if 10 < a < 100 and a % 10 and b < 10:
        return f"{a}×{b}={a // 10 * 10 * b}+{a % 10 * b}={a * b}"
    return f"{a}×{b}={a * b}"


def div(a: int, b: int) -> str:
    """By tens and units where that helps: 92÷4=(80+12)÷4=20+3=23."""
    q = a // b
    if 10 < q < 100 and q % 10 and b < 10:
        tens, units = q // 10 * 10, q % 10
        return f"{a}÷{b}=({tens * b}+{units * b})÷{b}={tens}+{units}={q}"
    return f"{a}÷{b}={q}"


@dataclass(frozen=True)
class Kind:
    """A family of problems: how its numbers are drawn and how it is worked."""

    tier: Tier
    draw: Callable[[random.Random], tuple[int, ...] | None]
    work: Callable[..., list[str]]


def _draw_add(r: random.Random) -> tuple[int, ...]:
    return r.randint(3, 99), r.randint(3, 99)


def _draw_sub(r: random.Random) -> tuple[int, ...]:
    a = r.randint(11, 99)
    return a, r.randint(2, a - 1)


def _draw_mul(r: random.Random) -> tuple[int, ...]:
    return r.randint(11, 49), r.randint(2, 9)


def _draw_div(r: random.Random) -> tuple[int, ...]:
    b = r.randint(2, 9)
    return b * r.randint(11, 29), b


def _draw_add_sub(r: random.Random) -> tuple[int, ...]:
    a, b = r.randint(12, 60), r.randint(12, 39)
    return a, b, r.randint(5, a + b - 2)


def _draw_mul_add(r: random.Random) -> tuple[int, ...]:
    return r.randint(11, 39), r.randint(2, 9), r.randint(5, 99)


def _draw_mul_sub(r: random.Random) -> tuple[int, ...]:
    a, b = r.randint(11, 39), r.randint(2, 9)
    return a, b, r.randint(3, a * b - 2)


def _draw_add_mul(r: random.Random) -> tuple[int, ...]:
    return r.randint(6, 24), r.randint(6, 24), r.randint(2, 9)


def _draw_sub_div(r: random.Random) -> tuple[int, ...]:
    c = r.randint(2, 9)
    b = r.randint(5, 40)
    return b + c * r.randint(11, 19), b, c


def _draw_discount(r: random.Random) -> tuple[int, ...] | None:
    price, off, count = 20 * r.randint(4, 24), 5 * r.randint(1, 8), r.randint(2, 6)
    paid = 100 * r.randint(3, 30)
    return (price, off, count, paid) if price * (100 - off) % 100 == 0 and price * count < paid else None


def _work_discount(price: int, off: int, count: int, paid: int) -> list[str]:
    cut = price * off // 100
    return [
        f"{price}×{off}%={cut}",
        sub(price, cut),
        f"{price - cut}×{count}={(price - cut) * count}",
        sub(paid, (price - cut) * count),
    ]


def _draw_pages(r: random.Random) -> tuple[int, ...] | None:
    pages, first, second = r.randint(80, 480), r.randint(3, 6), r.randint(3, 5)
    left = pages - pages // first
    return (pages, first, second) if pages % first == 0 and left % second == 0 and first != second else None


def _work_pages(pages: int, first: int, second: int) -> list[str]:
    one = pages // first
    two = (pages - one) // second
    return [
        f"{pages}×1/{first}={one}",
        sub(pages, one),
        f"{pages - one}×1/{second}={two}",
        sub(pages - one, two),
    ]


def _draw_output(r: random.Random) -> tuple[int, ...] | None:
    first, up, down = 40 * r.randint(5, 40), 5 * r.randint(2, 10), 5 * r.randint(1, 8)
    if first * up % 100:
        return None
    second = first + first * up // 100
    return (first, up, down) if second * down % 100 == 0 and up != down else None


def _work_output(first: int, up: int, down: int) -> list[str]:
    second = first * (100 + up) // 100
    third = second * (100 - down) // 100
    return [
        f"{first}×(1+{up}%)={second}",
        f"{second}×(1-{down}%)={third}",
        f"{first}+{second}+{third}={first + second + third}",
    ]


def _draw_garden(r: random.Random) -> tuple[int, ...] | None:
    wide = r.randint(12, 38)
    return wide + r.randint(3, 28), wide, r.randint(6, 25), r.randint(26, 48)


def _work_garden(long: int, wide: int, grass: int, fence: int) -> list[str]:
    area, round_ = long * wide, 2 * (long + wide)
    return [
        f"{long}×{wide}={area}",
        f"{area}×{grass}={area * grass}",
        f"({long}+{wide})×2={round_}",
        f"{round_}×{fence}={round_ * fence}",
        add(area * grass, round_ * fence),
    ]


def _draw_work(r: random.Random) -> tuple[int, ...] | None:
    a, b, hours = r.randint(34, 95), r.randint(34, 95), r.randint(4, 12)
    left = 4 * r.randint(20, 90)
    return ((a + b) * hours + left, a, b, hours) if a != b else None


def _work_work(total: int, a: int, b: int, hours: int) -> list[str]:
    return [
        add(a, b),
        f"{a + b}×{hours}={(a + b) * hours}",
        sub(total, (a + b) * hours),
        f"{total - (a + b) * hours}÷4={(total - (a + b) * hours) // 4}",
    ]


def _draw_ratio(r: random.Random) -> tuple[int, ...] | None:
    a, b = r.randint(2, 5), r.randint(6, 9)
    return (a + b) * r.randint(13, 45), a, b, r.randint(11, 36)


def _work_ratio(total: int, a: int, b: int, price: int) -> list[str]:
    share = total // (a + b)
    return [
        add(a, b),
        f"{total}÷{a + b}={share}",
        f"({b}-{a})×{share}={(b - a) * share}",
        f"{(b - a) * share}×{price}={(b - a) * share * price}",
    ]


def _draw_interest(r: random.Random) -> tuple[int, ...] | None:
    return 500 * r.randint(5, 60), r.randint(2, 6), r.randint(2, 5), r.randint(120, 990)


def _work_interest(money: int, rate: int, years: int, spent: int) -> list[str]:
    yearly = money * rate // 100
    total = money + yearly * years
    return [
        f"{money}×{rate}%={yearly}",
        f"{yearly}×{years}={yearly * years}",
        add(money, yearly * years),
        sub(total, spent),
    ]


def _draw_average(r: random.Random) -> tuple[int, ...] | None:
    n, m, a, b = r.randint(12, 40), r.randint(12, 40), r.randint(61, 79), r.randint(80, 98)
    return (n, a, m, b) if (n * a + m * b) % (n + m) == 0 and n != m else None


def _work_average(n: int, a: int, m: int, b: int) -> list[str]:
    return [
        f"{n}×{a}={n * a}",
        f"{m}×{b}={m * b}",
        add(n * a, m * b),
        add(n, m),
        f"{n * a + m * b}÷{n + m}={(n * a + m * b) // (n + m)}",
    ]


KINDS: dict[str, Kind] = {
    "add": Kind("easy", _draw_add, lambda a, b: [add(a, b)]),
    "sub": Kind("easy", _draw_sub, lambda a, b: [sub(a, b)]),
    "mul": Kind("easy", _draw_mul, lambda a, b: [mul(a, b)]),
    "div": Kind("easy", _draw_div, lambda a, b: [div(a, b)]),
    "add-sub": Kind("medium", _draw_add_sub, lambda a, b, c: [add(a, b), sub(a + b, c)]),
    "mul-add": Kind("medium", _draw_mul_add, lambda a, b, c: [mul(a, b), add(a * b, c)]),
    "mul-sub": Kind("medium", _draw_mul_sub, lambda a, b, c: [mul(a, b), sub(a * b, c)]),
    "add-mul": Kind("medium", _draw_add_mul, lambda a, b, c: [add(a, b), mul(a + b, c)]),
    "sub-div": Kind("medium", _draw_sub_div, lambda a, b, c: [sub(a, b), div(a - b, c)]),
    "discount": Kind("hard", _draw_discount, _work_discount),
    "pages": Kind("hard", _draw_pages, _work_pages),
    "output": Kind("hard", _draw_output, _work_output),
    "garden": Kind("hard", _draw_garden, _work_garden),
    "work": Kind("hard", _draw_work, _work_work),
    "ratio": Kind("hard", _draw_ratio, _work_ratio),
    "interest": Kind("hard", _draw_interest, _work_interest),
    "average": Kind("hard", _draw_average, _work_average),
}


@dataclass(frozen=True)
class Problem:
    """A word problem with its worked solution."""

    question: str
    solution: str
    language: Literal["zh", "en"]
    tier: Tier
    kind: str
    operands: tuple[int, ...]


def templates(tier: Tier, language: Literal["zh", "en"]) -> list[tuple[str, str]]:
    """(kind, text) of every template of a tier in a language."""
    return [(kind, text) for kind, lang, text in TEMPLATES if lang == language and KINDS[kind].tier == tier]


def make(kind: str, text: str, language: Literal["zh", "en"], split: Split, rng: random.Random) -> Problem:
    """A problem of a kind whose numbers belong to `split`."""
    while True:
        operands = KINDS[kind].draw(rng)
        if operands is None:
            continue
        lines = KINDS[kind].work(*operands)
        answer = lines[-1].rsplit("=", 1)[1]
        solution = "\n".join([*lines, f"#### {answer}"])
        first, second = rng.sample(NAMES[language], 2)
        thing = rng.choice(OBJECTS[language])
        letters = dict(zip("abcd", operands, strict=False))
        question = text.format(n=first, m=second, o=thing, **letters)
        asked = tuple(sorted(int(n) for n in _NUMBER.findall(question)))
        if bucket(asked) != split:
            continue
        if split == "train" and any(bucket(pair) != "train" for pair in expressions(solution)):
            continue
        return Problem(question, solution, language, KINDS[kind].tier, kind, asked)


def problems(tier: Tier, split: Split, each_language: int, rng: random.Random) -> list[Problem]:
    """Distinct problems of one tier, spread evenly over its templates; operands repeat only when they run out."""
    found: dict[str, Problem] = {}
    languages: tuple[Literal["zh", "en"], ...] = ("zh", "en")
    for language in languages:
        choices: Sequence[tuple[str, str]] = templates(tier, language)
        used: set[tuple[str, tuple[int, ...]]] = set()
        for number in range(each_language):
            kind, text = choices[number % len(choices)]
            tries = 0
            while True:
                problem = make(kind, text, language, split, rng)
                tries += 1
                if problem.question not in found and ((kind, problem.operands) not in used or tries > 200):
                    break
            used.add((kind, problem.operands))
            found[problem.question] = problem
    return list(found.values())


def bare(rng: random.Random) -> str:
    """One worked sum of the training side."""
    while True:
        kind = rng.choice(("add", "add", "sub", "sub", "near", "mul", "mul", "div", "div", "div", "table", "large"))
        if kind == "table":
            a, b = rng.randint(2, 9), rng.randint(2, 9)
            line = rng.choice((mul(a, b), div(a * b, b), mul(a * 10, b), div(a * 10 * b, b)))
        elif kind == "near":
            b = rng.randint(11, 90)
            line = sub(b + rng.randint(1, 12), b)
        elif kind == "large":
            a, b = rng.randint(60, 350), rng.randint(3, 99)
            line = rng.choice((add(a, b), sub(a, b) if a > b else add(a, b)))
        else:
            drawn = KINDS[kind].draw(rng)
            assert drawn is not None
            line = KINDS[kind].work(*drawn)[0]
        if all(bucket(pair) == "train" for pair in expressions(line)):
            return line
