"""Options that several commands share, and the request they make."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from harness.errors import InputError, did_you_mean
from harness.report.words import Language, language_of

if TYPE_CHECKING:
    from harness.api import Request
    from harness.suites.spec import Suite


class Engine(StrEnum):
    """What answers."""

    auto = "auto"
    vllm = "vllm"
    transformers = "transformers"


class Lang(StrEnum):
    """Languages of the reports."""

    en = "en"
    zh = "zh"


SuiteName = Annotated[str, typer.Option("--suite", help="A suite's name, or its file.", metavar="NAME|FILE")]
Base = Annotated[str | None, typer.Option("--base", help="The model that adapters are put on.", metavar="PATH")]
Demo = Annotated[bool, typer.Option("--demo", help="Use the packaged demo's harness.yaml.")]
Prompt = Annotated[
    str | None,
    typer.Option("--prompt", help="'suite' asks everybody in the suite's format.", metavar="suite|FORMAT"),
]
LanguageOption = Annotated[
    Lang | None, typer.Option("--lang", help="Language of the report [default: by LC_ALL or LANG].")
]
Store = Annotated[
    str | None, typer.Option("--store", help="Folder or URL of the run store.", metavar="DIR", show_default=False)
]
EngineOption = Annotated[Engine, typer.Option("--engine", help="What answers.")]
Limit = Annotated[int | None, typer.Option("--limit", help="At most this many items a task.", metavar="N")]
Seed = Annotated[int, typer.Option("--seed", help="Decides what a limit draws, sampled answers and resampling.")]
Alpha = Annotated[float, typer.Option("--alpha", help="Two-sided level of tests and intervals.")]
Repeats = Annotated[int, typer.Option("--repeats", help="Answers to each question.", metavar="K")]
Temperature = Annotated[
    float | None,
    typer.Option("--temperature", help="Of sampling; 0 is greedy decoding [default: as the tasks say].", metavar="T"),
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Generate again what is stored already.")]
MaxCost = Annotated[
    float | None,
    typer.Option("--max-cost", help="What endpoints may charge; their prices stand in harness.yaml.", metavar="AMOUNT"),
]
Goldsets = Annotated[
    list[str] | None,
    typer.Option("--goldset", help="A local copy of a gold set; may be given again.", metavar="NAME=PATH"),
]
Json = Annotated[str | None, typer.Option("--json", help="Write JSON ('-': to stdout).", metavar="FILE|-")]
Markdown = Annotated[str | None, typer.Option("--markdown", help="Write a pull-request comment.", metavar="FILE|-")]
Html = Annotated[str | None, typer.Option("--html", help="Write a page for the release review.", metavar="FILE")]
Junit = Annotated[str | None, typer.Option("--junit", help="Write JUnit XML for CI.", metavar="FILE|-")]


def language(chosen: Lang | None) -> Language:
    """The language asked for, else the environment's."""
    return language_of() if chosen is None else language_of(chosen.value)


def goldset_copies(given: list[str] | None) -> dict[str, str]:
    """`--goldset NAME=PATH` as name -> absolute path.

    Raises:
        InputError: not of that form, twice the same name, or no such file.
    """
    found: dict[str, str] = {}
    for text in given or ():
        name, equals, path = text.partition("=")
        if not (name and equals and path):
            raise InputError(f"{text!r} is not NAME=PATH", where="--goldset", remedy="Write --goldset medical-qa=FILE.")
        if name in found:
            raise InputError(f"{name!r} is given twice", where="--goldset")
        if not Path(path).exists():  # a folder works too: all its files
            raise InputError(f"the file {path!r} does not exist", where=f"--goldset {name}")
        found[name] = str(Path(path).resolve())
    return found


@dataclass(frozen=True, kw_only=True)
class Asking:
    """How candidates are asked: the options of every command that asks questions."""

    limit: Limit = None
    engine: EngineOption = Engine.auto
    alpha: Alpha = 0.05
    seed: Seed = 0
    repeats: Repeats = 1
    temperature: Temperature = None
    fresh: Fresh = False
    store: Store = None
    base_path: Base = None
    demo: Demo = False
    prompt: Prompt = None
    goldset: Goldsets = None
    max_cost: MaxCost = None
    lang: LanguageOption = None

    @property
    def language(self) -> Language:
        """The language asked for, else the environment's."""
        return language(self.lang)

    def check(self) -> None:
        """Refuse what only the command line can get wrong.

        Raises:
            InputError: an option out of its range.
        """
        if self.limit is not None and self.limit < 1:
            raise InputError(
                f"must be at least 1, not {self.limit}", where="--limit", remedy="Leave it out to ask every item."
            )
        if self.repeats < 1:
            raise InputError(f"must be at least 1, not {self.repeats}", where="--repeats")
        if self.temperature is not None and not 0.0 <= self.temperature < float("inf"):
            raise InputError(
                f"must be 0 or above, not {self.temperature:g}", where="--temperature", remedy="0 is greedy decoding."
            )
        if not 0.0 < self.alpha < 1.0:
            raise InputError(f"must lie between 0 and 1, not {self.alpha:g}", where="--alpha", remedy="0.05 is usual.")
        if self.max_cost is not None and self.max_cost <= 0:
            raise InputError(f"must be more than 0, not {self.max_cost:g}", where="--max-cost")

    def request(self, references: list[str], suite: str | Suite) -> Request:
        """A request of the API.

        Raises:
            InputError: an option out of its range, or a local copy of a gold set that the suite does not ask.
        """
        from harness.api import Request

        self.check()
        return Request(
            references=tuple(references),
            suite=suite,
            limit=self.limit,
            engine=self.engine.value,
            seed=self.seed,
            repeats=self.repeats,
            temperature=self.temperature,
            alpha=self.alpha,
            fresh=self.fresh,
            store=self.store,
            base=self.base_path,
            demo=self.demo,
            prompt=self.prompt,
            goldsets=_copies_for(suite, self.goldset),
            max_cost=self.max_cost,
        )


def asks(*, without: Collection[str] = (), **defaults: Any) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Decorate a command: in place of its parameter `asking: Asking`, the command line shows Asking's options.

    Args:
        without: options that make no sense for this command.
        defaults: other defaults than Asking's.
    """

    def expand(command: Callable[..., int]) -> Callable[..., int]:
        own = inspect.signature(command, eval_str=True)
        types = get_type_hints(Asking, include_extras=True)
        options = [
            inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=defaults.get(field.name, field.default),
                annotation=types[field.name],
            )
            for field in fields(Asking)
            if field.name not in without
        ]

        @functools.wraps(command)
        def run(**given: Any) -> int:
            return command(asking=Asking(**{option.name: given.pop(option.name) for option in options}), **given)

        shown: list[inspect.Parameter] = []
        for parameter in own.parameters.values():
            shown += options if parameter.name == "asking" else [parameter.replace(kind=parameter.KEYWORD_ONLY)]
        # Typer reads both.
        run.__dict__["__signature__"] = own.replace(parameters=shown)
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in shown} | {"return": int}
        return run

    return expand


def _copies_for(suite: str | Suite, given: list[str] | None) -> dict[str, str]:
    from harness.suites.spec import Suite, load_suite

    copies = goldset_copies(given)
    if not copies:
        return {}
    asked = suite if isinstance(suite, Suite) else load_suite(suite)[0]
    used = {task.goldset for task in asked.tasks}
    for name in copies:
        if name not in used:
            raise InputError(
                f"suite {asked.name!r} asks no gold set {name!r}", where="--goldset", remedy=did_you_mean(name, used)
            )
    return copies
