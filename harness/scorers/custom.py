"""Scorers of the user's own: `py:module:function` or `py:path/to/file.py:function`.

    def polite(item, output, word="请"):      # an Item (harness.gold.item), the answer, then any options
        return word in output

What it returns: True, False or a number between 0 and 1; None where it cannot score the item; a `Score`; or a mapping
(or several `Score`s) where it gives several metrics, which it names in an attribute: `polite.metrics = ("a", "b")`. A
single metric has the function's name. One of right and wrong alone is told by the annotation `-> bool` or by
`polite.binary = True`; only then are the tests for paired right-or-wrong answers used.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import math
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from harness.digest import digest_bytes, digest_file
from harness.errors import InputError
from harness.gold.item import Item
from harness.scorers.base import Score

_VERSION = 1
PREFIX = "py:"
_RETURNS = "Return True, False, a number from 0 to 1, None, a Score, or a mapping from metric to one of them."


class Custom(BaseModel):
    """A function of the user's own."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    reference: str = Field(description="py:module:function or py:path/to/file.py:function")
    options: dict[str, Any] = Field(default_factory=dict, description="keyword arguments for the function")
    _function: Callable[..., Any] = PrivateAttr()
    _source: str = PrivateAttr()

    def model_post_init(self, context: Any) -> None:
        """Load the function.

        Raises:
            InputError: it cannot be loaded, or does not take an item, an output and the options.
        """
        self._function, self._source = _load(self.reference)
        try:
            inspect.signature(self._function).bind(None, None, **self.options)
        except TypeError as error:
            raise InputError(
                f"cannot be called with an item, an output and the options {sorted(self.options)}: {error}",
                where=f"scorers: {self.reference}",
                remedy="Write it as: def scorer(item, output, option=default).",
            ) from None
        if not self.metrics or not all(isinstance(metric, str) and metric for metric in self.metrics):
            raise InputError(
                f"its attribute 'metrics' must name at least one metric, not {self.metrics!r}",
                where=f"scorers: {self.reference}",
            )

    @cached_property
    def metrics(self) -> tuple[str, ...]:
        """What the function's attribute `metrics` says, else its own name."""
        declared = getattr(self._function, "metrics", (self._function.__name__,))
        return (declared,) if isinstance(declared, str) else tuple(declared)

    @cached_property
    def signature(self) -> str:
        """The function, its options and a digest of the file it stands in (what that file imports is not in it)."""
        options = json.dumps(self.options, ensure_ascii=False, sort_keys=True, default=str)
        return f"{self.reference}|options:{options}|source:{self._source[:12]}|v:{_VERSION}"

    @property
    def needs_gold(self) -> bool:
        """What the function's attribute `needs_gold` says; false without it, since only the function knows."""
        return bool(getattr(self._function, "needs_gold", False))

    def binary(self, metric: str) -> bool:
        """What the function's attribute `binary` or its annotation says; false without either."""
        declared = getattr(self._function, "binary", None)
        if declared is None:
            return getattr(self._function, "__annotations__", {}).get("return") in (bool, "bool")
        return metric in declared if isinstance(declared, Collection) else bool(declared)

    def score(self, item: Item, output: str) -> tuple[Score, ...]:
        """What the function returns, checked.

        Raises:
            TypeError, ValueError: it returned something else. As for any fault in it, the item is then unscored.
        """
        given = self._function(item, output, **self.options)
        if isinstance(given, Score):
            given = {given.metric: given}
        elif isinstance(given, list | tuple) and given and all(isinstance(one, Score) for one in given):
            given = {one.metric: one for one in given}
        elif not isinstance(given, Mapping):
            if len(self.metrics) > 1:
                raise TypeError(f"it returned {given!r}, but has the metrics {self.metrics}: return a mapping")
            given = {self.metrics[0]: given}
        if unknown := set(given) - set(self.metrics):
            raise TypeError(
                f"it returned the metrics {sorted(map(str, unknown))}, which its attribute 'metrics' does not name"
            )
        return tuple(self._score(metric, given.get(metric), output) for metric in self.metrics)

    def _score(self, metric: str, value: Any, output: str) -> Score:
        if isinstance(value, Score):
            score = value
        elif value is None:
            score = Score(metric, None, note="the function gave no score")
        else:
            score = Score(metric, _number(value), output if output.strip() else None)
        if score.value is None:
            return score
        if not 0.0 <= _number(score.value) <= 1.0:  # NaN is neither
            raise ValueError(f"it returned {score.value!r} for {metric!r}; a score lies between 0 and 1")
        if self.binary(metric) and score.value not in (0.0, 1.0):
            raise ValueError(
                f"it returned {score.value!r} for {metric!r}, which is declared to be right or wrong alone"
            )
        return score


def _number(value: Any) -> float:
    """A number, also one of numpy's or torch's; never a text that looks like one."""
    if not isinstance(value, bool | int | float) and callable(item := getattr(value, "item", None)):
        value = item()
    if not isinstance(value, bool | int | float):
        raise TypeError(f"it returned {value!r} ({type(value).__name__}). {_RETURNS}")
    return float(value) if not isinstance(value, int) or abs(value) < 2**53 else math.inf


# --- loading ----------------------------------------------------------------------------------------------------------

# What each module's file held when it was imported, so that an edited one is imported again (in a notebook).
_imported: dict[str, str] = {}


def _load(reference: str) -> tuple[Callable[..., Any], str]:
    """The function and a digest of the file it stands in."""
    where = f"scorers: {reference}"
    place, colon, name = reference.removeprefix(PREFIX).rpartition(":")
    if not (place and colon and name):
        raise InputError(
            "a scorer of your own is named by module and function",
            where=where,
            remedy="Write py:module:function or py:path/to/file.py:function.",
        )
    try:
        module, source = _from_file(Path(place)) if place.endswith(".py") else _from_module(place)
    except InputError:
        raise
    except Exception as error:  # whatever the user's module does when it is imported
        raise InputError(
            f"{place} cannot be imported: {type(error).__name__}: {error}",
            where=where,
            remedy="Modules are looked for in the current folder and among what is installed.",
        ) from error
    function = getattr(module, name, None)
    if not callable(function) or not hasattr(function, "__name__"):
        raise InputError(f"{place} has no function {name!r}", where=where)
    return function, source or digest_bytes(inspect.getsource(function).encode())


def _from_file(path: Path) -> tuple[ModuleType, str]:
    if not path.is_file():
        raise InputError("no such file", where=str(path.absolute()), remedy="Write py:path/to/file.py:function.")
    source = digest_file(path)
    name = f"_harness_scorer_{digest_bytes(str(path.resolve()).encode())[:12]}_{source[:12]}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        with _importable(path.resolve().parent):
            sys.modules[name] = module
            try:
                spec.loader.exec_module(module)
            except BaseException:
                del sys.modules[name]
                raise
    return sys.modules[name], source


def _from_module(name: str) -> tuple[ModuleType, str]:
    with _importable(Path.cwd()):
        module = importlib.import_module(name)
        file = getattr(module, "__file__", None)
        if file is None or not file.endswith(".py"):
            return module, ""
        source = digest_file(Path(file))
        if _imported.setdefault(name, source) != source:
            module = importlib.reload(module)
            _imported[name] = source
    return module, source


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Modules in `folder` can be imported, as in a script that lies there."""
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
