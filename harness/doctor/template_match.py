"""Is it asked as it was trained? A fine-tune asked through another template looks broken."""

from __future__ import annotations

from dataclasses import dataclass

from harness.answers.direct import conversation
from harness.candidates.candidate import ModelCandidate
from harness.candidates.prompt import TEXT_FORMATS, ChatFormat, PromptFormat, chat_template
from harness.candidates.tokenizer import PromptTokenizer
from harness.candidates.vision import vision_of
from harness.doctor.finding import Finding
from harness.doctor.material import end_token, engine_room, length, own_format, reference_ids, spread
from harness.doctor.numbers import mean, standard_error
from harness.doctor.probe import Reporting, Run, Subject, worst
from harness.engines.base import Adapter, Continuation
from harness.errors import InputError
from harness.runs.plan import Asked
from harness.runs.stored_engine import StoredEngine

#: Another format wins clearly when reference answers are likelier under it by this many nats a token (a factor of 1.35
#: in probability, per token) and by this many standard errors over the items, and `_trained_with` agrees.
CLEARLY = 0.3
ERRORS = 3.0

#: Nats a token (a chance of one half, per token) from which a model knows an answer rather than guesses at it.
KNOWN = -0.7

#: A token less likely than this is no more informative about the format, and would drown the others.
FLOOR = -7.0

#: Fewer items than this show nothing.
LEAST_ITEMS = 6

#: From this share of prompts on, other token ids are a fault and no oddity of rare characters.
MOST = 0.5

BASE_TEMPLATE = "chat template of the base"


class TemplateMatch(Reporting):
    """Token ids of the prompts against the tokenizer and template of training, and likelihood under other formats."""

    name = "template-match"

    def read(self, subject: Subject) -> Finding:
        """See `Probe.read`."""
        candidate = subject.model
        if candidate is None:
            return self.finding("skip", "its prompts are not written here")
        if candidate.adapter is None:
            return self.finding("skip", "no tokenizer or template was saved apart from the model's own")
        asked = spread(subject.planned.asked)
        if not asked:
            return self.finding("skip", "no prompt can be asked")
        return worst(self.name, [self._tokens(candidate, asked), self._template(subject, candidate, asked)])

    def _tokens(self, candidate: ModelCandidate, asked: list[Asked]) -> Finding:
        """The same text through the tokenizer saved beside the adapter."""
        assert candidate.adapter is not None
        beside = candidate.adapter.path / "tokenizer.json"
        if not beside.is_file() or beside.read_bytes() == (candidate.model / "tokenizer.json").read_bytes():
            return self.finding("pass", "the tokenizer is the base's")
        special = not _writes_special(candidate, asked)
        trained = PromptTokenizer(candidate.adapter.path).encode_batch([a.prompt for a in asked], special=special)
        different = [(a, ids) for a, ids in zip(asked, trained, strict=True) if ids != tuple(a.request.token_ids)]
        if not different:
            return self.finding("pass", f"both tokenizers give the same ids for {len(asked)} prompts")
        one, ids = different[0]
        return self.finding(
            "fail" if len(different) >= MOST * len(asked) else "warn",
            f"{len(different)} of {len(asked)} prompts have other token ids in the tokenizer saved beside the adapter "
            f"(item {one.item.id!r}: {_difference(candidate.tokenizer, one.request.token_ids, ids)})",
            "Serve the adapter with the tokenizer it was trained with.",
        )

    def _template(self, subject: Subject, candidate: ModelCandidate, asked: list[Asked]) -> Finding:
        """What the base's own chat template would have asked."""
        form = _base_chat(subject, candidate)
        if form is None:
            return self.finding("pass", f"asked in the format {subject.planned.prompt_format!r}")
        try:
            texts = _texts(subject, candidate, form, asked)
        except InputError as error:
            return self.finding("warn", f"the base's chat template cannot ask this: {error.what}", _ONE_TEMPLATE)
        different = [(a, text) for a, text in zip(asked, texts, strict=True) if text != a.prompt]
        if not different:
            return self.finding("pass", "the template beside the adapter asks as the base's does")
        one, text = different[0]
        tokenizer = candidate.tokenizer
        return self.finding(
            "warn",
            f"{len(different)} of {len(asked)} prompts differ between the chat template beside the adapter, which is "
            f"used here, and the base's, which servers use (item {one.item.id!r}: "
            f"{_difference(tokenizer, one.request.token_ids, tokenizer.encode(text))})",
            _ONE_TEMPLATE,
        )

    def ask(self, subject: Subject, run: Run) -> Finding:
        """See `Probe.ask`."""
        candidate = subject.model
        if candidate is None:
            return self.finding("skip", "its prompts are not written here")
        known = spread(_best_known(subject))
        tests = _formats(subject, candidate, pictures=any(a.request.images for a in known))
        own = tests[0]
        if len(tests) == 1:
            return self.finding("pass", f"asked in {own.name!r}, the only format here that has a place for pictures")
        asked = [a for a in known if _fits(subject, run, candidate, tests, a)]
        if len(asked) < LEAST_ITEMS:
            return self.finding("skip", f"only {len(asked)} reference answers could be scored")
        engine = run.runner.engine_of(subject.index)
        adapter = subject.engine_adapter()
        trials = [_Trial(subject, candidate, form, asked, as_asked=form is own) for form in tests]
        likelihoods = [trial.likelihood(engine, adapter) for trial in trials]
        here = likelihoods[0]
        better = [[t - h for t, h in zip(there, here, strict=True)] for there in likelihoods]
        # Most likely first.
        order = sorted(range(1, len(tests)), key=lambda k: -mean(better[k]))
        clear = [k for k in order if mean(better[k]) > max(CLEARLY, ERRORS * standard_error(better[k]))]
        bare = [trial.likelihood(engine, None) for trial in trials] if clear and adapter is not None else None
        won = next((k for k in clear if _trained_with(tests[k], k, likelihoods, bare)), None)
        if won is None:
            next_best = f" (next: {tests[order[0]].name}, {mean(better[order[0]]):+.2f})" if order else ""
            return self.finding(
                "pass",
                f"no other format makes reference answers clearly likelier than {mean(here):.2f} nat/token{next_best}",
            )
        form = tests[won]
        told = (
            f"reference answers are {mean(better[won]):.2f} nat/token likelier in the format {form.name!r} than as "
            f"they were asked ({subject.planned.prompt_format!r}, {mean(here):.2f} nat/token, {len(asked)} items): it "
            "was probably trained with that format"
        )
        if form.name == BASE_TEMPLATE:
            # Files and likelihood agree: the template beside the adapter is not the one of training.
            return self.finding("fail", told, "Remove the chat template that is saved beside the adapter.")
        return self.finding("warn", told, f"Say so in harness.yaml: prompt: {form.name}")


