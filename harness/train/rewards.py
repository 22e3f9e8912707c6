"""What an answer is worth while training with GRPO: the scorers' own rewards, or a function of the user's."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from harness.digest import digest_file
from harness.errors import InputError, did_you_mean
from harness.scorers.rewards import REWARDS

_OWN = "py:"


class RewardFunction(Protocol):
    """A text and the gold answer to a number."""

    def __call__(self, text: str, gold: str) -> float: ...


@dataclass(frozen=True)
class Reward:
    """One reward of a training.

    Attributes:
        name: shown in logs.
        file, function: of a function of the user's; None for one of `harness.scorers.rewards`.
        digest: SHA-256 of that file.
    """

    name: str
    weight: float
    file: Path | None = None
    function: str = ""
    digest: str = ""

    def load(self) -> RewardFunction:
        """The function itself. A user's own is checked with every call: what is no finite number stops training.

        Raises:
            InputError: the file cannot be imported, or holds no such function.
        """
        if self.file is None:
            return REWARDS[self.name][0]
        return _Checked(_function(self.file, self.function), self.name)


def find_rewards(weights: Mapping[str, float], folder: Path) -> tuple[Reward, ...]:
    """The rewards of a config, each seen to exist.

    Args:
        weights: by name: one of `harness.scorers.rewards.REWARDS`, or `py:FILE.py:FUNCTION`.
        folder: where relative files start.

    Raises:
        InputError: an unknown name, or a file or function that is not there.
    """
    found = []
    for name, weight in weights.items():
        if not name.startswith(_OWN):
            if name not in REWARDS:
                raise InputError(
                    f"unknown reward {name!r}",
                    where="rewards",
                    remedy=f"{did_you_mean(name, REWARDS)} A function of your own is py:FILE.py:FUNCTION.",
                )
            found.append(Reward(name, weight))
            continue
        file, colon, function = name.removeprefix(_OWN).rpartition(":")
        if not colon:
            raise InputError(f"{name!r} names no function", where="rewards", remedy="Write py:FILE.py:FUNCTION.")
        path = folder / file
        if not path.is_file():
            raise InputError("there is no such file", where=str(path))
        reward = Reward(function, weight, path, function, digest_file(path))
        reward.load()
        found.append(reward)
    names = [reward.name for reward in found]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise InputError(f"two rewards are called {twice!r}", where="rewards", remedy="Rename one function.")
    return tuple(found)


class _Checked:
    """A user's function, with an error that says whose it is."""

    def __init__(self, function: RewardFunction, name: str) -> None:
        self._function = function
        self.name = name

    def __call__(self, text: str, gold: str) -> float:
        try:
            value = self._function(text, gold)
        except Exception as error:  # whatever it is, it is the user's
            raise InputError(
                f"raised {type(error).__name__}: {error}", where=f"reward {self.name!r}", remedy=f"Given: {text[:80]!r}"
            ) from error
        if not isinstance(value, int | float) or not math.isfinite(value):
            raise InputError(f"gave {value!r}, which is no finite number", where=f"reward {self.name!r}")
        return float(value)


def _function(file: Path, name: str) -> Any:
    import importlib.util

    spec = importlib.util.spec_from_file_location(f"harness_reward_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # a user's file may do anything
        raise InputError(f"cannot be imported ({type(error).__name__}: {error})", where=str(file)) from error
    function = getattr(module, name, None)
    if not callable(function):
        known = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        raise InputError(f"holds no function {name!r}", where=str(file), remedy=did_you_mean(name, known))
    return function
