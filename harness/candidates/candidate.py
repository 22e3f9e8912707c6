"""A candidate: something that answers questions and can be compared."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from harness.candidates.adapter import AdapterFolder
from harness.candidates.endpoint import Endpoint
from harness.candidates.prompt import PromptFormat, prompt_format, stop_token_ids
from harness.candidates.tokenizer import PromptTokenizer
from harness.candidates.workspace import SamplingOverrides


@dataclass(frozen=True)
class ModelCandidate:
    """Weights on disk: a base model, alone or with an adapter.

    Attributes:
        name: the label it is shown under; identity is its fingerprint.
        prompt: name of its own prompt format, None for the suite's.
    """

    name: str
    model: Path
    adapter: AdapterFolder | None = None
    quantization: str | None = None
    system: str | None = None
    prompt: str | None = None
    prompt_folder: Path = field(default_factory=Path)
    sampling: SamplingOverrides = field(default_factory=SamplingOverrides)

    @cached_property
    def tokenizer(self) -> PromptTokenizer:
        """The base model's tokenizer: an adapter is served on it."""
        return PromptTokenizer(self.model)

    def format(self, forced: str | None = None) -> PromptFormat:
        """The format its prompts are written in: `forced`, else its own, else its chat template."""
        return prompt_format(
            forced or self.prompt or "chat",
            folder=self.prompt_folder,
            model=self.model,
            adapter=self.adapter.path if self.adapter else None,
        )

    @cached_property
    def stop_token_ids(self) -> tuple[int, ...]:
        return stop_token_ids(self.model, self.adapter.path if self.adapter else None, self.tokenizer)


@dataclass(frozen=True)
class ReplayCandidate:
    """Outputs recorded elsewhere: a file, or a folder of them."""

    name: str
    path: Path


@dataclass(frozen=True)
class EndpointCandidate:
    """A model behind a URL: its weights are not here, so nobody can say what they are."""

    name: str
    endpoint: Endpoint
    system: str | None = None
    sampling: SamplingOverrides = field(default_factory=SamplingOverrides)


Candidate = ModelCandidate | ReplayCandidate | EndpointCandidate
