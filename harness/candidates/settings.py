"""`engine:` of `harness.yaml`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class EngineSettings(BaseModel):
    """How an engine is started; `args` is passed through to the engine's own constructor."""

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
