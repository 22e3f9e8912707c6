"""Arguments that are passed through: each engine has its own, one file serves both, a misspelt one is found early."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness import api
from harness.candidates.settings import EngineSettings
from harness.candidates.workspace import load_workspace
from harness.cli import main
from harness.engines.arguments import arguments_of, check_arguments
from harness.engines.served.names import Served, arguments_digest, base_name, discover
from harness.engines.served.standing import _flags
from harness.engines.transformers import TransformersEngine
from harness.engines.vllm_start import engine_arguments, memory_wanted
from harness.errors import InputError
from harness.runs.planning import weights
from tests.engines.conftest import Tiny
from tests.engines.endpoint.server import Reply, chat, serving
from tests.test_api import Script, asked, folder, script

__all__ = ["folder", "script"]  # fixtures

MODELS = Path(__file__).resolve().parents[2] / "harness" / "demo" / "models"
BOTH = "engine:\n  vllm: {max_model_len: 512, enable_prefix_caching: false}\n"
BOTH += "  transformers: {attn_implementation: eager}\n"


def test_each_engine_is_given_its_own_and_what_is_for_both() -> None:
    settings = EngineSettings(args={"a": 1, "b": 1}, vllm={"b": 2}, transformers={"c": 3})
    assert settings.arguments("vllm") == {"a": 1, "b": 2}
    assert settings.arguments("transformers") == {"a": 1, "b": 1, "c": 3}


def test_what_the_installed_engines_take_is_read_without_importing_them() -> None:
    code = (
        "import sys; from pathlib import Path; from harness.engines.arguments import arguments_of\n"
        f"vllm, hf = (arguments_of(name, Path({str(MODELS / 'base')!r})) for name in ('vllm', 'transformers'))\n"
        "assert {'max_model_len', 'enable_prefix_caching', 'hf_overrides', 'quantization'} <= vllm, vllm\n"
        "assert {'attn_implementation', 'device_map', 'quantization_config', 'max_memory', 'rms_norm_eps', 'use_cache',"
        " 'attention_dropout'} <= hf, hf\n"
        "assert not {'torch', 'vllm', 'transformers'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("engine", "settings", "says"),
    [
        ("vllm", {"vllm": {"max_model_length": 9}}, "engine.vllm: vllm has no argument 'max_model_length'. Did you"),
        ("vllm", {"transformers": {"atn_implementation": "x"}}, "engine.transformers: transformers has no argument"),
        ("vllm", {"args": {"attn_implementation": "eager"}}, "transformers takes it: write it under engine.tr"),
        ("transformers", {"args": {"max_num_batched_tokens": 9}}, "vllm takes it: write it under engine.vllm"),
        ("transformers", {"transformers": {"batch_size": 9}}, "Write it as engine.batch_size"),
        ("transformers", {"vllm": {"model": "x"}}, "'model' belongs to the candidate"),
        ("transformers", {"transformers": {"state_dict": {}}}, "'state_dict' belongs to the candidate"),
    ],
)
def test_an_argument_that_an_engine_does_not_take(engine: str, settings: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError) as error:
        check_arguments(EngineSettings(**settings), engine, MODELS / "base")
    assert says in str(error.value)


def test_code_of_the_models_own_may_take_anything() -> None:
    settings = EngineSettings(trust_remote_code=True, transformers={"of_its_own": 1})
    check_arguments(settings, "transformers", MODELS / "base")
    assert arguments_of("transformers", MODELS / "base", remote=True) == frozenset()


def test_an_engine_that_there_is_not(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "harness.yaml").write_text("engine: {vlm: {max_model_len: 9}}\n")
    with pytest.raises(InputError, match=r"unknown key 'engine\.vlm'. Did you mean 'vllm'"):
        load_workspace(folder)


def test_a_misspelt_argument_stops_the_plan(
    folder: Path, script: Script, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    (folder / "harness.yaml").write_text(BOTH.replace("max_model_len", "max_modl_len"))
    assert main(["compare", "./base", "./lora", "--suite", "suite.yaml"]) == 2
    assert "engine.vllm: vllm has no argument 'max_modl_len'. Did you mean 'max_model_len'" in capsys.readouterr().err
    assert script.starts == 0


def test_arguments_are_in_the_keys_of_their_own_engine_only(folder: Path, script: Script) -> None:
    """The scripted engine calls itself transformers."""

    def keys(text: str) -> list[str]:
        (folder / "harness.yaml").write_text(text)
        return [asked.request.key for asked in api.prepare(asked(folder)).plan.candidates[0].asked]

    plain = keys("engine: {}\n")
    assert keys("engine: {vllm: {max_model_len: 512}}\n") == plain
    eager = keys(BOTH)
    assert set(eager).isdisjoint(plain)
    assert keys("engine: {args: {attn_implementation: eager}}\n") == eager, "the same argument, however it is written"


def test_vllm_is_given_them(tiny: Tiny) -> None:
    settings = EngineSettings(
        vllm={"max_model_len": 99, "gpu_memory_utilization": 0.3, "tensor_parallel_size": 2},
        transformers={"attn_implementation": "eager"},
    )
    given = engine_arguments(replace(tiny.spec, settings=settings))
    assert given["max_model_len"] == 99
    assert "attn_implementation" not in given
    assert memory_wanted(settings) == (0.3, 2)


def test_transformers_is_given_them(tiny: Tiny) -> None:
    settings = EngineSettings(vllm={"max_model_len": 99}, transformers={"attn_implementation": "eager"})
    with TransformersEngine(replace(tiny.spec, settings=settings)) as engine:
        assert engine._model._model.config._attn_implementation == "eager"


def test_a_server_is_given_them_also_what_is_switched_off(tiny: Tiny) -> None:
    passed = {
        "enable_prefix_caching": False,
        "enforce_eager": True,
        "cudagraph_capture_sizes": [1, 2],
        "hf_overrides": {"rope_theta": 1e6},
        "max_num_batched_tokens": 2048,
        "load_format": None,
    }
    flags = _flags(replace(tiny.spec, settings=EngineSettings(vllm=passed)), "name", 1)
    said = " ".join(flags)
    for part in (
        "--no-enable-prefix-caching",
        "--enforce-eager",
        "--cudagraph-capture-sizes 1 2",
        '--hf-overrides {"rope_theta": 1000000.0}',
        "--max-num-batched-tokens 2048",
    ):
        assert part in said
    assert "load-format" not in said
    assert "trust-remote-code" not in said, "what the harness leaves alone is left alone"


def test_a_servers_name_says_what_it_was_started_with() -> None:
    passed = arguments_digest({"enable_prefix_caching": False})
    assert arguments_digest({}) == ""
    assert base_name("ab12", "float32", None, passed) == f"sha256:ab12:float32:none:{passed}"
    listed = {"data": [{"id": f"sha256:ab12:float32:none:{passed}", "max_model_len": 77}]}
    with serving(lambda body, nth: chat("x"), models=Reply(content=listed)) as server:
        found = discover(server.url)
    assert (found.arguments, found.name) == (passed, f"sha256:ab12:float32:none:{passed}")


@pytest.mark.parametrize(("passed", "used"), [({}, False), ({"enforce_eager": True}, True)])
def test_a_server_started_with_arguments_answers_for_the_same_only(
    monkeypatch: pytest.MonkeyPatch, passed: dict[str, Any], used: bool
) -> None:
    name = arguments_digest({"enforce_eager": True})
    stands = Served("http://x/v1", "ab12", "float32", None, "0", 99, arguments=name)
    monkeypatch.setattr(weights, "standing_for", lambda model: stands)
    monkeypatch.setattr(weights, "discover", lambda url: stands)
    found = weights._server(EngineSettings(vllm=passed), [("ab12", None)], {})
    assert (found is stands) == used
    named = EngineSettings(serve="http://x/v1", vllm=passed)
    if used:
        assert weights._server(named, [("ab12", None)], {}) is stands
    else:
        with pytest.raises(InputError, match="started with other arguments"):
            weights._server(named, [("ab12", None)], {})
