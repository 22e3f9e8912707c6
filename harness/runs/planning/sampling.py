"""How a candidate's answers to a task are drawn."""

from __future__ import annotations

from harness.candidates.workspace import SamplingOverrides
from harness.engines.base import Sampling
from harness.runs.plan import Options
from harness.suites.spec import Task

#: Sampling of a request whose options are weighed: none.
WEIGHED = Sampling(max_tokens=1)


def sampling_of(overrides: SamplingOverrides, task: Task, options: Options) -> Sampling:
    """The task's generation settings, with what a candidate overrides.

    The temperature of the options goes before the task's, and what the candidate states before both.
    """
    values = task.generation.model_dump()
    if options.temperature is not None:
        values["temperature"] = options.temperature
    values.update(overrides.model_dump(exclude_none=True))
    # Greedy decoding has no seed: the same question must have the same key whatever the seed of the comparison.
    return Sampling(**values, seed=options.seed if values["temperature"] > 0 else 0)
