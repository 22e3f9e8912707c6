"""A model of transformers with its adapters: loading them, switching between them, and forward passes over batches.

Source: https://huggingface.co/docs/transformers (DynamicCache), https://huggingface.co/docs/peft (PeftModel).
"""

from __future__ import annotations

import gc
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.candidates.gguf import gguf_file
from harness.candidates.tokenizer import read_json
from harness.candidates.vision import FAMILIES
from harness.engines._shared import adapter_config, changes_base, is_out_of_memory
from harness.engines.base import Adapter, EngineSpec
from harness.engines.transformers_vision import Eyes, Prompt
from harness.errors import HarnessError, InputError
from harness.gold.images import ImageFile

SMALL = 50_000_000
"""Parameters below which a model on a CPU runs on one thread: its matrices are too small to be worth sharing out."""

_VIRTUAL_EMBEDDINGS = {"PROMPT_TUNING", "P_TUNING", "MULTITASK_PROMPT_TUNING"}
_VIRTUAL_CACHE = {"PREFIX_TUNING"}
_VIRTUAL = _VIRTUAL_EMBEDDINGS | _VIRTUAL_CACHE


def unloadable(config: Mapping[str, Any]) -> str | None:
    """Why PEFT cannot load an adapter beside its base here, as a clause, or None when it can.

    Args:
        config: content of `adapter_config.json`.
    """
    if config.get("alora_invocation_tokens"):
        return "it is an activated LoRA (alora_invocation_tokens), which is only right inside model.generate"
    if str(config.get("peft_type", "LORA")).upper() in {"CPT", "CARTRIDGE", "POLY", "XLORA"}:
        return f"its method, {config['peft_type']}, needs more than a model and a prompt"
    return changes_base(config)


