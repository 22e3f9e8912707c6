"""`harness goldset import`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import options
from harness.errors import EXIT_OK

if TYPE_CHECKING:
    from harness.gold.importers.report import ImportReport

Source = Annotated[
    str,
    typer.Argument(metavar="SRC", help="A file, a folder, a pattern, hf:ORG/NAME[@REV] or ms:ORG/NAME[@REV]."),
]
Name = Annotated[str, typer.Option("--as", help="What the gold set is called.", metavar="NAME")]
Map = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        help="Which columns make which part of an item, or a YAML file that says so [default: guessed].",
        metavar="TARGET=COLUMN,…|FILE",
    ),
]
Into = Annotated[Path, typer.Option("--into", help="Folder that it is written to.", metavar="DIR")]
Licence = Annotated[
    str | None, typer.Option("--licence", help="What the data may be used for [default: what the hub says].")
]
Format = Annotated[
    str,
    typer.Option("--format", help="auto, alpaca, sharegpt, messages or columns: how rows are guessed to be laid out."),
]
Encoding = Annotated[
    str | None, typer.Option("--encoding", help="Of text files, where it cannot be told from them.", metavar="NAME")
]
File = Annotated[str | None, typer.Option("--file", help="Which files of a hub's data set.", metavar="PATH|PATTERN")]
KeepTrivial = Annotated[
    bool, typer.Option("--keep-trivial", help="Keep questions and answers such as '无', which are left out otherwise.")
]
Replace = Annotated[bool, typer.Option("--replace", help="Take the place of a gold set of this name.")]


def import_(
    source: Source,
    name: Name,
    map: Map = None,
    into: Into = Path("goldsets"),
    licence: Licence = None,
    format: Format = "auto",
    encoding: Encoding = None,
    file: File = None,
    keep_trivial: KeepTrivial = False,
    replace: Replace = False,
    json: options.Json = None,
) -> int:
    """Make a gold set of CSV, Excel, JSON, Parquet or hub data; says what became of every row.

    Targets of --map: question, answer, id, choices, incorrect, messages, system, context, fields, images, rubric,
    cluster, metadata.NAME. Columns are joined with +, as in question=title+ask.

    Exit codes: 0 the gold set and its card are written; 2 bad input, nothing is written.
    """
    from harness.cli.map_option import parse_map
    from harness.cli.outputs import Outputs
    from harness.gold.importers.importing import import_goldset

    outputs = Outputs.of(json=json)
    report = import_goldset(
        source,
        name,
        map=parse_map(map) if map else None,
        folder=into,
        licence=licence,
        format=format,
        encoding=encoding,
        file=file,
        keep_trivial=keep_trivial,
        replace=replace,
    )
    if json is not None:
        outputs.write("--json", report.model_dump_json(indent=1, by_alias=True) + "\n")
    _tell(report, stderr=outputs.stdout)
    return EXIT_OK


def _tell(report: ImportReport, *, stderr: bool) -> None:
    from harness.cli.tables import print_facts, print_table

    guessed = "" if report.shape == "columns" else f"{report.shape}: "
    mapped = guessed + ", ".join(f"{target} = {_written(value)}" for target, value in report.map.written().items())
    print_facts([("source", report.source), ("read as", mapped)], stderr=stderr)
    shown = report.files[:_FILES]
    print_table(
        ("file", "kind", "encoding", "rows"),
        [[file.path, file.kind, file.encoding or "", f"{file.rows:,}"] for file in shown],
        stderr=stderr,
    )
    facts = [("", f"and {len(report.files) - len(shown):,} more files")] if len(report.files) > len(shown) else []
    facts.append(("rows", f"{report.rows:,}"))
    if report.duplicates:
        facts.append(("duplicates", _counted(report.duplicates, report.duplicate_examples)))
    facts += [(f"{part.why}", _counted(part.rows, part.examples, part.column)) for part in report.left_out]
    facts.append(("items", f"{report.items:,} ({_languages(report)})"))
    if report.images:
        facts.append(("images", f"{report.images:,}, copied beside the items"))
    facts.append(("licence", report.licence or "unknown"))
    facts += [("warning", warning) for warning in report.warnings]
    facts += [
        ("written", f"{report.goldset} and {report.card}, digest {report.digest[:16]}"),
        ("next", f"harness goldset check {report.goldset}"),
    ]
    print_facts(facts, stderr=stderr)


_FILES = 12


def _counted(rows: int, examples: tuple[str, ...], column: str | None = None) -> str:
    where = f" in column {column!r}" if column is not None else ""
    places = f": {'; '.join(examples)}{'; …' if rows > len(examples) else ''}" if examples else ""
    return f"{rows:,} {'rows' if rows != 1 else 'row'}{where}{places}"


def _languages(report: ImportReport) -> str:
    return ", ".join(f"{language} {count:,}" for language, count in report.languages.items())


def _written(value: object) -> str:
    if isinstance(value, dict):
        if set(value) == {"text"}:
            return repr(value["text"])
        return "{" + ", ".join(f"{key}: {_written(part)}" for key, part in value.items()) + "}"
    return "+".join(map(str, value)) if isinstance(value, list) else str(value)