def _trained_with(form: PromptFormat, k: int, likelihoods: list[list[float]], bare: list[list[float]] | None) -> bool:
    """Whether training explains that reference answers are likelier in format `k` than as asked (the first).

    A model that is confidently wrong as it is asked is less wrong wherever it is less sure, and a base may find every
    answer likelier after "### Response:". So either the answers are known in that format, or the adapter prefers it
    beyond its base and makes the answers likelier there than the base finds them anywhere. (A chat template is how
    the model is meant to be asked: there its winning is enough.)

    Args:
        likelihoods: by format and item, of the candidate.
        bare: the same of its base without the adapter; None where there is no adapter.
    """
    if isinstance(form, ChatFormat) or mean(likelihoods[k]) >= KNOWN:
        return True
    if bare is None or mean(likelihoods[k]) <= max(mean(values) for values in bare):
        return False
    rows = zip(likelihoods[k], likelihoods[0], bare[k], bare[0], strict=True)
    learned = [(there - here) - (base_there - base_here) for there, here, base_there, base_here in rows]
    return mean(learned) > ERRORS * standard_error(learned)


_ONE_TEMPLATE = "Serve it with the template it was trained with."


@dataclass(frozen=True)
class _Trial:
    """A few questions in one format."""

    subject: Subject
    candidate: ModelCandidate
    form: PromptFormat
    asked: list[Asked]
    as_asked: bool

    def continuations(self, adapter: Adapter | None) -> list[Continuation]:
        end = end_token(self.candidate, self.form)
        return [
            Continuation(ids, reference_ids(self.candidate, a.item, end), adapter, a.request.images)
            for a, ids in zip(self.asked, self.prompts(), strict=True)
        ]

    def prompts(self) -> list[tuple[int, ...]]:
        if self.as_asked:
            return [a.request.token_ids for a in self.asked]
        texts = _texts(self.subject, self.candidate, self.form, self.asked)
        return self.candidate.tokenizer.encode_batch(texts, special=self.form.special)

    def likelihood(self, engine: StoredEngine, adapter: Adapter | None) -> list[float]:
        """Mean log-probability of a token of the reference answer (`FLOOR` at least), by item."""
        return [
            mean([max(value, FLOOR) for value in values]) for values in engine.logprobs(self.continuations(adapter))
        ]


