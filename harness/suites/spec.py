"""A suite: which gold sets are asked, how, and what must come out."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from harness.digest import digest_json
from harness.errors import InputError, did_you_mean
from harness.resources import packaged
from harness.scorers.base import Reads, Scorer, reads, reads_likelihoods
from harness.scorers.registry import make_scorer
from harness.suites.answer_schema import WithAnswerSchema
from harness.validation import read_yaml

Role = Literal["target", "guard"]

_QUESTION = "{question}"
_LETTER = {
    "zh": "{question}\n{choices}\n请只回答正确选项的字母。",
    "en": "{question}\n{choices}\nAnswer with the letter of the right option only.",
}


class Generation(WithAnswerSchema):
    """How answers to a task are generated unless the candidate says otherwise."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_tokens: int = Field(256, ge=1)
    temperature: float = Field(0.0, ge=0.0)
    top_p: float = Field(1.0, gt=0.0, le=1.0)
    top_k: int = Field(0, ge=0)
    repetition_penalty: float = Field(1.0, gt=0.0)
    stop: tuple[str, ...] = ()


class Task(BaseModel):
    """One gold set asked in one way.

    Attributes:
        role: `target` should improve, `guard` must not get worse.
        prompt: text with `{question}` (and `{context}`, `{choices}` where items carry them), or one text for each
            language. Left out: the question alone, or with its options and the request for a letter where a scorer
            reads letters.
        answer: `generate` a text, or take the `loglikelihood` of every option.
        margin: non-inferiority margin, absolute, in units of the primary metric.
        floor: score of a model that knows nothing, for the test of informativeness. Left out: chance where items have
            options to choose from, else 0.
        optional: left out, with a notice, where the gold set is not on this machine.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[\w.-]+$")
    role: Role
    goldset: str
    prompt: str | dict[str, str] | None = None
    answer: Literal["generate", "loglikelihood"] = "generate"
    system: str | None = None
    generation: Generation = Generation()
    scorers: tuple[str | dict[str, dict[str, Any]], ...] = Field(min_length=1)
    primary: str
    margin: float = Field(0.02, gt=0.0, lt=1.0)
    require: Literal["improve", "hold"] | None = None
    max_error_rate: float = Field(0.01, ge=0.0, le=1.0)
    floor: float | None = Field(None, ge=0.0, lt=1.0)
    slices: tuple[str, ...] = ()
    optional: bool = False

    @field_validator("prompt")
    @classmethod
    def _asks_the_question(cls, value: str | dict[str, str] | None) -> str | dict[str, str] | None:
        if value is None:
            return None
        texts = [value] if isinstance(value, str) else list(value.values())
        if not texts or any("{question}" not in text for text in texts):
            raise ValueError("must contain {question}")
        return value

    @model_validator(mode="after")
    def _primary_is_scored(self) -> Task:
        metrics = [metric for scorer in self.make_scorers() for metric in scorer.metrics]
        if self.primary not in metrics:
            raise ValueError(f"primary {self.primary!r} is not among the metrics {metrics} of 'scorers'")
        if len(set(metrics)) != len(metrics):
            raise ValueError(f"two scorers give a metric of the same name: {metrics}")
        return self

    @model_validator(mode="after")
    def _scorers_read_the_answer(self) -> Task:
        wanted = self.answer == "loglikelihood"
        for scorer in self.make_scorers():
            if reads_likelihoods(reads(scorer)) != wanted:
                name, other = scorer.metrics[0], "generate" if wanted else "loglikelihood"
                raise ValueError(
                    f"'answer: {self.answer}' does not go with the scorer {name!r}, which reads "
                    f"{'generated texts' if wanted else 'likelihoods'}. Write 'answer: {other}', or "
                    f"{'choice: {method: loglikelihood}' if wanted else 'choice without method: loglikelihood'}"
                )
        if wanted and len(self.reads) > 1:
            raise ValueError("its scorers read the likelihoods of different texts: make two tasks of it")
        return self

    @property
    def must(self) -> Literal["improve", "hold"]:
        """What the gate requires: `require`, by default improve for targets and hold for guards."""
        return self.require or ("improve" if self.role == "target" else "hold")

    def make_scorers(self) -> list[Scorer]:
        return [make_scorer(spec) for spec in self.scorers]

    @cached_property
    def reads(self) -> frozenset[Reads]:
        """What its scorers are given."""
        return frozenset(reads(scorer) for scorer in self.make_scorers())

    @property
    def asks_for_letters(self) -> bool:
        """True when an answer is the letter of an option."""
        return bool(self.reads & {"letter", "letter likelihoods"})

    @property
    def gives_choices(self) -> bool:
        """True when items must have options to choose from."""
        return self.asks_for_letters or "text likelihoods" in self.reads

    @property
    def prompts(self) -> str | dict[str, str]:
        """`prompt`, or the one that is meant where it is left out."""
        return self.prompt or (_LETTER if self.asks_for_letters else _QUESTION)

    def prompt_for(self, language: str) -> str:
        """The prompt text for an item's language; any text when that language has none."""
        if isinstance(self.prompts, str):
            return self.prompts
        return self.prompts.get(language) or next(iter(self.prompts.values()))

    def content(self) -> dict[str, Any]:
        """What decides the results, for the suite's digest."""
        dumped = self.model_dump(mode="json", exclude={"optional"})
        dumped["prompt"] = self.prompts
        if not self.gives_choices:  # as it was before there were options, so that digests stay comparable
            del dumped["answer"]
            dumped["floor"] = dumped["floor"] or 0.0
        return dumped


class Suite(BaseModel):
    """Tasks asked together: targets show what was gained, guards what was forgotten."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[\w.-]+$")
    description: str = ""
    tasks: tuple[Task, ...] = Field(min_length=1)

    @field_validator("tasks")
    @classmethod
    def _names_differ(cls, value: tuple[Task, ...]) -> tuple[Task, ...]:
        names = [task.name for task in value]
        if len(set(names)) != len(names):
            raise ValueError(f"task names must differ, got {names}")
        return value

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the suite file's content (gold sets have digests of their own)."""
        return digest_json({"name": self.name, "tasks": [task.content() for task in self.tasks]})

    def only(self, names: Collection[str]) -> Suite:
        """The suite with these of its tasks; its digest is of what is left."""
        return Suite(
            name=self.name,
            description=self.description,
            tasks=tuple(task for task in self.tasks if task.name in names),
        )


def load_suite(reference: str | Path, *, folder: Path | None = None) -> tuple[Suite, Path]:
    """Read a suite by name or path; returns it with the folder that its gold-set paths are relative to.

    Raises:
        InputError: unknown suite, or a fault in the file with its key.
    """
    base = folder or Path.cwd()
    text = str(reference)
    direct = base / text
    if direct.suffix in {".yaml", ".yml"} or "/" in text:
        if not direct.is_file():
            raise InputError("suite file does not exist", where=str(direct))
        return read_yaml(direct, Suite), direct.parent
    for place in _places(base):
        if (place / f"{text}.yaml").is_file():
            return read_yaml(place / f"{text}.yaml", Suite), base
    raise InputError(f"unknown suite {text!r}", remedy=did_you_mean(text, list_suites(base)))


def list_suites(folder: Path | None = None) -> dict[str, Path]:
    """Names of the suites that can be loaded by name."""
    found: dict[str, Path] = {}
    for place in reversed(_places(folder or Path.cwd())):
        found.update({path.stem: path for path in sorted(place.glob("*.yaml"))})
    return dict(sorted(found.items()))


def _places(base: Path) -> list[Path]:
    return [base / "suites", packaged("suites")]
