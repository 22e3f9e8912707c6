"""Starting and stopping vLLM: in a process of its own, because the session's engine is the only one in this one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness.engines.base import Engine, Sampling
from tests.engines.conftest import Tiny

SCRIPT = """
import sys
from dataclasses import replace
from pathlib import Path

from harness.candidates.settings import EngineSettings
from harness.candidates.tokenizer import PromptTokenizer
from harness.engines.base import Adapter, EngineSpec, Request, Sampling
from harness.engines.vllm import VllmEngine
from harness.errors import HarnessError

model, lora, strange = map(Path, sys.argv[1:])
good = Adapter(lora, "good", 8)
BOTH = {"vllm": {"enable_prefix_caching": False}, "transformers": {"attn_implementation": "eager"}}
spec = EngineSpec(model, PromptTokenizer(model), "float32", None, "cpu", 64, (good,))
request = Request("k", "k", "t", 0, Sampling(max_tokens=4), token_ids=(5, 6), adapter=good)
for name, opened in {
    "first": spec,
    "strange": replace(spec, adapters=(good, Adapter(strange, "strange", 8))),
    "long": replace(spec, settings=EngineSettings(args={"max_model_len": 100000})),
    "key": replace(spec, settings=EngineSettings(args={"max_model_length": 64})),
    "own key": replace(spec, settings=EngineSettings(vllm={"enable_prefix_cashing": False})),
    "last": replace(spec, adapters=(), settings=EngineSettings(max_num_seqs=4, **BOTH)),
}.items():
    try:
        engine = VllmEngine(opened)
        asked = request if opened.adapters else replace(request, adapter=None)
        print(name, [completion.finish_reason for done in engine.generate([asked]) for completion in done])
        engine.close()
        engine.close()
        next(engine.generate([asked]))
    except HarnessError as error:
        print(name, error)
"""


@pytest.mark.vllm
@pytest.mark.slow
def test_engines_open_one_after_the_other_and_failures_say_what_to_do(tiny: Tiny, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(tiny.lora_a.path / "adapter_model.safetensors")
    save_file(
        {key.replace("q_proj", "query"): value for key, value in tensors.items()},
        tmp_path / "adapter_model.safetensors",
    )
    (tmp_path / "adapter_config.json").write_bytes((tiny.lora_a.path / "adapter_config.json").read_bytes())
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tiny.spec.model), str(tiny.lora_a.path), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert said[0] == "first ['length']", "nothing but this program's own lines may be on stdout"
    assert said[1] == "first the vLLM engine is closed."
    assert said[2].startswith(f"strange {tmp_path}: vLLM cannot load this adapter: ")
    assert "max_model_len" in said[3]
    assert "output is in" in said[3]
    assert said[4].startswith(
        "key engine.args: vLLM has no engine argument 'max_model_length'. Did you mean 'max_model_len'"
    )
    assert said[5].startswith("own key engine.vllm: vLLM has no engine argument 'enable_prefix_cashing'. Did you mean")
    assert said[6:] == ["last ['length']", "last the vLLM engine is closed."]


@pytest.mark.vllm
def test_an_answer_held_to_a_schema_keeps_to_it_and_the_others_stay_free(vllm_engine: Engine, tiny: Tiny) -> None:
    schema = json.dumps(
        {
            "type": "object",
            "properties": {"verdict": {"enum": ["甲", "乙"]}, "score": {"enum": [1, 2]}},
            "required": ["verdict", "score"],
            "additionalProperties": False,
        },
        ensure_ascii=False,
    )
    free = Sampling(max_tokens=64, stop_token_ids=(2,))
    held = free.model_copy(update={"json_schema": schema})
    asked = [
        tiny.request(f"{name}-{kind}", "ab", sampling, adapter)
        for name, adapter in tiny.adapters.items()
        for kind, sampling in (("held", held), ("free", free))
    ]
    answers = {done.key: done for batch in vllm_engine.generate(asked) for done in batch}
    for name in tiny.adapters:
        found = json.loads(answers[f"{name}-held"].text)
        assert set(found) == {"verdict", "score"}
        assert found["verdict"] in ("甲", "乙")
        assert found["score"] in (1, 2)
        assert answers[f"{name}-held"].finish_reason == "stop"
        assert "verdict" not in answers[f"{name}-free"].text, "a model of random weights says so only when it has to"
