"""`harness candidates list|show|doctor`."""

from __future__ import annotations

from typing import Annotated

import typer

from harness.cli import options
from harness.errors import EXIT_GATE_FAILED, EXIT_OK, InputError

TrainData = Annotated[
    list[str] | None,
    typer.Option(
        "--train-data",
        help="What it was trained on: rows of text, or of input_ids and labels (also a save_to_disk folder); may be "
        "given again.",
        metavar="PATH",
    ),
]
TrainLog = Annotated[
    str | None,
    typer.Option("--train-log", help="trainer_state.json, or the output folder that holds one.", metavar="PATH"),
]
Longest = Annotated[
    int | None, typer.Option("--max-seq-length", help="Tokens that training cut its examples to.", metavar="N")
]
#: Characters of a finding that are shown: what was seen, an example, and what to do.
_DETAIL = 1000

Explain = Annotated[
    str | None, typer.Option("--explain", help="Print the page on a probe instead of examining.", metavar="PROBE")
]


def list_(demo: options.Demo = False) -> int:
    """The candidates of harness.yaml."""
    from harness.candidates.workspace import load_workspace
    from harness.cli.tables import print_table

    workspace = load_workspace(demo=demo)
    if workspace.file is None:
        typer.echo("There is no harness.yaml here. A folder or replay:PATH needs none; --demo shows the packaged demo.")
        return EXIT_OK
    rows = []
    for name, entry in workspace.content.candidates.items():
        kind = "adapter" if entry.adapter else "recorded" if entry.replay else "endpoint" if entry.endpoint else "model"
        place = entry.endpoint.label if entry.endpoint else entry.adapter or entry.replay or entry.model or ""
        rows.append([name, kind, place, entry.base or ""])
    print_table(("name", "kind", "where", "base"), rows)
    return EXIT_OK


def show(
    candidate: Annotated[str, typer.Argument(metavar="CANDIDATE", help="As for compare.")],
    base_path: options.Base = None,
    demo: options.Demo = False,
) -> int:
    """What a reference stands for: its files, its identity and what was noticed about it."""
    from harness.candidates.candidate import EndpointCandidate, ModelCandidate
    from harness.candidates.fingerprint import fingerprint
    from harness.candidates.reference import resolve
    from harness.candidates.workspace import load_workspace
    from harness.cli.tables import print_facts

    found = resolve(candidate, load_workspace(demo=demo), base=base_path)
    print_ = fingerprint(found)
    facts = [("name", found.name), ("identity", print_.digest)]
    if isinstance(found, ModelCandidate):
        form = found.format()
        facts += [("model", str(found.model)), ("model digest", print_.model), ("tokenizer", print_.tokenizer or "")]
        if found.adapter is not None:
            facts += [
                ("adapter", str(found.adapter.path)),
                ("adapter digest", print_.adapter or ""),
                ("rank", str(found.adapter.rank)),
                ("trained on", found.adapter.base_name or "not said"),
            ]
        facts += [("prompt format", form.name), ("quantization", found.quantization or "none")]
        facts += [("note", note) for note in (form.note,) if note]
    elif isinstance(found, EndpointCandidate):
        facts += [("asked at", found.endpoint.url), ("model", found.endpoint.model), ("api", found.endpoint.api)]
        facts.append(("note", "the weights behind a URL have no digest here: they are asked anew each time"))
    else:
        facts.append(("recorded in", str(found.path)))
    print_facts(facts)
    return EXIT_OK


@options.asks(without={"alpha", "repeats", "temperature", "max_cost"}, limit=32)
def doctor(
    asking: options.Asking,
    candidate: Annotated[list[str] | None, typer.Argument(metavar="CANDIDATE...", help="Who is examined.")] = None,
    suite: Annotated[str, typer.Option("--suite", metavar="NAME|FILE", help="Whose questions are asked.")] = "medical",
    train_data: TrainData = None,
    train_log: TrainLog = None,
    max_seq_length: Longest = None,
    explain: Explain = None,
) -> int:
    """Look for silent failures of CANDIDATE beside its own bare base, on a few items of a suite.

    All probes, with the second engine where it is installed (vLLM against PEFT). Nothing but answers is stored. What a
    notebook trained with is looked at where it is given; a candidate of 'harness train' remembers it.

    Exit codes: 0 nothing failed; 1 a probe failed; 2 wrong input.
    """
    if explain is not None:
        from harness.doctor.pages import page

        typer.echo(page(explain, asking.language))
        return EXIT_OK
    if not candidate:
        raise InputError("says nobody to examine", where="CANDIDATE", remedy="Name one, or ask --explain PROBE.")
    request = asking.request(candidate, suite)
    from harness import api
    from harness.cli.asking import progress
    from harness.cli.tables import print_table
    from harness.doctor.training_evidence import TrainingFiles
    from harness.report.words import words

    given = any(option is not None for option in (train_data, train_log, max_seq_length))
    training = TrainingFiles.find(train_data or (), train_log, max_seq_length) if given else None
    with progress(asking.language) as shown:
        found = api.examine(request, shown, training=training)
    statuses, more = words(asking.language).statuses, words(asking.language).explained
    for name, findings in found.items():
        print_table((name, "", ""), [[f.probe, statuses[f.status], f.text] for f in findings], cell=_DETAIL)
        for finding in findings:
            if finding.status in ("warn", "fail"):
                typer.echo(f"{finding.probe}: {more.format(probe=finding.probe)}")
    failed = any(finding.status == "fail" for findings in found.values() for finding in findings)
    return EXIT_GATE_FAILED if failed else EXIT_OK
