"""Options that several commands share, and the request they make."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
Seed = Annotated[int, typer.Option("--seed", help="Decides which items a limit draws, and all resampling.")]
Alpha = Annotated[float, typer.Option("--alpha", help="Two-sided level of tests and intervals.")]
Repeats = Annotated[int, typer.Option("--repeats", help="Answers to each item.", metavar="K")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Generate again what is stored already.")]
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
        if not Path(path).is_file():
            raise InputError(f"the file {path!r} does not exist", where=f"--goldset {name}")
        found[name] = str(Path(path).resolve())
    return found


def make_request(
    references: list[str],
    suite: str | Suite,
    *,
    base: str | None = None,
    demo: bool = False,
    prompt: str | None = None,
    store: str | None = None,
    engine: Engine = Engine.auto,
    limit: int | None = None,
    seed: int = 0,
    alpha: float = 0.05,
    repeats: int = 1,
    fresh: bool = False,
    goldset: list[str] | None = None,
) -> Request:
    """A request of the API, with what only the command line can get wrong checked."""
    from harness.api import Request
    from harness.suites.spec import Suite, load_suite

    if limit is not None and limit < 1:
        raise InputError(f"must be at least 1, not {limit}", where="--limit", remedy="Leave it out to ask every item.")
    if repeats < 1:
        raise InputError(f"must be at least 1, not {repeats}", where="--repeats")
    if not 0.0 < alpha < 1.0:
        raise InputError(f"must lie between 0 and 1, not {alpha:g}", where="--alpha", remedy="0.05 is usual.")
    copies = goldset_copies(goldset)
    if copies:
        asked = suite if isinstance(suite, Suite) else load_suite(suite)[0]
        used = {task.goldset for task in asked.tasks}
        for name in copies:
            if name not in used:
                raise InputError(
                    f"suite {asked.name!r} asks no gold set {name!r}",
                    where="--goldset",
                    remedy=did_you_mean(name, used),
                )
    return Request(
        references=tuple(references),
        suite=suite,
        limit=limit,
        engine=engine.value,
        seed=seed,
        repeats=repeats,
        alpha=alpha,
        fresh=fresh,
        store=store,
        base=base,
        demo=demo,
        prompt=prompt,
        goldsets=copies,
    )
