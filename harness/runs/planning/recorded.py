"""What is looked up in recorded outputs."""

from __future__ import annotations

from harness.candidates.candidate import ReplayCandidate
from harness.candidates.fingerprint import Fingerprint
from harness.engines.base import Request, Sampling
from harness.engines.replay import ReplayEngine
from harness.runs.plan import Asked, CandidatePlan, LoadedTask, Options


def look_up(
    candidate: ReplayCandidate,
    recording: ReplayEngine,
    print_: Fingerprint,
    tasks: tuple[LoadedTask, ...],
    options: Options,
) -> CandidatePlan:
    """Every question to a recording, by item."""
    asked = []
    for loaded in tasks:
        for item in loaded.items:
            for repeat in range(options.repeats):
                # Recorded outputs are read each time and never stored, so the key is only a label.
                key = f"{print_.model}:{loaded.task.name}:{item.id}:{repeat}"
                request = Request(key, item.id, loaded.task.name, repeat, Sampling())
                asked.append(Asked(loaded.task.name, item, repeat, "", request))
    notes = recording.notes
    if recording.repeats > options.repeats:
        notes += (f"holds up to {recording.repeats} answers to an item; --repeats {recording.repeats} uses them all",)
    return CandidatePlan(candidate, print_, tuple(asked), "recorded", notes, recording)
