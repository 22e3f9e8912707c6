"""`harness export`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import options
from harness.errors import EXIT_GATE_FAILED, EXIT_INCONCLUSIVE, EXIT_OK

if TYPE_CHECKING:
    from harness.api import Outcome
    from harness.candidates.exported import ExportRecord, ParityVerdict, TaskParity
    from harness.comparison.results import RunIds
    from harness.export.exporting import Exported
    from harness.report.words import Words

#: Flips of each kind that are shown of a task; all of them stand in the record.
SHOWN = 3

_CODES: dict[ParityVerdict, int] = {
    "good": EXIT_OK,
    "drifted": EXIT_GATE_FAILED,
    "unproved": EXIT_INCONCLUSIVE,
}


@options.asks(without={"demo", "repeats", "temperature", "prompt", "max_cost"})
def export(
    candidate: Annotated[str, typer.Argument(metavar="CANDIDATE", help="An adapter: a name, a folder, hf: or ms:.")],
    to: Annotated[str, typer.Option("--to", metavar="TARGET", help="merged16, merged4, gguf:q8_0 or gguf:q4_k_m.")],
    asking: options.Asking,
    suite: Annotated[str, typer.Option("--suite", metavar="NAME|FILE", help="Whose questions are asked.")] = "medical",
    output: Annotated[
        Path | None, typer.Option("--output", metavar="DIR", help="Its folder [default: exports/CANDIDATE-TARGET].")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Take the place of an earlier export.")] = False,
    json: options.Json = None,
) -> int:
    """Merge an adapter into its base for serving, and prove that the result still answers as the adapter does.

    Adapter and export are asked the suite on one engine. A good export is registered in harness.yaml; one that
    drifted stays in its folder, marked. GGUF needs llama.cpp's tools (on PATH or in $LLAMA_CPP); it is held against
    its adapter beside the merge that it was made from, through transformers.

    Exit codes: 0 good; 1 drifted; 2 wrong input; 3 too many answers failed; 4 made, but not proved.
    """
    from harness.cli.outputs import Outputs, quiet_stdout

    outputs = Outputs.of(json=json)
    request = asking.request([candidate], suite)
    from harness.candidates.workspace import load_workspace
    from harness.cli.asking import progress
    from harness.export.exporting import export as make
    from harness.export.exporting import prepare
    from harness.export.targets import target_of
    from harness.report.words import words

    prepared = prepare(candidate, target_of(to), load_workspace(), request, output=output, overwrite=replace)
    with quiet_stdout(outputs.stdout), progress(asking.language) as shown:
        exported = make(prepared, shown, lambda clause: typer.echo(f"{clause} …", err=True))
    outputs.write("--json", exported.record.to_json())
    _tell(exported, prepared.place, words(asking.language), stderr=outputs.stdout)
    parity = exported.record.parity
    assert parity is not None
    return _CODES[parity.verdict]


def _tell(exported: Exported, place: Path, words: Words, *, stderr: bool) -> None:
    from harness.cli.tables import print_facts, print_table

    record = exported.record
    parity = record.parity
    assert parity is not None
    facts = [
        ("export", str(place)),
        ("made from", f"{record.parent.name} ({record.parent.adapter_digest[:12]}): {record.method}"),
    ]
    if record.parent.prompt not in ("chat", "plain"):
        facts.append(
            ("note", f"it was trained on the prompt format {record.parent.prompt}: servers have to ask it like that")
        )
    print_facts(facts, stderr=stderr)
    stages = [("merge", record.merged)] if record.merged is not None else []
    stages.append(("export", parity))
    for (stage, found), compared in zip(stages, exported.outcome.comparison.comparisons, strict=True):
        rows = [_row(task, words) for task in found.tasks]
        header = ("task", "metric", "n", "adapter", stage, words.verdict, "same answers", "lost", "gained")
        print_table(header, rows, stderr=stderr)
        for task in found.tasks:
            _tell_flips(task, stage, exported.outcome, compared.run_ids, stderr=stderr)
        print_facts([("likelihoods", found.likelihoods)], stderr=stderr)
    print_facts(_conclusion(record, exported.registered), stderr=stderr)


def _row(task: TaskParity, words: Words) -> list[str]:
    from harness.report.numbers import share

    def shown(value: float | None) -> str:
        return "" if value is None else share(value)

    verdict = words.verdicts.get(task.verdict, task.verdict)  # type: ignore[call-overload]
    same = f"{task.same} of {task.asked} ({share(task.same / max(task.asked, 1))})"
    return [
        task.task, task.metric, str(task.n), shown(task.adapter), shown(task.export), verdict, same,
        str(len(task.lost)), str(len(task.gained)),
    ]  # fmt: skip


def _tell_flips(task: TaskParity, stage: str, outcome: Outcome, run_ids: RunIds, *, stderr: bool) -> None:
    """The items that an export has lost or gained, with what both said."""
    from harness.cli.tables import print_facts

    (loaded,) = (loaded for loaded in outcome.plan.tasks if loaded.task.name == task.task)
    texts = [
        {sample.item_id: sample.output for sample in outcome.samples[run] if sample.task == task.task}
        for run in (run_ids.base, run_ids.candidate)
    ]
    for kind, items in (("lost", task.lost), ("gained", task.gained)):
        for item_id in items[:SHOWN]:
            item = loaded.goldset.by_id[item_id]
            print_facts(
                [
                    (f"{kind}  ", f"{task.task}/{item_id}: {item.text}"),
                    ("  gold", " / ".join(item.answer)),
                    ("  adapter", texts[0][item_id]),
                    (f"  {stage}", texts[1][item_id]),
                ],
                stderr=stderr,
            )
        if len(items) > SHOWN:
            print_facts([(kind, f"{task.task}: {len(items) - SHOWN} more in export.json")], stderr=stderr)


def _conclusion(record: ExportRecord, registered: Path | None) -> list[tuple[str, str]]:
    parity = record.parity
    assert parity is not None
    if parity.verdict == "good":
        return [
            ("verdict", f"good: it answers as {record.parent.name} does"),
            ("candidate", f"{record.name!r} in {registered}"),
            ("next", f"harness compare BASE {record.parent.name} {record.name} --suite {parity.suite}"),
        ]
    if parity.verdict == "drifted":
        return [
            *(("drifted", reason) for reason in parity.reasons),
            ("verdict", "drifted: do not deploy it. It is marked in export.json and not in harness.yaml"),
            ("to do", _TO_DO.format(parent=record.parent.name)),
        ]
    return [
        *(("unproved", reason) for reason in parity.reasons),
        ("verdict", "not proved: nobody has seen it answer as its adapter does. It is not in harness.yaml"),
        ("to do", "Record what your server answers and compare: harness compare "
         f"{record.parent.name} replay:answers.jsonl --suite …"),
    ]  # fmt: skip


_TO_DO = (
    "check that the base is the very one {parent} was trained on (harness candidates doctor {parent}), export again "
    "with --replace, or serve the adapter on its base."
)
