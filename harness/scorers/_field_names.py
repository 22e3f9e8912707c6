"""What fields are called in answers, in Chinese and English.

A gold set's own name for a field always counts. The names here are added to it, and those that a suite gives.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from harness.text import HAN, normalise

ALIASES: Mapping[str, tuple[str, ...]] = {
    "odometer": (
        "odo", "mileage", "total mileage", "total distance", "odometer reading", "总里程", "总里程数", "里程表",
        "里程表读数", "里程", "里程数", "累计里程", "行驶里程", "总行驶里程", "总公里数", "公里数",
    ),
    "unit": ("units", "odometer unit", "单位", "里程单位"),
    "speed": ("current speed", "vehicle speed", "车速", "速度", "时速", "当前车速"),
    "time": ("clock", "时间", "时钟", "当前时间"),
    "temperature": (
        "temp", "outside temperature", "outside temp", "ambient temperature", "温度", "外温", "车外温度", "室外温度",
        "气温", "环境温度",
    ),
    "gear": ("gear position", "档位", "挡位"),
    "company": (
        "company name", "merchant", "vendor", "seller", "store", "公司", "公司名称", "商户", "商户名称", "商家",
        "店名",
    ),
    "date": ("日期", "交易日期", "开票日期"),
    "address": ("地址", "商户地址"),
    "total": ("total amount", "grand total", "amount", "总计", "合计", "总额", "总金额", "金额"),
}  # fmt: skip

#: Names that hold an alias of the field and mean something else: read as names of nothing.
NOT_MEANT: Mapping[str, tuple[str, ...]] = {
    "odometer": (
        "trip odometer", "trip mileage", "短途里程", "单次里程", "小计里程", "本次里程", "续航里程", "剩余里程",
        "续驶里程", "可续航里程", "可行驶里程", "保养里程",
    ),
    "speed": ("average speed", "engine speed", "speed limit", "平均车速", "平均速度", "转速", "限速"),
    "time": ("travel time", "driving time", "trip time", "行驶时间"),
    "temperature": (
        "coolant temperature", "engine temperature", "oil temperature", "water temperature", "coolant temp",
        "water temp", "水温", "油温", "冷却液温度", "发动机温度",
    ),
    "total": ("sub total", "sub-total", "total tax", "tax total", "total rounded"),
}  # fmt: skip

_IN_BRACKETS = re.compile(r"\([^()]*\)\s*$")
_SEPARATORS = re.compile(r"[\s_\-]+")


def key_of(name: str) -> str:
    """A name without differences of form: `Odometer_Reading` and `odometer reading`, `总里程（ODO）` and `总里程`."""
    plain = normalise(name)
    return _SEPARATORS.sub(" ", _IN_BRACKETS.sub("", plain)).strip() or plain


@dataclass(frozen=True)
class Names:
    """The names that one item's fields go by.

    Attributes:
        fields: names of the item's fields, as the gold set writes them.
        aliases: the suite's own names, by field.
    """

    fields: tuple[str, ...]
    aliases: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @cached_property
    def by_key(self) -> Mapping[str, str]:
        """Field by name. A field's own name goes before another's alias, the suite's aliases before those here."""
        own = dict(self.aliases)
        found: dict[str, str] = {}
        for named in ({f: (f,) for f in self.fields}, own, ALIASES):
            for field in self.fields:
                for name in named.get(field, ()):
                    found.setdefault(key_of(name), field)
        return found

    @cached_property
    def in_prose(self) -> re.Pattern[str]:
        """Finds names in normalised text, the longest where several begin; those `NOT_MEANT` are found as well."""
        others = {key_of(name) for field in self.fields for name in NOT_MEANT.get(field, ())}
        return re.compile("|".join(_patterns(others | set(self.by_key))) or r"(?!)")

    def field(self, found: str) -> str | None:
        """The field that a name means; None for another thing."""
        return self.by_key.get(key_of(found))


def _patterns(keys: Iterable[str]) -> list[str]:
    return [_bounded(key) for key in sorted(keys, key=lambda key: (-len(key), key)) if key]


def _bounded(key: str) -> str:
    # Latin words stand alone ("total" is not in "totally"); Chinese has no word boundaries.
    text = re.escape(key).replace(r"\ ", r"[\s_\-]?")
    left = "" if re.match(f"[{HAN}]", key) else r"(?<![a-z0-9_])"
    right = "" if re.search(f"[{HAN}]$", key) else r"(?![a-z0-9])"
    return f"{left}{text}{right}"
