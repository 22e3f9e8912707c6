"""`harness review`."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import options
from harness.errors import EXIT_GATE_FAILED, EXIT_INCONCLUSIVE, EXIT_OK, InputError

if TYPE_CHECKING:
    from harness.release.release import CandidateReview, Release
    from harness.release.signoffs import Decision
    from harness.report.words import Language

#: What `--gate` exits with; of several candidates the worst, rejected before open.
_CODES = {"rejected": EXIT_GATE_FAILED, "open": EXIT_INCONCLUSIVE, "approved": EXIT_OK}


class Verdict(StrEnum):
    """What is decided."""

    approve = "approve"
    reject = "reject"


_DECISIONS: dict[Verdict, Decision] = {Verdict.approve: "approve", Verdict.reject: "reject"}


def review(
    comparison: Annotated[str, typer.Argument(metavar="COMPARISON", help="Its id in the store.")],
    sign: Annotated[str | None, typer.Option("--sign", metavar="NAME", help="Sign by this name.")] = None,
    decision: Annotated[Verdict | None, typer.Option("--decision", help="Left out: a note alone.")] = None,
    note: Annotated[
        str, typer.Option("--note", metavar="TEXT", help="Needed to approve what the gate did not pass.")
    ] = "",
    candidate: Annotated[
        str | None, typer.Option("--candidate", metavar="NAME", help="Where the comparison has several.")
    ] = None,
    gate: Annotated[bool, typer.Option("--gate", help="Exit 1 when rejected, 4 when nobody has approved.")] = False,
    html: options.Html = None,
    store: options.Store = None,
    demo: options.Demo = False,
    goldset: options.Goldsets = None,
    lang: options.LanguageOption = None,
) -> int:
    """The release review: the checklist of a stored comparison, and who signed it off.

    With --sign it is signed: an entry is added to signoffs.jsonl beside the comparison, which names the content that
    was signed. Nothing is ever taken out. The same person may decide again; one rejection that stands outweighs every
    approval.

    Exit codes: 0 done; 2 wrong input; with --gate also 1 rejected and 4 not signed off.
    """
    from harness.cli.outputs import Outputs

    outputs = Outputs.of(html=html)
    if sign is None and (decision is not None or note):
        raise InputError("says nothing without a name", where="--decision, --note", remedy="Add --sign NAME.")
    from harness.candidates.workspace import load_workspace
    from harness.release.page import render_release
    from harness.release.release import open_release
    from harness.release.signoffs import sign as add
    from harness.runs.files import RunStore

    workspace = load_workspace(demo=demo)
    place = store or workspace.store
    copies = {**workspace.goldsets, **options.goldset_copies(goldset)}

    def opened() -> Release:
        return open_release(comparison, place, copies, workspace.here, texts=html is not None)

    found = opened()
    chosen = _chosen(found, candidate, needed=sign is not None)
    if sign is not None:
        (one,) = chosen
        decided: Decision | None = None if decision is None else _DECISIONS[decision]
        add(RunStore(place), comparison, candidate=one.candidate, name=sign, decision=decided, note=note, gate=one.gate)
        found = opened()
        chosen = _chosen(found, candidate, needed=True)
    outputs.write("--html", render_release(found, options.language(lang)))
    _print(found, chosen, options.language(lang))
    codes = [_CODES[one.state] for one in chosen]
    return next(code for code in (EXIT_GATE_FAILED, EXIT_INCONCLUSIVE, EXIT_OK) if code in codes) if gate else EXIT_OK


def _chosen(release: Release, candidate: str | None, *, needed: bool) -> list[CandidateReview]:
    names = [one.candidate for one in release.candidates]
    if candidate is None and needed and len(names) > 1:
        remedy = f"Name one of {', '.join(names)}."
        raise InputError(f"the comparison has {len(names)} candidates", where="--candidate", remedy=remedy)
    if candidate is not None and candidate not in names:
        remedy = f"It has {', '.join(names)}."
        raise InputError(f"the comparison has no candidate {candidate!r}", where="--candidate", remedy=remedy)
    return [one for one in release.candidates if candidate in (None, one.candidate)]


def _print(release: Release, chosen: list[CandidateReview], language: Language) -> None:
    from rich.text import Text

    from harness.cli.console import open_console
    from harness.cli.tables import print_table
    from harness.release.page import SYMBOLS, decision_word, headline
    from harness.release.words import release_words
    from harness.report.words import words

    shown, say = words(language), release_words(language)
    console = open_console()
    colours = {"pass": "green", "fail": "bold red", "unsure": "yellow", "look": "yellow"}
    comparison = release.comparison
    for one in chosen:
        title = shown.title.format(suite=comparison.suite, base=comparison.base, candidate=one.view.name)
        console.print(Text(f"\n{title}", style="bold"))
        for check in one.checks:
            mark = Text(f"{SYMBOLS[check.status]} {say.statuses[check.status]}", style=colours[check.status])
            line = f"  {say.kinds[check.kind]}  {check.name[language]}: {check.says[language]}"
            console.print(mark.append(line, style="default not bold"))
        if one.signed:
            console.print()
            print_table(
                (say.decision, say.who, say.when, say.note, ""),
                [
                    [
                        decision_word(signed, say),
                        signed.entry.name,
                        f"{signed.entry.created:%Y-%m-%d %H:%M}",
                        signed.entry.note,
                        say.invalid if not signed.valid else say.superseded if signed.superseded else "",
                    ]
                    for signed in one.signed
                ],
                cell=200,
            )
        ok = one.state == "approved" and not one.against_gate
        style = "bold green" if ok else "bold yellow" if one.state == "open" else "bold red"
        console.print(Text(f"\n{headline(one, say)}", style=style))
    if release.broken:
        console.print(Text(say.broken.format(count=len(release.broken)), style="bold red"))
