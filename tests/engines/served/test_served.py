"""One real vLLM server of the demo's models, started by `harness serve`: asked by digest, and over plain HTTP."""

from __future__ import annotations

import json
import shutil
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness import api
from harness.candidates.fingerprint import DigestCache, adapter_digest, model_digest
from harness.candidates.reference import resolve
from harness.candidates.workspace import load_workspace
from harness.cli import main
from harness.engines.base import Adapter, Continuation, EngineSpec
from harness.engines.served import standing
from harness.engines.served.engine import ServedEngine
from harness.engines.served.names import adapter_name, discover
from harness.engines.transformers import TransformersEngine
from harness.scorers.likelihoods import read_likelihoods
from tests.engines.served.conftest import ADAPTERS, MODELS

pytestmark = pytest.mark.vllm


def compared(*arguments: str) -> dict[str, Any]:
    code = main(["compare", *arguments, "--suite", "medical", "--limit", "40", "--json", "out.json"])
    assert code == 0
    found: dict[str, Any] = json.loads(Path("out.json").read_text())
    return found


def shown(found: dict[str, Any]) -> list[list[tuple[str, str, float]]]:
    return [[(r["task"], r["verdict"], r["candidate"]) for r in one["results"]] for one in found["comparisons"]]


@pytest.fixture(scope="module")
def ours(yard: Path) -> dict[str, Any]:
    """The comparison by an engine of this process."""
    return compared("base", *ADAPTERS, "--engine", "transformers")


