"""Does the adapter change anything? Fine-tunes that were never applied look like fine-tunes that taught nothing."""

from __future__ import annotations

from harness.candidates.adapter import AdapterFolder
from harness.doctor.finding import Finding
from harness.doctor.material import references
from harness.doctor.numbers import distance, show
from harness.doctor.probe import Reporting, Run, Subject, worst
from harness.doctor.weights import AdapterWeights, base_layers, is_tower, stem
from harness.engines.vllm_start import unservable
from harness.runs.samples import Sample

#: An adapter whose log-probabilities are at most this many times as far from the base's as the base's own are in
#: another batching has no effect that anyone could see. Two runs of pure noise differ from each other by up to √2 of
#: what one differs from the truth; 2 leaves room for the tails of 20 answers.
NOISE_FACTOR = 2.0

#: Nats a token below which a difference is rounding, even where the base repeats itself to the last bit.
FLOOR = 1e-6

#: Layers that may be untrained (a zero B matrix) before it is worth a word: a few are ordinary (experts never chosen).
UNTRAINED = 0.5

_OTHER_ENGINE = "Use --engine transformers."
_UNTRAINED_REMEDY = "Train again and check that the loss falls and that the saved adapter is the trained one."


class AdapterHasEffect(Reporting):
    """Zero matrices, ignored tensors, and log-probabilities no further from the base than the base is from itself."""

    name = "adapter-has-effect"

    def read(self, subject: Subject) -> Finding:
        """See `Probe.read`."""
        adapter = subject.adapter
        if adapter is None:
            return self.finding("skip", "the candidate has no adapter")
        weights = AdapterWeights(adapter)
        return worst(self.name, [self._trained(adapter, weights), *self._ignored(subject, adapter, weights)])

    def _trained(self, adapter: AdapterFolder, weights: AdapterWeights) -> Finding:
        if broken := weights.broken():
            return self.finding(
                "fail",
                f"{len(broken)} tensors of the adapter hold NaN or infinity ({broken[0]})",
                "Training diverged: lower the learning rate, or train in bfloat16 instead of float16.",
            )
        total = len(weights.modules)
        if not total:
            if weights.others:
                return self.finding("pass", f"the adapter holds {len(weights.others)} tensors, none of them LoRA")
            return self.finding("fail", "the adapter holds no tensors", _UNTRAINED_REMEDY)
        if adapter.config.get("lora_alpha") == 0:
            return self.finding("fail", "lora_alpha is 0: the adapter is multiplied by zero", _UNTRAINED_REMEDY)
        dead = weights.dead()
        if len(dead) == total and not weights.others:
            return self.finding(
                "fail", f"the B matrices of all {total} adapted layers are zero: it is the base", _UNTRAINED_REMEDY
            )
        if len(dead) > UNTRAINED * total:
            return self.finding(
                "warn", f"{len(dead)} of {total} adapted layers were never trained (zero matrices)", _UNTRAINED_REMEDY
            )
        return self.finding("pass", f"{total - len(dead)} of {total} adapted layers are trained")

    def _ignored(self, subject: Subject, adapter: AdapterFolder, weights: AdapterWeights) -> list[Finding]:
        """What the engine would leave out without a word."""
        assert subject.model is not None
        found = []
        layers = list(weights.modules)
        left = layers

        def leave_out(gone: list[str], why: str, remedy: str) -> None:
            nonlocal left
            if gone:
                left = [layer for layer in left if layer not in set(gone)]
                told = f"{len(gone)} of the adapter's {len(layers)} layers {why} ({gone[0]})"
                found.append(self.finding("fail" if len(gone) == len(layers) else "warn", told, remedy))

        known = base_layers(subject.model.model)
        # Experts are stored one by one in some checkpoints and fused in others: their names prove nothing.
        absent = [layer for layer in left if known and ".experts" not in layer and stem(layer) not in known]
        leave_out(absent, "have no counterpart in the base", "Give the base it was trained on with --base PATH.")
        engine = subject.group.choice.name if subject.group else ""
        if engine == "vllm":
            if why := unservable(adapter.config):
                found.append(self.finding("fail", f"vLLM does not apply it as it was trained: {why}", _OTHER_ENGINE))
            if not subject.plan.settings.arguments(engine).get("enable_tower_connector_lora"):
                towers = [layer for layer in left if is_tower(layer)]
                leave_out(towers, "belong to a vision or audio tower, which vLLM leaves out", _OTHER_ENGINE)
        targets = adapter.config.get("target_modules")
        if engine == "transformers" and isinstance(targets, list) and not adapter.config.get("target_parameters"):
            strays = [layer for layer in left if not any(layer == t or layer.endswith(f".{t}") for t in targets)]
            leave_out(
                strays,
                "are not among target_modules of adapter_config.json, so PEFT leaves them out",
                "Restore the adapter_config.json that training saved.",
            )
        return found

    def ask(self, subject: Subject, run: Run) -> Finding:
        """See `Probe.ask`."""
        adapter = subject.engine_adapter()
        if adapter is None:
            return self.finding("skip", "the candidate has no adapter")
        asked = references(subject, run)
        same, of = self._same_answers(subject, run)
        alike = f"; {same} of {of} answers are the same as the base's" if of else ""
        if not asked:
            if of >= 20 and same == of:
                return self.finding("warn", f"all {of} answers are the same as the base's", _UNTRAINED_REMEDY)
            return self.finding("skip", "no reference answer fits in the engine")
        engine = run.runner.engine_of(subject.index)
        plain = [r.after(None) for r in asked]
        base = engine.logprobs(plain)
        # One at a time and in reverse: the batching furthest from the first.
        again = [engine.logprobs([c], variant="again")[0] for c in reversed(plain)][::-1]
        candidate = engine.logprobs([r.after(adapter) for r in asked])
        effect, noise = distance(candidate, base), distance(again, base)
        told = (
            f"reference answers are {show(effect)} nat/token from the base's, which is {show(noise)} from itself in "
            f"another batching ({len(asked)} answers, {sum(map(len, base))} tokens)"
        )
        if effect <= max(NOISE_FACTOR * noise, FLOOR):
            return self.finding(
                "fail",
                f"the adapter has no effect: {told}{alike}",
                "Check that this is the adapter that was trained and that it was trained at all.",
            )
        return self.finding("pass", told + (f"; yet all {of} answers are the same" if of and same == of else ""))

    def _same_answers(self, subject: Subject, run: Run) -> tuple[int, int]:
        """How many answers equal the base's, of how many to the same prompts, where candidate 0 is the bare base."""
        first = subject.plan.candidates[0]
        if first.fingerprint.model != subject.planned.fingerprint.model or first.fingerprint.adapter is not None:
            return 0, 0
        pairs: list[tuple[Sample, Sample]] = [
            (one, other)
            for one, other in zip(run.answers.samples[0], run.answers.samples[subject.index], strict=True)
            if not one.error and not other.error and one.prompt == other.prompt
        ]
        return sum(one.output == other.output for one, other in pairs), len(pairs)
