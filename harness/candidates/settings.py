"""`engine:` of `harness.yaml`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class EngineSettings(BaseModel):
    """How an engine is started.

    Attributes:
        args: passed through to the constructor of whichever engine answers.
        vllm, transformers: passed through to that engine only (vLLM's `EngineArgs`, transformers' `from_pretrained`),
            so that one file serves both; they go before `args`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["auto", "vllm", "transformers"] = "auto"
    serve: str | None = Field(None, description="address of a warm vLLM server (harness serve) to ask instead")
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    max_model_len: int | None = Field(None, ge=1, description="tokens of prompt and answer; default: what is needed")
    tensor_parallel_size: int = Field(1, ge=1)
    gpu_memory_utilization: float = Field(0.9, gt=0.0, le=1.0)
    batch_size: int = Field(64, ge=1, description="sequences in one batch (transformers)")
    max_num_seqs: int | None = Field(None, ge=1, description="sequences in flight (vLLM)")
    trust_remote_code: bool = False
    args: dict[str, Any] = Field(default_factory=dict)
    vllm: dict[str, Any] = Field(default_factory=dict)
    transformers: dict[str, Any] = Field(default_factory=dict)

    def arguments(self, engine: str) -> dict[str, Any]:
        """What is passed through to an engine, "vllm" or "transformers"."""
        return self.args | (self.vllm if engine == "vllm" else self.transformers)