def _formats(subject: Subject, candidate: ModelCandidate, *, pictures: bool) -> list[PromptFormat]:
    """The format asked in, then every other one; with pictures only chat templates: a text has no place for them."""
    own = own_format(subject)
    names = ["chat", *TEXT_FORMATS]
    others = [candidate.format(name) for name in names if name != own.name]
    base = _base_chat(subject, candidate)
    if base is not None and chat_template(candidate.model) != getattr(own, "template", None):
        others.append(base)
    unique = {form.name: form for form in others if form.name != own.name}  # without a template, chat is plain
    return [own, *(form for form in unique.values() if not pictures or isinstance(form, ChatFormat))]


def _base_chat(subject: Subject, candidate: ModelCandidate) -> ChatFormat | None:
    """The base's own chat template, where the adapter was asked through one that is saved beside it."""
    if candidate.adapter is None or subject.planned.prompt_format != "chat":
        return None
    template = chat_template(candidate.model)
    if chat_template(candidate.adapter.path) is None or template is None:
        return None
    return ChatFormat(BASE_TEMPLATE, template, tuple(sorted(candidate.tokenizer.special_tokens.items())))


def _texts(subject: Subject, candidate: ModelCandidate, form: PromptFormat, asked: list[Asked]) -> list[str]:
    tasks = {loaded.task.name: loaded.task for loaded in subject.plan.tasks}
    return [
        form.render(conversation(a.item, tasks[a.task], system=candidate.system), len(a.request.images)) for a in asked
    ]


def _best_known(subject: Subject) -> list[Asked]:
    """Questions of the target tasks, whose like it was trained on; all where there are too few."""
    targets = {loaded.task.name for loaded in subject.plan.tasks if loaded.task.role == "target"}
    answered = [a for a in subject.planned.asked if a.item.answer]
    asked = [a for a in answered if a.task in targets]
    return asked if len(spread(asked)) >= LEAST_ITEMS else answered


def _fits(subject: Subject, run: Run, candidate: ModelCandidate, forms: list[PromptFormat], asked: Asked) -> bool:
    """Whether question and reference answer can be asked in every format and fit in the engine."""
    room = engine_room(subject, run)
    try:
        trials = [_Trial(subject, candidate, form, [asked], as_asked=number == 0) for number, form in enumerate(forms)]
        return all(_askable(candidate, c, room) for trial in trials for c in trial.continuations(None))
    except InputError:  # a chat template that refuses the conversation
        return False


def _askable(candidate: ModelCandidate, continuation: Continuation, room: int) -> bool:
    """Whether an engine with this much room can be asked: a template may leave the pictures out."""
    vision = vision_of(candidate.model) if continuation.images else None
    if vision is not None and vision.fault(continuation.prompt_ids, continuation.images):
        return False
    return length(candidate, continuation) < room


def _writes_special(candidate: ModelCandidate, asked: list[Asked]) -> bool:
    """Whether the prompt's text holds its special tokens itself (it was written by a chat template)."""
    return all(candidate.tokenizer.encode(a.prompt) == tuple(a.request.token_ids) for a in asked)


def _difference(tokenizer: PromptTokenizer, used: tuple[int, ...], other: tuple[int, ...]) -> str:
    """The first place where two prompts differ, in words."""
    at = next((i for i, (a, b) in enumerate(zip(used, other, strict=False)) if a != b), min(len(used), len(other)))
    parts = [tokenizer.decode(ids[at : at + 8], skip_special=False) or "the end" for ids in (used, other)]
    if parts[0] == parts[1]:
        parts = [str(list(ids[at : at + 4])) for ids in (used, other)]
    return f"from token {at} on {parts[0]!r} here, {parts[1]!r} there"
