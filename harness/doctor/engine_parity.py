"""Do vLLM and transformers say the same? A fault in how one of them applies an adapter shows as disagreement."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from harness.doctor.finding import Finding
from harness.doctor.material import references
from harness.doctor.numbers import distance, show
from harness.doctor.probe import Logprobs, Reporting, Run, Subject
from harness.engines.select import choose_engine, open_engine
from harness.errors import HarnessError
from harness.runs.runner import Runner, engine_spec
from harness.runs.stored_engine import StoredEngine

#: Disagreement about the candidate beyond this many times the disagreement about its base needs an explanation: the
#: adapter's own arithmetic adds rounding (PEFT computes LoRA in float32, vLLM in the model's type), but not this much.
NOISE_FACTOR = 3.0

#: Nats a token that are rounding in any engine.
FLOOR = 1e-3

#: Disagreement of this share of what the adapter does at all is a fault: it is applied in part, twice or not at all.
OF_EFFECT = 0.1

_REMEDY = (
    "Trust transformers with PEFT, which trained it; look at adapter_config.json (target_modules, scaling), and do not "
    "deploy on the other until they agree."
)


class EngineParity(Reporting):
    """Log-probabilities of reference answers in one engine against the other, measured by the base's disagreement."""

    name = "engine-parity"

    def read(self, subject: Subject) -> Finding:
        """See `Probe.read`."""
        return self.finding("skip", "only engines can tell")

    def ask(self, subject: Subject, run: Run) -> Finding:
        """See `Probe.ask`. The engine of the run is closed before the other is opened."""
        adapter = subject.engine_adapter()
        if adapter is None:
            return self.finding("skip", "the candidate has no adapter")
        asked = references(subject, run)
        if not asked:
            return self.finding("skip", "no reference answer fits in the engine")
        plain, adapted = [r.after(None) for r in asked], [r.after(adapter) for r in asked]
        engine = run.runner.engine_of(subject.index)
        base, candidate = engine.logprobs(plain), engine.logprobs(adapted)
        engine.close()
        opened = run.other() if run.other else _the_other(subject, run.runner)
        try:
            with opened as (name, other):
                other_base, other_candidate = other.logprobs(plain), other.logprobs(adapted)
        except HarnessError as error:
            return self.finding("skip", f"the other engine cannot be asked: {error}")
        noise, apart = distance(base, other_base), distance(candidate, other_candidate)
        effect = distance(candidate, base)
        told = (
            f"{engine.name} and {name} differ by {show(apart)} nat/token on the candidate and by {show(noise)} on its "
            f"base; the adapter moves {show(effect)} ({len(asked)} answers, {sum(map(len, base))} tokens)"
        )
        if apart <= max(NOISE_FACTOR * noise, FLOOR):
            return self.finding("pass", told)
        # An engine that leaves the adapter out shows as no effect in one of the two.
        moved = max(effect, distance(other_candidate, other_base))
        return self.finding("fail" if apart > OF_EFFECT * moved else "warn", told, _REMEDY)


@contextmanager
def _the_other(subject: Subject, runner: Runner) -> Iterator[tuple[str, Logprobs]]:
    """The engine that did not answer, over the same store: what it said once is not asked again.

    Raises:
        HarnessError: it is not installed, cannot serve this adapter or does not start.
    """
    plan, group = subject.plan, subject.group
    assert group is not None
    assert subject.model is not None
    adapter = subject.model.adapter
    name = "transformers" if group.choice.name == "vllm" else "vllm"
    settings = plan.settings.model_copy(
        # `args` was written for whichever engine answered; what is written for the other one is its own.
        update={"name": name, "dtype": group.choice.dtype, "args": {}}
    )
    adapters = {subject.model.name: adapter.config} if adapter else {}
    choice = choose_engine(settings, adapters, model=group.model)
    if choice.device != group.choice.device:
        raise HarnessError(f"{choice.name} would run on another device ({choice.device}, not {group.choice.device})")
    identity = replace(group.identity, engine=choice.name, args=settings.arguments(choice.name))
    # All members for the same window, but only this adapter: another's may be one that this engine cannot serve.
    spec = engine_spec(replace(group, choice=choice), [plan.candidates[m] for m in group.members], plan)
    own = subject.engine_adapter()
    spec = replace(spec, settings=settings, adapters=(own,) if own else ())

    def started(seconds: float | None) -> None:
        if seconds is None:
            runner.progress.starting(choice.name, f"to compare it with {group.choice.name}; {choice.reason}")
        else:
            runner.progress.started(choice.name, seconds)

    engine = StoredEngine(identity, lambda: open_engine(choice, spec), choice.version, runner.store, on_start=started)
    try:
        yield choice.name, engine
    finally:
        engine.close()
