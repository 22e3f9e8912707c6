"""What the vLLM engine of this project costs over a bare `LLM.generate`.

    python benchmarks/vllm_overhead.py                                  # a tiny model; on a CPU, at most 1.10x
    python benchmarks/vllm_overhead.py --shape 7b --prompts 1319 --tokens 200 --bar 1.03     # on an H200
    python benchmarks/vllm_overhead.py --shape 7b --separate --bar 1.03    # against vLLM's own default settings

The weights are random (`load_format="dummy"`) and the prompts are random token ids, so only speed means anything here;
`--shape 7b` has the shape of Qwen2.5-7B. By default both sides run on one engine, in turns, with the prefix cache
emptied before every run. With `--separate` each side has its own engine in its own process, one after the other: ours
with the CUDA graphs that this project captures, theirs with all that vLLM captures by default; start-up times are then
compared too.

Three workloads: the base alone, one LoRA alone, and both mixed. The ratio is the median over rounds of ours to the bare
call of the same round, which turns token ids into text as ours does; the range of the rounds' ratios says how noisy the
machine is. The bare call is timed without text too.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from harness.candidates.settings import EngineSettings  # noqa: E402
from harness.candidates.tokenizer import PromptTokenizer  # noqa: E402
from harness.digest import digest_file  # noqa: E402
from harness.engines.base import Adapter, EngineSpec, Request, Sampling  # noqa: E402
from harness.engines.vllm import VllmEngine  # noqa: E402
from harness.engines.vllm_start import engine_arguments  # noqa: E402

SHAPES: dict[str, dict[str, Any]] = {
    "tiny": {
        "hidden_size": 128,
        "intermediate_size": 384,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "vocab_size": 1856,
        "tie_word_embeddings": True,
    },
    "7b": {
        "hidden_size": 3584,
        "intermediate_size": 18944,
        "num_hidden_layers": 28,
        "num_attention_heads": 28,
        "num_key_value_heads": 4,
        "vocab_size": 152064,
        "tie_word_embeddings": False,
    },
}


def write_model(folder: Path, shape: str) -> None:
    """`config.json` of a Qwen2 and a tokenizer as large as its vocabulary; no weights."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    folder.mkdir(parents=True)
    config = SHAPES[shape] | {
        "architectures": ["Qwen2ForCausalLM"],
        "model_type": "qwen2",
        "hidden_act": "silu",
        "initializer_range": 0.02,
        "max_position_embeddings": 32768,
        "rms_norm_eps": 1e-6,
        "rope_theta": 1000000.0,
        "torch_dtype": "bfloat16",
        "use_sliding_window": False,
        "eos_token_id": 0,
    }
    (folder / "config.json").write_text(json.dumps(config))
    letters = pre_tokenizers.ByteLevel.alphabet()
    special = ["<|end|>", "<|endoftext|>"]  # the second one pads
    words = [f"Ġw{n}" for n in range(SHAPES[shape]["vocab_size"] - len(letters) - len(special))]
    vocabulary = {token: n for n, token in enumerate([*special, *letters, *words])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(special)
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": special[0], "pad_token": special[1]}
    (folder / "tokenizer_config.json").write_text(json.dumps(names))


def write_adapter(folder: Path, shape: str, rank: int) -> Adapter:
    """A random LoRA on every linear layer."""
    import torch
    from safetensors.torch import save_file

    size = SHAPES[shape]
    hidden, inner = size["hidden_size"], size["intermediate_size"]
    kv = hidden // size["num_attention_heads"] * size["num_key_value_heads"]
    modules = {
        "self_attn.q_proj": (hidden, hidden),
        "self_attn.k_proj": (hidden, kv),
        "self_attn.v_proj": (hidden, kv),
        "self_attn.o_proj": (hidden, hidden),
        "mlp.gate_proj": (hidden, inner),
        "mlp.up_proj": (hidden, inner),
        "mlp.down_proj": (inner, hidden),
    }
    folder.mkdir(parents=True)
    tensors = {}
    for layer in range(size["num_hidden_layers"]):
        for name, (into, out) in modules.items():
            prefix = f"base_model.model.model.layers.{layer}.{name}"
            tensors[f"{prefix}.lora_A.weight"] = (torch.randn(rank, into) * 0.01).to(torch.bfloat16)
            tensors[f"{prefix}.lora_B.weight"] = (torch.randn(out, rank) * 0.01).to(torch.bfloat16)
    save_file(tensors, folder / "adapter_model.safetensors")
    config = {"peft_type": "LORA", "r": rank, "lora_alpha": rank, "bias": "none", "task_type": "CAUSAL_LM"}
    config |= {"target_modules": sorted({name.rsplit(".", 1)[-1] for name in modules})}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    return Adapter(folder, digest_file(folder / "adapter_model.safetensors"), rank)


class OnBareEngine(VllmEngine):
    """The project's engine on the `LLMEngine` of a bare `LLM`, so that both can be timed on one."""

    llm: Any = None

    def _build(self, arguments: dict[str, Any]) -> Any:
        from vllm import LLM

        self.llm = LLM(**arguments)
        return self.llm.llm_engine


class Sides:
    """The ways to run one workload; each returns the tokens it made."""

    def __init__(self, tokens: int, llm: Any, ours: VllmEngine | None, adapter: Adapter) -> None:
        self.tokens, self.llm, self.engine, self.adapter = tokens, llm, ours, adapter

    def ours(self, prompts: list[tuple[int, ...]], tuned: list[bool]) -> int:
        assert self.engine is not None
        sampling = Sampling(max_tokens=self.tokens)
        requests = [
            Request(str(n), str(n), "t", 0, sampling, token_ids=ids, adapter=self.adapter if lora else None)
            for n, (ids, lora) in enumerate(zip(prompts, tuned, strict=True))
        ]
        return sum(done.completion_tokens for finished in self.engine.generate(requests) for done in finished)

    def bare(self, prompts: list[tuple[int, ...]], tuned: list[bool], *, text: bool) -> int:
        from vllm import SamplingParams
        from vllm.lora.request import LoRARequest

        # The adapter's number in an engine that loaded it first.
        lora = LoRARequest(self.adapter.digest, 1, str(self.adapter.path))
        params = SamplingParams(max_tokens=self.tokens, temperature=0.0, ignore_eos=True, detokenize=text)
        outputs = self.llm.generate(
            [{"prompt_token_ids": list(ids)} for ids in prompts],
            params,
            lora_request=[lora if use else None for use in tuned],
            use_tqdm=False,
        )
        return sum(len(output.outputs[0].token_ids) for output in outputs)

    def table(self) -> dict[str, Callable[[list[tuple[int, ...]], list[bool]], int]]:
        found: dict[str, Callable[[list[tuple[int, ...]], list[bool]], int]] = {}
        if self.engine is not None:
            found["ours"] = self.ours
        if self.llm is not None:
            found["bare, text"] = lambda prompts, tuned: self.bare(prompts, tuned, text=True)
            found["bare, ids"] = lambda prompts, tuned: self.bare(prompts, tuned, text=False)
        return found


def measure(sides: Sides, options: argparse.Namespace, vocabulary: int) -> dict[str, dict[str, list[float]]]:
    """Seconds of every round by workload and side."""
    reset = (sides.llm.llm_engine if sides.llm is not None else sides.engine._engine).reset_prefix_cache
    workloads = {
        "base": [False] * options.prompts,
        "lora": [True] * options.prompts,
        "mixed": [n % 2 == 1 for n in range(options.prompts)],
    }
    found: dict[str, dict[str, list[float]]] = {}
    for name, tuned in workloads.items():
        if name not in options.workloads:
            continue
        seconds: dict[str, list[float]] = {side: [] for side in sides.table()}
        for round_number in range(-1, options.rounds):  # the first round warms up
            draw = random.Random(f"{name} {round_number}")
            lengths = [draw.randint(options.prompt_tokens // 2, options.prompt_tokens) for _ in tuned]
            prompts = [tuple(draw.randrange(300, vocabulary) for _ in range(length)) for length in lengths]
            order = list(seconds)
            draw.shuffle(order)
            for side in order:
                reset()
                since = time.perf_counter()
                made = sides.table()[side](prompts, tuned)
                took = time.perf_counter() - since
                assert made == options.prompts * options.tokens, f"{side} made {made} tokens"
                if round_number >= 0:
                    seconds[side].append(took)
        found[name] = seconds
        print(f"{name}: {found[name]}", file=sys.stderr, flush=True)
    return found


def run_side(options: argparse.Namespace, side: str) -> dict[str, Any]:
    """Start what `side` needs ("both", "ours" or "bare"), measure, and stop it."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    with tempfile.TemporaryDirectory() as scratch:
        model = Path(scratch) / "model"
        write_model(model, options.shape)
        adapter = write_adapter(Path(scratch) / "lora", options.shape, 16)
        spec = EngineSpec(
            model=model,
            tokenizer=PromptTokenizer(model),
            dtype="bfloat16" if device == "cuda" else "float32",
            quantization=None,
            device=device,
            max_model_len=options.prompt_tokens + options.tokens,
            adapters=(adapter,),
            settings=EngineSettings(
                max_num_seqs=options.max_num_seqs, args={"load_format": "dummy", **json.loads(options.args)}
            ),
        )
        since = time.perf_counter()
        if side == "bare":
            from vllm import LLM

            given = engine_arguments(spec)
            given.pop("cudagraph_capture_sizes", None)
            bare, ours = LLM(**given), None
            bare.llm_engine.add_lora(_request(adapter))
        else:
            ours = OnBareEngine(spec) if side == "both" else VllmEngine(spec)
            bare = ours.llm if isinstance(ours, OnBareEngine) else None
        started = time.perf_counter() - since
        seconds = measure(Sides(options.tokens, bare, ours, adapter), options, SHAPES[options.shape]["vocab_size"])
        version = ours.version if ours else ""
        if ours:
            ours.close()
        return {"start": started, "seconds": seconds, "device": device, "version": version}


def _request(adapter: Adapter) -> Any:
    from vllm.lora.request import LoRARequest

    return LoRARequest(adapter.digest, 1, str(adapter.path))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=sorted(SHAPES), default="tiny")
    parser.add_argument("--prompts", type=int, default=96)
    parser.add_argument("--prompt-tokens", type=int, default=64, help="most tokens of a prompt; the least is half")
    parser.add_argument("--tokens", type=int, default=32, help="tokens of every answer")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workloads", nargs="+", choices=["base", "lora", "mixed"], default=["base", "lora", "mixed"])
    parser.add_argument("--max-num-seqs", type=int, default=None)
    parser.add_argument("--args", default="{}", help="more engine arguments, as JSON")
    parser.add_argument("--bar", type=float, default=1.10, help="highest ratio that passes")
    parser.add_argument("--separate", action="store_true", help="an engine for each side, theirs with its defaults")
    parser.add_argument("--side", choices=["ours", "bare"], help=argparse.SUPPRESS)
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    if options.side:
        options.json.write_text(json.dumps(run_side(options, options.side)))
        return 0
    if options.separate:
        result = _in_processes()
    else:
        result = run_side(options, "both")
        result["start"] = {"both": result["start"]}
    worst = 0.0
    print(f"{result['version']}, {result['device']}, shape {options.shape} (random weights and prompts)")
    print(f"{options.prompts} prompts of up to {options.prompt_tokens} tokens, {options.tokens} tokens each")
    for workload, seconds in result["seconds"].items():
        ratios = [ours / bare for ours, bare in zip(seconds["ours"], seconds["bare, text"], strict=True)]
        ratio = statistics.median(ratios)
        worst = max(worst, ratio)
        shown = "  ".join(f"{side} {statistics.median(times):.3f} s" for side, times in seconds.items())
        print(f"{workload:6} {shown}  ratio {ratio:.3f} (rounds {min(ratios):.3f} to {max(ratios):.3f})")
    print("start  " + "  ".join(f"{side} {seconds:.1f} s" for side, seconds in result["start"].items()))
    print(f"worst ratio {worst:.3f}, bar {options.bar:.2f}: {'pass' if worst <= options.bar else 'FAIL'}")
    if options.json:
        options.json.write_text(json.dumps(result | {"worst": worst, "options": vars(options) | {"json": None}}))
    return 0 if worst <= options.bar else 1


def _in_processes() -> dict[str, Any]:
    """Measure each side in a process of its own and join the figures."""
    results = {}
    for side in ("ours", "bare"):
        with tempfile.TemporaryDirectory() as scratch:
            file = Path(scratch) / "result.json"
            given = [word for word in sys.argv[1:] if word != "--separate"]
            subprocess.run([sys.executable, __file__, *given, "--side", side, "--json", str(file)], check=True)
            results[side] = json.loads(file.read_text())
    ours, bare = results["ours"], results["bare"]
    return {
        "version": ours["version"],
        "device": ours["device"],
        "start": {side: result["start"] for side, result in results.items()},
        "seconds": {name: ours["seconds"][name] | bare["seconds"][name] for name in ours["seconds"]},
    }


if __name__ == "__main__":
    sys.exit(main())
