"""What one instrument panel shows, and how panels are drawn from a seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

SEED = 20261122
EACH_TIER = 40

Tier = Literal["easy", "medium", "hard"]
Display = Literal["lcd", "drum", "screen"]
Unit = Literal["km", "mi"]
Lamp = Literal["arrow-left", "arrow-right", "engine", "battery", "beam", "brake", "door"]
TIERS: tuple[Tier, ...] = get_args(Tier)
LAMPS: tuple[Lamp, ...] = get_args(Lamp)

#: display -> ways of laying it out; `closeup` shows no dial.
LAYOUTS: dict[Display, tuple[str, ...]] = {
    "lcd": ("dial", "twin", "closeup"),
    "drum": ("single", "twin", "closeup"),
    "screen": ("centre", "side"),
}
# Displays of the panels of a tier, in turn: 16 LCDs, 12 drums and 12 screens of 40.
_DISPLAYS: tuple[Display, ...] = ("lcd", "drum", "screen", "lcd", "drum", "screen", "lcd", "drum", "screen", "lcd")

#: How far the last wheel may have turned on. Below a half, so that the digit on its way out is still the larger.
LARGEST_WHEEL = {"easy": 0.15, "medium": 0.3, "hard": 0.45}


@dataclass(frozen=True, slots=True)
class Camera:
    """How the panel was photographed.

    Attributes:
        turn: rotation in degrees, counter-clockwise.
        lean: how far the far side is away, as a share of the height (perspective).
        blur: radius of the defocus in pixels.
        shake: length of the motion blur in pixels.
        glare: opacity of the reflection, 0 for none; `spot` is where it lies, in shares of width and height.
        light: brightness, 1 for as it is.
        noise: amplitude of the sensor noise in grey levels.
        quality: of the JPEG file.
    """

    turn: float = 0.0
    lean: float = 0.0
    blur: float = 0.0
    shake: int = 0
    glare: float = 0.0
    spot: tuple[float, float] = (0.5, 0.5)
    light: float = 1.0
    noise: int = 0
    quality: int = 85

    @property
    def effects(self) -> tuple[str, ...]:
        """Names of what makes the picture harder to read."""
        named = {
            "rotation": abs(self.turn) >= 2,
            "perspective": self.lean > 0,
            "blur": self.blur > 0,
            "shake": self.shake > 0,
            "glare": self.glare > 0,
            "low-light": self.light < 0.8,
            "noise": self.noise >= 8,
            "jpeg": self.quality < 70,
        }
        return tuple(name for name, on in named.items() if on)


@dataclass(frozen=True, slots=True)
class Panel:
    """Everything that one picture shows; None for what it does not show.

    Attributes:
        odometer: the reading; on drums the last wheel may have turned on by `wheel` of a digit.
        wheels: places of the odometer, with leading zeros on drums and on some LCDs.
        speed: in km/h or mph, after `unit`; `dial_end` is the end of an analogue dial.
        clock: as shown, `12:30` or `3:05 PM`.
        temperature: in degrees Celsius, or Fahrenheit.
        range_left: the distance that the tank is good for, a reading to be confused with the odometer.
        theme: which colours.
        swapped: the trip meter stands before the odometer.
    """

    name: str
    tier: Tier
    display: Display
    layout: str
    language: Literal["zh", "en"]
    unit: Unit
    odometer: int
    wheels: int
    wheel: float
    trip: str | None
    speed: int | None
    dial_end: int
    gear: str | None
    clock: str | None
    temperature: int | None
    fahrenheit: bool
    range_left: int | None
    lamps: tuple[Lamp, ...]
    theme: int
    swapped: bool
    camera: Camera

    @property
    def fields(self) -> dict[str, Any]:
        """The gold readings; null for what is not shown."""
        speed_unit = "km/h" if self.unit == "km" else "mph"
        degrees = "°F" if self.fahrenheit else "°C"
        return {
            "odometer": self.odometer,
            "unit": self.unit,
            "speed": None if self.speed is None else f"{self.speed} {speed_unit}",
            "time": self.clock,
            "temperature": None if self.temperature is None else f"{self.temperature} {degrees}",
            "gear": self.gear,
        }


def panels() -> Iterator[Panel]:
    """All panels of the gold set, the same at every call."""
    for tier in TIERS:
        for number in range(EACH_TIER):
            yield _panel(tier, number, random.Random(f"{SEED}:{tier}:{number}"))


def _panel(tier: Tier, number: int, rng: random.Random) -> Panel:
    display = _DISPLAYS[number % len(_DISPLAYS)]
    layout = LAYOUTS[display][number // 3 % len(LAYOUTS[display])]
    language: Literal["zh", "en"] = "zh" if number % 2 == 0 else "en"
    unit: Unit = "mi" if rng.random() < (0.2 if language == "zh" else 0.5) else "km"
    fahrenheit = unit == "mi" and rng.random() < 0.7
    gear = None if rng.random() < (0.7 if display == "drum" else 0.1) else rng.choice("PPRNDDDDD")
    speed = None if layout == "closeup" else _speed(gear, unit, rng)
    odometer = _odometer(rng)
    wheels = 6 if display == "drum" else rng.choice((1, 6))
    shown = {"drum": 0.35, "lcd": 0.8, "screen": 0.8}[display]
    clock = _clock(rng, twelve=fahrenheit) if rng.random() < shown else None
    temperature = rng.randint(-18, 38) if rng.random() < shown else None
    if temperature is not None and fahrenheit:
        temperature = round(temperature * 9 / 5 + 32)
    trip = f"{rng.randint(0, 999)}.{rng.randint(0, 9)}" if rng.random() < 0.85 else None
    return Panel(
        name=f"odo-{tier}-{number + 1:03d}",
        tier=tier,
        display=display,
        layout=layout,
        language=language,
        unit=unit,
        odometer=odometer,
        wheels=wheels,
        wheel=round(rng.uniform(0.0, LARGEST_WHEEL[tier]), 2) if display == "drum" else 0.0,
        trip=trip,
        speed=speed,
        dial_end=rng.choice((180, 220, 240)) if unit == "km" else rng.choice((120, 140, 160)),
        gear=gear,
        clock=clock,
        temperature=temperature,
        fahrenheit=fahrenheit,
        range_left=rng.randint(30, 780) if display != "drum" and rng.random() < 0.5 else None,
        lamps=tuple(rng.sample(LAMPS, rng.randint(0, 3))),
        theme=rng.randrange(6),
        swapped=rng.random() < 0.5,
        camera=_camera(tier, rng),
    )


def _odometer(rng: random.Random) -> int:
    """Readings of every size, so that the number of places is nothing to go by; one in six is about to roll over."""
    reading = rng.randrange(10 ** (rng.choice((3, 4, 5, 5, 5, 6, 6)) - 1), 1_000_000)
    reading %= 10 ** rng.choice((4, 5, 5, 5, 6, 6))
    if rng.random() < 1 / 6:
        reading = reading // 10 * 10 + 9
    return max(reading, 11)


def _speed(gear: str | None, unit: Unit, rng: random.Random) -> int:
    if gear in ("P", "N"):
        return 0
    if gear == "R":
        return rng.randint(1, 9)
    return rng.randint(8, 130) if unit == "km" else rng.randint(5, 85)


def _clock(rng: random.Random, *, twelve: bool) -> str:
    hour, minute = rng.randrange(24), rng.randrange(60)
    if twelve:
        return f"{(hour - 1) % 12 + 1}:{minute:02d} {'AM' if hour < 12 else 'PM'}"
    return f"{hour:02d}:{minute:02d}"


def _camera(tier: Tier, rng: random.Random) -> Camera:
    spot = (round(rng.uniform(0.15, 0.85), 2), round(rng.uniform(0.1, 0.9), 2))
    side = rng.choice((-1, 1))
    if tier == "easy":
        return Camera(turn=round(rng.uniform(-1, 1), 1), spot=spot, noise=2, quality=80)
    done: dict[str, Any] = {}
    if tier == "medium":
        mild = {
            "turn": round(side * rng.uniform(2, 5), 1),
            "blur": round(rng.uniform(0.5, 0.8), 2),
            "glare": round(rng.uniform(0.25, 0.4), 2),
            "light": round(rng.uniform(0.55, 0.7), 2),
        }
        done = {name: mild[name] for name in rng.sample(sorted(mild), 2)}
        return Camera(**done, spot=spot, noise=5, quality=70)
    strong = {
        "turn": round(side * rng.uniform(4, 9), 1),
        "lean": round(rng.uniform(0.06, 0.14), 2),
        "blur": round(rng.uniform(0.9, 1.3), 2),
        "shake": rng.randint(3, 5),
        "glare": round(rng.uniform(0.45, 0.65), 2),
        "light": round(rng.uniform(0.36, 0.5), 2),
    }
    chosen = rng.sample(sorted(strong), 3)
    if "blur" in chosen and "shake" in chosen:  # both together leave nothing to read
        chosen[chosen.index("shake")] = next(name for name in sorted(strong) if name not in chosen)
    done = {name: strong[name] for name in chosen}
    return Camera(**done, spot=spot, noise=12, quality=46)
