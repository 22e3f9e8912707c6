"""What a training run is told: one file for every backend, with the names that notebooks use."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from harness.errors import InputError, did_you_mean
from harness.scorers.rewards import REWARDS
from harness.validation import explain, read_yaml

C = TypeVar("C", bound="TrainConfig")

Kind = Literal["sft", "vision", "grpo"]
BackendName = Literal["auto", "trl", "unsloth"]
Method = Literal["lora", "dora", "adalora", "loha", "lokr", "ia3", "prompt-tuning", "prefix-tuning", "p-tuning"]
#: Methods whose adapters vLLM serves; the others are asked through transformers.
SERVED_BY_VLLM: frozenset[Method] = frozenset(("lora",))

#: Every linear layer of Qwen's blocks, as PEFT names them.
ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
MLP = ("gate_proj", "up_proj", "down_proj")


class Source(BaseModel):
    """Training rows from somewhere; written as a path where nothing else has to be said.

    Attributes:
        path: a file, a folder, a pattern, `hf:ORG/NAME[@REV]` or `ms:ORG/NAME[@REV]`; from the config's folder.
        map: how a row becomes question and answer, as in `harness goldset import`; what is left out is guessed.
        format: auto, alpaca, sharegpt, messages or columns.
        rows: take so many at most, drawn by the seed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    map: dict[str, Any] | None = None
    format: str = "auto"
    encoding: str | None = None
    file: str | None = None
    rows: int | None = Field(None, ge=1)


def _as_source(value: Any) -> Any:
    return {"path": value} if isinstance(value, str) else value


def _weighed(value: Any) -> Any:
    """Rewards may be written as a list: each then weighs 1."""
    return dict.fromkeys(value, 1.0) if isinstance(value, list | tuple) else value


class EvalConfig(BaseModel):
    """`eval:`: what a training is measured by while it runs.

    Attributes:
        suite: name or file; its targets should improve, its guards must hold.
        every: steps between two evaluations.
        items: of each task, of the dev half, while training: few, drawn by the seed, always the same.
        patience: evaluations without a better target after which training stops.
        dev: share of each gold set that checkpoints are chosen on; the rest is asked once, at the end.
        kl_items: questions of guards on which the distance to the base is measured; 0 measures none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    suite: str
    every: int = Field(ge=1)
    items: int = Field(60, ge=2)
    patience: int = Field(3, ge=1)
    dev: float = Field(0.5, gt=0.0, lt=1.0)
    engine: Literal["auto", "vllm", "transformers"] = "auto"
    kl_items: int = Field(32, ge=0)


class TrainConfig(BaseModel):
    """What every kind of training is told.

    Attributes:
        name: of the candidate: its folder below `output`, and its entry in harness.yaml.
        base: a name in harness.yaml, a model folder, or a hub reference.
        prompt: the prompt format it is trained in and will be asked in: `chat`, `alpaca`, …, or a template file.
        data: sources by name.
        mix: shares by source, such as {medical: 1, general: 1}; the first source is used whole and the others are
            drawn to fit. Without it every source is used whole.
        max_seq_length: tokens; longer examples are left out, so that every answer keeps its end.
        target_modules: layers that get an adapter, "all-linear", or None for what PEFT knows of the architecture.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    kind: ClassVar[Kind]

    schema_version: int = Field(1, alias="schema")
    name: str
    base: str
    backend: BackendName = "auto"
    output: str = "candidates"
    prompt: str = "chat"
    system: str | None = None

    data: dict[str, Annotated[Source, BeforeValidator(_as_source)]] = Field(min_length=1)
    mix: dict[str, float] = Field(default_factory=dict)
    deduplicate: bool = True
    goldsets: tuple[str, ...] = Field((), description="gold sets that may not stand in the training data")
    eval: EvalConfig | None = None

    max_seq_length: int = Field(2048, ge=8)
    load_in_4bit: bool = False
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"

    method: Method = "lora"
    r: int = Field(16, ge=1)
    lora_alpha: int = Field(16, ge=1, validation_alias=AliasChoices("lora_alpha", "alpha"))
    lora_dropout: float = Field(0.0, ge=0.0, lt=1.0, validation_alias=AliasChoices("lora_dropout", "dropout"))
    target_modules: tuple[str, ...] | Literal["all-linear"] | None = (*ATTENTION, *MLP)
    use_rslora: bool = False
    num_virtual_tokens: int = Field(20, ge=1, description="of prompt-tuning, prefix-tuning and p-tuning")
    gradient_checkpointing: bool = Field(
        False, validation_alias=AliasChoices("gradient_checkpointing", "use_gradient_checkpointing")
    )

    per_device_train_batch_size: int = Field(2, ge=1)
    gradient_accumulation_steps: int = Field(4, ge=1)
    warmup_steps: int = Field(5, ge=0)
    max_steps: int | None = Field(None, ge=1)
    num_train_epochs: float | None = Field(None, gt=0.0)
    learning_rate: float = Field(2e-4, gt=0.0)
    optim: str = "auto"
    weight_decay: float = Field(0.01, ge=0.0)
    lr_scheduler_type: str = "linear"
    max_grad_norm: float = Field(1.0, gt=0.0)
    logging_steps: int = Field(1, ge=1)
    save_steps: int = Field(50, ge=1)
    save_total_limit: int = Field(3, ge=1)
    seed: int = 3407

    @field_validator("name")
    @classmethod
    def _plain(cls, name: str) -> str:
        if not name or name.startswith(".") or any(char in '/\\:*?"<>| ' or not char.isprintable() for char in name):
            raise ValueError(f"{name!r} cannot name a candidate (no spaces, slashes or colons)")
        return name

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.max_steps is not None and self.num_train_epochs is not None:
            raise ValueError("give max_steps or num_train_epochs, not both: each says when to stop")
        for name, share in self.mix.items():
            if name not in self.data:
                raise ValueError(f"mix: there is no source {name!r} in data. {did_you_mean(name, self.data)}")
            if share < 0:
                raise ValueError(f"mix: the share of {name!r} is negative")
        if self.mix and not any(self.mix.values()):
            raise ValueError("mix: every share is 0")
        if self.use_rslora and self.method not in ("lora", "dora"):
            raise ValueError(f"use_rslora means something for lora and dora, not for {self.method}")
        return self

    @property
    def effective_batch(self) -> int:
        """Rows that one optimiser step learns from, on one device."""
        return self.per_device_train_batch_size * self.gradient_accumulation_steps

    def changed(self, **changes: Any) -> Self:
        """With other values, checked again.

        Raises:
            InputError: they do not fit together.
        """
        try:
            return type(self).model_validate({**self.model_dump(by_alias=True), **changes})
        except ValidationError as error:
            raise InputError(explain(error, type(self)), where=self.name) from None

    def written(self) -> dict[str, Any]:
        """As lineage stores it: everything, also what was left at its default."""
        return self.model_dump(mode="json", by_alias=True)