def test_a_warm_server_is_found_and_gives_the_verdicts_of_the_process(
    yard: Path, ours: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """The second adapter was not there when the server started: it is loaded when it is asked."""
    theirs = compared("base", *ADAPTERS)
    assert "a warm server at" in capsys.readouterr().err
    assert theirs["engine_version"].endswith("(vllm server)")
    assert shown(theirs) == shown(ours)
    assert all(f["status"] != "fail" for one in theirs["comparisons"] for f in one["doctor"])
    compared("base", *ADAPTERS)
    assert "0 to generate" in capsys.readouterr().err, "digests prove what answered, so it is not asked again"


def test_over_the_plain_protocol_the_verdicts_are_the_same(yard: Path, ours: dict[str, Any]) -> None:
    found = standing.standing()
    assert found is not None
    served = discover(found.url)
    names = {"base": served.name}
    workspace = load_workspace(yard)
    for name in ADAPTERS:
        adapter = resolve(name, workspace).adapter  # type: ignore[union-attr]
        assert adapter is not None
        names[name] = adapter_name(adapter_digest(adapter))
    theirs = compared(*(f"openai:{model}@{served.url}" for model in names.values()))
    assert theirs["engine"] == "openai"
    assert [[row[:2] for row in one] for one in shown(theirs)] == [[row[:2] for row in one] for one in shown(ours)]
    assert all(r["errors"] == {"base": 0, "candidate": 0} for one in theirs["comparisons"] for r in one["results"])


def test_likelihoods_are_those_of_transformers(yard: Path) -> None:
    found = standing.standing()
    assert found is not None
    workspace = load_workspace(yard)
    candidate = resolve(ADAPTERS[0], workspace)
    digest = adapter_digest(candidate.adapter)  # type: ignore[union-attr, arg-type]
    adapter = Adapter(MODELS / ADAPTERS[0], digest, candidate.adapter.rank)  # type: ignore[union-attr]
    spec = EngineSpec(
        model=MODELS / "base",
        tokenizer=candidate.tokenizer,  # type: ignore[union-attr]
        dtype="float32",
        quantization=None,
        device="cpu",
        max_model_len=256,
        adapters=(adapter,),
    )
    ids = spec.tokenizer.encode("近视的主要症状是什么？看远处模糊。")
    asked = [Continuation(ids[:6], ids[6:], one) for one in (None, adapter)] + [Continuation(ids[:4], (), None)]
    with TransformersEngine(spec) as here:
        wanted = here.logprobs(asked)
    there = ServedEngine(spec, discover(found.url))
    try:
        got = there.logprobs(asked)
    finally:
        there.close()
    assert wanted[0] != wanted[1]
    assert [len(row) for row in got] == [len(row) for row in wanted]
    for row, other in zip(got, wanted, strict=True):
        assert row == pytest.approx(other, abs=1e-3)


CHOICES = """\
name: choices
tasks:
  - {name: letters, role: guard, goldset: tcm-choice, answer: loglikelihood, primary: choice, margin: 0.1,
     scorers: [choice: {method: loglikelihood}]}
  - {name: texts, role: guard, goldset: tcm-choice, answer: loglikelihood, primary: choice, margin: 0.1,
     prompt: "{question}", scorers: [choice: {method: loglikelihood, options: text}]}
"""


def weighed(yard: Path, *references: str) -> list[dict[tuple[str, str], list[float]]]:
    """The likelihoods of the options by task and item, one candidate after the other; asked on transformers."""
    (yard / "choices.yaml").write_text(CHOICES)
    request = api.Request(references, "choices.yaml", limit=12, engine="transformers", fresh=True)
    manifests, samples = api.run(request)
    found = []
    for manifest in manifests:
        rows = {(sample.task, sample.item_id): read_likelihoods(sample.output) for sample in samples[manifest.id]}
        assert len(rows) == 24
        found.append({key: [o.logprob for o in row.options] for key, row in rows.items() if row is not None})
    return found


@pytest.mark.parametrize("way", ["chat", "completion"])
def test_options_weigh_the_same_over_the_plain_protocol(yard: Path, way: str) -> None:
    """With the server's own chat template, and as a text to be continued."""
    found = standing.standing()
    assert found is not None
    served = discover(found.url)
    content = yaml.safe_load((yard / "harness.yaml").read_text())
    adapter = resolve(ADAPTERS[0], load_workspace(yard)).adapter  # type: ignore[union-attr]
    assert adapter is not None
    models = {"base": served.name, ADAPTERS[0]: adapter_name(adapter_digest(adapter))}
    (yard / "bare.txt").write_text("{question}")
    here, there = [], []
    for name, model in models.items():
        endpoint = {"url": served.url, "model": model, "api": way}
        content["candidates"][f"there-{name}"] = {"endpoint": endpoint}
        entry = dict(content["candidates"][name])
        content["candidates"][f"here-{name}"] = entry | ({"prompt": "bare.txt"} if way == "completion" else {})
        here.append(f"here-{name}")
        there.append(f"there-{name}")
    kept = (yard / "harness.yaml").read_bytes()
    try:
        (yard / "harness.yaml").write_text(yaml.safe_dump(content))
        ours, theirs = weighed(yard, *here), weighed(yard, *there)
    finally:
        (yard / "harness.yaml").write_bytes(kept)
    assert ours[0] != ours[1]
    for one, other in zip(ours, theirs, strict=True):
        assert set(one) == set(other)
        for key, values in one.items():
            assert other[key] == pytest.approx(values, abs=2e-3), key


def test_an_adapter_that_was_retrained_is_another(yard: Path, tmp_path: Path) -> None:
    """The same path with other weights, as after training again: never served stale."""
    from safetensors.torch import load_file, save_file

    place = tmp_path / "lora"
    shutil.copytree(MODELS / ADAPTERS[0], place)
    weights = load_file(place / "adapter_model.safetensors")
    found, digests = [], []
    for scale in (0.0, 0.5):
        scaled = {name: value * scale if "lora_B" in name else value for name, value in weights.items()}
        save_file(scaled, place / "adapter_model.safetensors")
        adapter = resolve(str(place), load_workspace(yard), base=str(MODELS / "base")).adapter  # type: ignore[union-attr]
        assert adapter is not None
        digests.append(adapter_digest(adapter))
        found.append(compared("base", str(place), "--base", str(MODELS / "base")))
    without, half = (shown(one)[0] for one in found)
    deltas = [result["delta"] for result in found[0]["comparisons"][0]["results"]]
    assert deltas == [0.0] * len(deltas), "nothing was added to the base"
    assert half != without
    stands = standing.standing()
    assert stands is not None
    with urllib.request.urlopen(f"{stands.url}/models") as response:
        listed = {model["id"] for model in json.load(response)["data"]}
    assert {adapter_name(digest) for digest in digests} <= listed


def test_what_cannot_be_is_said(yard: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "base"]) == 2
    assert "a server stands already at" in capsys.readouterr().err
    assert main(["serve"]) == 0
    assert str(MODELS / "base") in capsys.readouterr().out
    found = standing.standing()
    assert found is not None
    other = tmp_path / "other"
    shutil.copytree(MODELS / "base", other)
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps(config | {"rms_norm_eps": 1e-5}))
    assert model_digest(other, DigestCache()) != found.model
    content = yaml.safe_load((yard / "harness.yaml").read_text()) | {"engine": {"serve": found.url}}
    content["candidates"]["other"] = {"model": str(other)}
    (tmp_path / "harness.yaml").write_text(yaml.safe_dump(content))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        assert main(["run", "other", "--suite", "medical", "--limit", "2"]) == 2
        assert "holds other weights than those of 'other'" in capsys.readouterr().err
        assert main(["run", ADAPTERS[0], "--suite", "medical", "--limit", "2"]) == 0