class LoadedModel:
    """The base model of `spec` with every adapter loaded beside it.

    Attributes:
        adapters: PEFT's name of each adapter, by digest.
        vocab_size: rows of the embedding.

    Raises:
        InputError: the model or an adapter cannot be loaded; a package is missing.
        HarnessError: the weights do not fit in memory.
    """

    def __init__(self, spec: EngineSpec) -> None:
        self._spec = spec
        self._model: Any = None
        self._peft: Any = None
        self._kind = ""
        self._active: str | None = None
        self._kinds: dict[str, str] = {}
        self._prompt_type = ""
        self._threads = 0
        self._eyes: Eyes | None = None
        self.adapters: dict[str, str] = {}
        for adapter in spec.adapters:
            config = adapter_config(adapter)
            if why := unloadable(config):
                raise InputError(f"PEFT cannot load this adapter here: {why}", where=str(adapter.path))
            self.adapters.setdefault(adapter.digest, f"adapter{len(self.adapters)}")
            self._kinds[adapter.digest] = str(config.get("peft_type", "LORA")).upper()
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        import torch
        import transformers

        transformers.logging.set_verbosity_error()
        transformers.logging.disable_progress_bar()
        spec = self._spec
        arguments: dict[str, Any] = {
            "dtype": getattr(torch, spec.dtype),
            "use_safetensors": True,
            "local_files_only": True,
            "trust_remote_code": spec.settings.trust_remote_code,
        }
        if weights := gguf_file(spec.model):
            arguments["gguf_file"] = weights.name
        if spec.device == "cuda":
            arguments["device_map"] = "auto" if spec.settings.tensor_parallel_size > 1 else {"": 0}
        checkpoint = read_json(spec.model / "config.json")
        self._sees = checkpoint.get("model_type") in FAMILIES
        if spec.quantization == "bitsandbytes" and "quantization_config" not in checkpoint:
            arguments["quantization_config"] = {
                "load_in_4bit": True,
                "bnb_4bit_quant_type": "nf4",
                "bnb_4bit_use_double_quant": True,
                "bnb_4bit_compute_dtype": spec.dtype,
            }
        arguments |= spec.settings.arguments("transformers")
        if isinstance(arguments.get("quantization_config"), dict):
            arguments["quantization_config"] = transformers.BitsAndBytesConfig(**arguments["quantization_config"])
        self._arguments = arguments
        self._load_base()
        if spec.max_images:
            try:
                assert spec.vision is not None
                self._eyes = Eyes(spec.model, spec.vision)
            except Exception as error:
                raise _loading_failed(error, str(spec.model), "this model's image processor") from error
        model = self._model
        self.device = model.get_input_embeddings().weight.device
        self.vocab_size = int(model.get_input_embeddings().num_embeddings)
        self._config = model.config.get_text_config()
        if spec.device == "cpu" and sum(weight.numel() for weight in model.parameters()) < SMALL:
            self._threads = torch.get_num_threads()
            torch.set_num_threads(1)
        accepted = inspect.signature(type(model).forward).parameters
        self._keeps_last = "logits_to_keep" in accepted
        self._positions = "position_ids" in accepted
        for kind in dict.fromkeys(self._kinds.values()):
            self._load_kind(kind)

    def _load_base(self) -> None:
        import transformers

        try:
            kind = transformers.AutoModelForImageTextToText if self._sees else transformers.AutoModelForCausalLM
            model = kind.from_pretrained(str(self._spec.model), **self._arguments)
        except Exception as error:
            raise _loading_failed(error, str(self._spec.model), "this model") from error
        self._model = model.eval()

    # Adapters

    def _load_kind(self, kind: str) -> None:
        """Load every adapter of one method. PEFT wraps a base in one method at a time.

        Another method's wrapping is not taken off but left with its base, which is loaded anew: PEFT's `unload` keeps
        a retrained `lm_head` (modules_to_save) in place of the base's own.
        """
        import peft

        wrapped = self._peft is not None and self._kind not in _VIRTUAL
        self._peft, self._active, self._kind = None, None, kind
        if wrapped:
            self._model = None
            self.free()
            self._load_base()
        for adapter in self._spec.adapters:
            name = self.adapters[adapter.digest]
            if self._kinds[adapter.digest] != kind or (self._peft is not None and name in self._peft.peft_config):
                continue
            try:
                if self._peft is None:
                    self._peft = peft.PeftModel.from_pretrained(self._model, str(adapter.path), adapter_name=name)
                else:
                    self._peft.load_adapter(str(adapter.path), adapter_name=name)
            except Exception as error:
                raise _loading_failed(error, str(adapter.path), "this adapter") from error
        self._peft.eval()
        self._active = ""  # neither the base nor an adapter: what is asked first is switched on

    def kind_of(self, adapter: Adapter | None) -> str:
        return "" if adapter is None else self._kinds[adapter.digest]

    def use(self, adapter: Adapter | None) -> None:
        """Make the next forward passes answer as `adapter` (None: the base)."""
        if adapter is not None and self.kind_of(adapter) != self._kind:
            self._load_kind(self.kind_of(adapter))
        wanted = None if adapter is None else self.adapters[adapter.digest]
        if self._peft is None or wanted == self._active:
            return
        if self._kind in _VIRTUAL:
            if wanted is not None:
                self._peft.set_adapter(wanted)
        elif wanted is None:
            self._peft.base_model.disable_adapter_layers()
        else:
            self._peft.base_model.enable_adapter_layers()
            self._peft.set_adapter(wanted)
        self._active = wanted
        self._prompt_type = self._kind if wanted is not None and self._kind in _VIRTUAL else ""

    # Forward passes

    def prompt(self, ids: Sequence[int], images: Sequence[ImageFile]) -> Prompt:
        """A prompt with its pictures read.

        Raises:
            InputError: a picture cannot be read any more.
        """
        return self._eyes.prompt(ids, images) if images and self._eyes else Prompt(tuple(ids))

    def begin(self, prompts: Sequence[Prompt], room: int, keep: int, cached: bool) -> tuple[Rows, Any]:
        """One forward pass over left-padded prompts: the state to go on from and the logits of the last `keep` places.

        Args:
            room: tokens that will follow.
            keep: places to return logits of, counted from the end.
            cached: whether to keep the KV cache.
        """
        import torch
        from transformers import DynamicCache

        width = max(len(prompt.ids) for prompt in prompts)
        ids = torch.zeros(len(prompts), width, dtype=torch.long)
        mask = torch.zeros(len(prompts), width + room, dtype=torch.long)
        for row, prompt in enumerate(prompts):
            ids[row, width - len(prompt.ids) :] = torch.tensor(prompt.ids, dtype=torch.long)
            mask[row, width - len(prompt.ids) : width] = 1
        mask[:, width:] = 1
        ids, mask = ids.to(self.device), mask.to(self.device)
        inputs: dict[str, Any] = {"input_ids": ids}
        cache = DynamicCache(config=self._config) if cached else None
        virtual = 0
        if self._prompt_type:
            virtual = int(self._peft.active_peft_config.num_virtual_tokens)
            mask = torch.cat([torch.ones(len(prompts), virtual, dtype=torch.long, device=self.device), mask], dim=1)
            if self._prompt_type in _VIRTUAL_CACHE:
                cache = self._peft.get_prompt(len(prompts))
            else:
                task = torch.zeros(len(prompts), dtype=torch.long, device=self.device)
                soft = self._peft.get_prompt(len(prompts), task_ids=task)
                embedded = self._bare.get_input_embeddings()(ids)
                inputs = {"inputs_embeds": torch.cat([soft.to(embedded.dtype), embedded], dim=1)}
        rows = Rows(cache=cache, mask=mask, filled=virtual + width)
        seen = mask[:, : rows.filled]
        positions = (seen.cumsum(1) - 1).clamp(min=0)
        if self._prompt_type in _VIRTUAL_CACHE:  # the virtual tokens lie in the cache already
            positions = positions[:, virtual:]
        if any(prompt.grids is not None for prompt in prompts):
            assert self._eyes is not None
            pictures, positions, rows.shift = self._eyes.look(self._bare, prompts, ids, seen)
            inputs |= pictures
        return rows, self.forward(inputs, seen, positions, cache, keep)

    def next(self, rows: Rows, tokens: Any) -> Any:
        """One more token for every row; logits of shape (rows, vocabulary)."""
        rows.filled += 1
        seen = rows.mask[:, : rows.filled]
        positions = seen.sum(1, keepdim=True) - 1
        if rows.shift is not None:
            positions = positions + rows.shift
        return self.forward({"input_ids": tokens[:, None]}, seen, positions, rows.cache, 1)[:, -1]

    def forward(self, inputs: dict[str, Any], mask: Any, positions: Any, cache: Any, keep: int) -> Any:
        """Logits of the last `keep` places: (rows, keep, vocabulary), in the model's dtype."""
        import torch

        arguments = inputs | {"attention_mask": mask, "use_cache": cache is not None}
        if cache is not None:
            arguments["past_key_values"] = cache
        if self._positions:
            arguments["position_ids"] = positions
        if self._keeps_last:
            arguments["logits_to_keep"] = keep
        with torch.inference_mode():
            return self._bare(**arguments).logits[:, -keep:]

    @property
    def _bare(self) -> Any:
        """The base's own class: with LoRA its layers are wrapped in place."""
        return self._model if self._peft is None else self._peft.get_base_model()

    # The end

    @property
    def closed(self) -> bool:
        return self._model is None

    def close(self) -> None:
        """Free the weights; safe to call twice."""
        opened = self._model is not None
        self._model = self._peft = self._eyes = None
        if opened:
            self.free()
        if self._threads:
            import torch

            torch.set_num_threads(self._threads)
            self._threads = 0

    def free(self) -> None:
        """Give back memory that nothing holds any more."""
        gc.collect()
        if self._spec.device == "cuda":
            import torch

            torch.cuda.empty_cache()


