"""A stand-in for llama.cpp's converter, which refuses the demo's tokenizer; llama.cpp runs what it writes.

Names, metadata, the tokenizer's merges and number formats come from llama.cpp's own package `gguf`. With FAULT=rows in
the environment the rows of every attention query come in another order, as they do where a converter takes a model for
one of another family.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import gguf
import numpy as np
from safetensors.torch import load_file

TYPES = {"q8_0": gguf.GGMLQuantizationType.Q8_0, "q4_0": gguf.GGMLQuantizationType.Q4_0}
TYPES["bf16"] = gguf.GGMLQuantizationType.BF16


def write(model: Path, file: Path, form: str) -> None:
    config = json.loads((model / "config.json").read_text())
    tokenizer = json.loads((model / "tokenizer.json").read_text())
    writer = gguf.GGUFWriter(file, "qwen2")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    vocabulary = tokenizer["model"]["vocab"] | {one["content"]: one["id"] for one in tokenizer["added_tokens"]}
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(sorted(vocabulary, key=vocabulary.__getitem__))
    added = {one["content"] for one in tokenizer["added_tokens"]}
    kinds = (gguf.TokenType.NORMAL, gguf.TokenType.CONTROL)
    writer.add_token_types([kinds[one in added] for one in sorted(vocabulary, key=vocabulary.__getitem__)])
    writer.add_add_bos_token(False)
    gguf.SpecialVocab(model, load_merges=True, n_vocab=len(vocabulary)).add_to_gguf(writer)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.QWEN2, config["num_hidden_layers"])
    for name, tensor in load_file(model / "model.safetensors").items():
        values = damaged(name, tensor.float().numpy())
        stored = names.get_name(name, try_suffixes=(".weight", ".bias"))
        assert stored is not None, name
        kind = TYPES[form] if values.ndim == 2 else gguf.GGMLQuantizationType.F32
        writer.add_tensor(stored, gguf.quants.quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def damaged(name: str, values: np.ndarray) -> np.ndarray:
    if os.environ.get("FAULT") == "rows" and "q_proj.weight" in name:
        return np.ascontiguousarray(values.reshape(2, -1, values.shape[1]).swapaxes(0, 1).reshape(values.shape))
    return values


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("--outfile", type=Path, required=True)
    parser.add_argument("--outtype", choices=sorted(TYPES), required=True)
    asked = parser.parse_args()
    write(asked.model, asked.outfile, asked.outtype)