def plain(yard: Path) -> str:
    """The base, asked over the plain protocol."""
    found = standing.standing()
    assert found is not None
    return f"openai:{discover(found.url).name}@{found.url}"


HELD = """\
name: held
tasks:
  - {name: held, role: guard, goldset: medical-qa, scorers: [exact], primary: exact, margin: 0.1,
     generation: {max_tokens: 100, json_schema: SCHEMA}}
"""


def test_answers_held_to_a_schema_keep_to_it_by_digest_and_over_plain_http(yard: Path) -> None:
    schema = json.dumps(
        {
            "type": "object",
            "properties": {"reason": {"type": "string", "maxLength": 20}, "verdict": {"enum": ["A", "B", "tie"]}},
            "required": ["reason", "verdict"],
            "additionalProperties": False,
        }
    )
    (yard / "held.yaml").write_text(HELD.replace("SCHEMA", schema))
    for reference in ("base", ADAPTERS[0], plain(yard)):
        manifests, samples = api.run(api.Request((reference,), "held.yaml", limit=8, engine="auto"))
        said = [json.loads(sample.output) for sample in samples[manifests[0].id]]
        assert len(said) == 8
        assert all(set(one) == {"reason", "verdict"} and one["verdict"] in ("A", "B", "tie") for one in said)


def test_a_judge_is_held_to_its_form_by_the_server(yard: Path, ours: dict[str, Any]) -> None:
    """The demo's base knows nothing of JSON, nor of verdicts: of its own words none can be read, nothing is judged.

    Held to the form, it gives a verdict wherever its window of 512 tokens leaves it room to come to the end.
    """
    judged = ["judge", "pairwise", ours["id"], "--candidate", ADAPTERS[0], "--task", "medical-qa", "--judge", "base"]
    assert main([*judged, "--json", "judged.json"]) == 0
    (held,) = json.loads(Path("judged.json").read_text())["tasks"]
    assert main([*judged, "--no-structured", "--json", "judged.json"]) == 3
    (free,) = json.loads(Path("judged.json").read_text())["tasks"]
    assert free["n"] + free["unscored"] == held["n"] + held["unscored"]
    assert held["unscored"] < free["unscored"] / 2


def test_a_judge_whose_every_answer_failed_says_why(
    yard: Path, ours: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """Its window has no room for the question and 512 tokens more, which a server does not find out by itself."""
    judged = ["judge", "pairwise", ours["id"], "--candidate", ADAPTERS[0], "--task", "medical-qa"]
    assert main([*judged, "--judge", plain(yard)]) == 3
    said = " ".join(capsys.readouterr().err.split())
    assert "62 of 62 answers failed" in said
    assert "maximum context length is 512 tokens" in said
