"""What decides the memory of a training run, apart from the model."""

from __future__ import annotations

from typing import Literal, Protocol, cast, get_args

from pydantic import BaseModel, ConfigDict, Field

from harness.train.config import ATTENTION, MLP

Method = Literal["full", "lora", "qlora"]
#: `mixed` holds float32 weights and computes in 16 bits (autocast).
Precision = Literal["float32", "mixed", "bfloat16", "float16"]
Optimiser = Literal["adamw", "adamw_8bit"]
Targets = tuple[str, ...] | Literal["all-linear"] | None

FLOAT32, HALF = 4, 2


class SftSettings(Protocol):
    """The keys of a training config that decide its memory; `TrainConfig` has them."""

    @property
    def method(self) -> str: ...
    @property
    def load_in_4bit(self) -> bool: ...
    @property
    def max_seq_length(self) -> int: ...
    @property
    def per_device_train_batch_size(self) -> int: ...
    @property
    def r(self) -> int: ...
    @property
    def target_modules(self) -> Targets: ...
    @property
    def gradient_checkpointing(self) -> bool: ...
    @property
    def optim(self) -> str: ...
    @property
    def dtype(self) -> str: ...


class Training(BaseModel):
    """A way of training, and its bytes a number.

    Attributes:
        seq, batch: tokens of a sequence, sequences that pass at once (gradient accumulation costs nothing more).
        r, targets: of LoRA.
        dtype: None is `mixed` for full fine-tuning, where an update is often smaller than bfloat16 can add to a
            weight, and bfloat16 for the rest, where the weights stand still.
        fused_loss: the loss is computed piece by piece and the logits are never held, as TRL (from 1.15, on a GPU) and
            Unsloth do.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: Method = "lora"
    seq: int = Field(2048, ge=1)
    batch: int = Field(1, ge=1)
    r: int = Field(16, ge=1)
    targets: Targets = (*ATTENTION, *MLP)
    gradient_checkpointing: bool = False
    optim: Optimiser = "adamw"
    dtype: Precision | None = None
    fused_loss: bool = True

    @classmethod
    def of(cls, settings: SftSettings, *, longest: int | None = None) -> Training:
        """The training that a config asks for on a GPU.

        PEFT's other methods count as LoRA: their parameters, too, are few beside the base's. So do other optimisers
        than the 8-bit ones as AdamW, which takes the most of those in use.

        Args:
            longest: tokens of the longest example, where it is known to be shorter than max_seq_length.
        """
        full = settings.method == "full"
        said = settings.dtype in get_args(Precision)  # "auto" is for this class to say
        return cls(
            method="full" if full else "qlora" if settings.load_in_4bit else "lora",
            seq=min(longest or settings.max_seq_length, settings.max_seq_length),
            batch=settings.per_device_train_batch_size,
            r=settings.r,
            targets=settings.target_modules,
            gradient_checkpointing=settings.gradient_checkpointing,
            optim="adamw_8bit" if "8bit" in settings.optim else "adamw",
            dtype=cast(Precision, settings.dtype) if said else None,
        )

    @property
    def tokens(self) -> int:
        """Tokens that pass at once."""
        return self.seq * self.batch

    @property
    def precision(self) -> Precision:
        return self.dtype or ("mixed" if self.method == "full" else "bfloat16")

    @property
    def held(self) -> int:
        """Bytes of a weight that is not quantised, and of a number between two blocks."""
        return FLOAT32 if self.precision in ("float32", "mixed") else HALF

    @property
    def computed(self) -> int:
        """Bytes of a number that enters or leaves a matrix product."""
        return FLOAT32 if self.precision == "float32" else HALF

    @property
    def trained(self) -> int:
        """Bytes of a parameter that learns.

        PEFT makes adapters in float32 whatever the base is (`autocast_adapter_dtype`); on a quantised base TRL turns
        them to bfloat16, as Dettmers et al. 2023 do.
        """
        return {"full": self.held, "lora": FLOAT32, "qlora": HALF}[self.method]