@dataclass(slots=True)
class Rows:
    """The model's state for the rows of a batch.

    Attributes:
        cache: the KV cache.
        mask: attention mask, (rows, width + room).
        filled: places filled so far.
        shift: what to add to the count of tokens to get their positions, (rows, 1); None where they are the same.
    """

    cache: Any
    mask: Any
    filled: int
    shift: Any = None

    def keep(self, index: Any) -> None:
        self.cache.batch_select_indices(index)
        self.mask = self.mask[index]
        if self.shift is not None:
            self.shift = self.shift[index]


def first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:300] if lines else type(error).__name__


def _loading_failed(error: Exception, where: str, what: str) -> HarnessError:
    if is_out_of_memory(error):
        return HarnessError(
            f"{what} does not fit in memory ({first_line(error)})",
            where=where,
            remedy="Close other programs on the GPU, or use quantization: bitsandbytes, or a smaller model.",
        )
    if isinstance(error, ImportError):
        return InputError(
            f"{what} needs a package that is not installed ({first_line(error)})",
            where=where,
            remedy="pip install 'finetune-harness[local]'; quantised models need bitsandbytes, gptqmodel or autoawq.",
        )
    return InputError(
        f"transformers cannot load {what}: {first_line(error)}",
        where=where,
        remedy="Check that the files are whole (safetensors) and that the adapter was trained on this base.",
    )