class SftConfig(TrainConfig):
    """`harness train sft CONFIG.yaml`: learn the answers.

    Attributes:
        completion_only_loss: learn the answer alone; False learns the prompt too.
    """

    kind: ClassVar[Kind] = "sft"

    packing: bool = False
    completion_only_loss: bool = True


class VisionConfig(TrainConfig):
    """`harness train vision CONFIG.yaml`: learn the answers to questions with pictures.

    Attributes:
        finetune_vision_layers, finetune_language_layers: which halves of the model get adapters.
        finetune_attention_modules, finetune_mlp_modules: which layers of these halves.
    """

    kind: ClassVar[Kind] = "vision"

    completion_only_loss: bool = True
    finetune_vision_layers: bool = False
    finetune_language_layers: bool = True
    finetune_attention_modules: bool = True
    finetune_mlp_modules: bool = True

    @model_validator(mode="after")
    def _trains_something(self) -> Self:
        if not (self.finetune_vision_layers or self.finetune_language_layers):
            raise ValueError("finetune_vision_layers and finetune_language_layers are both false: nothing would learn")
        if not (self.finetune_attention_modules or self.finetune_mlp_modules):
            raise ValueError("finetune_attention_modules and finetune_mlp_modules are both false: nothing would learn")
        if self.method not in ("lora", "dora"):
            raise ValueError(f"vision models are trained with lora or dora, not with {self.method}")
        return self


class GrpoConfig(TrainConfig):
    """`harness train grpo CONFIG.yaml`: answer several times, and learn from what is rewarded (Shao et al. 2024).

    Attributes:
        rewards: by name, with their weights: those of `harness.scorers.rewards`, or `py:FILE.py:FUNCTION`, a function
            of the answer's text and the gold answer that gives a number.
        num_generations: answers to one question; they are compared with each other.
        max_completion_length: tokens of an answer; the prompt has the rest of `max_seq_length`.
        beta: weight of the distance to the base (0: none, and no second model in memory).
        use_vllm: answers come from vLLM in the same process; "auto": where there are a GPU and vLLM.
        vllm_gpu_memory_utilization: share of the GPU's memory that vLLM takes.
    """

    kind: ClassVar[Kind] = "grpo"

    rewards: Annotated[dict[str, float], BeforeValidator(_weighed)] = Field(
        default_factory=lambda: dict.fromkeys(REWARDS, 1.0), min_length=1
    )
    num_generations: int = Field(8, ge=2)
    max_completion_length: int = Field(256, ge=1)
    temperature: float = Field(1.0, gt=0.0)
    top_p: float = Field(1.0, gt=0.0, le=1.0)
    beta: float = Field(0.0, ge=0.0)
    use_vllm: bool | Literal["auto"] = "auto"
    vllm_gpu_memory_utilization: float = Field(0.3, gt=0.0, lt=1.0)

    per_device_train_batch_size: int = Field(8, ge=1)
    gradient_accumulation_steps: int = Field(1, ge=1)
    learning_rate: float = Field(5e-6, gt=0.0)
    lr_scheduler_type: str = "cosine"
    weight_decay: float = Field(0.1, ge=0.0)
    max_grad_norm: float = Field(0.1, gt=0.0)

    @model_validator(mode="after")
    def _batches(self) -> Self:
        if self.effective_batch % self.num_generations:
            raise ValueError(
                f"num_generations ({self.num_generations}) must divide per_device_train_batch_size × "
                f"gradient_accumulation_steps ({self.effective_batch}): a step learns from whole groups"
            )
        if self.max_completion_length >= self.max_seq_length:
            raise ValueError("max_completion_length leaves no room for the prompt in max_seq_length")
        return self

    @property
    def questions(self) -> int:
        """Questions that one optimiser step learns from."""
        return self.effective_batch // self.num_generations


def load_config(path: Path, kind: type[C]) -> C:
    """A config file of a kind of training.

    Raises:
        InputError: names the file and the key.
    """
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "there is no such file"
        raise InputError(what, where=str(path), remedy="Give a YAML file; see docs/training.md.")
    return read_yaml(path, kind)
