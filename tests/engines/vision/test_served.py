"""Pictures at a warm server: one real vLLM server of the tiny vision model, started by `harness serve`."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.candidates.settings import EngineSettings
from harness.candidates.tokenizer import PromptTokenizer
from harness.cli import main
from harness.engines.endpoint.faults import Refused
from harness.engines.served import standing
from harness.engines.served.engine import ServedEngine
from harness.engines.served.names import discover
from harness.engines.served.pictures import PICTURES, as_template, check_prompt, pictures_served
from harness.errors import InputError
from tests.engines.vision import tiny
from tests.engines.vision.conftest import Asked, Seeing


def served(test: Any) -> Any:
    """A test that needs the server."""
    return pytest.mark.vllm(pytest.mark.slow(test))


@pytest.fixture(scope="module")
def yard(seeing: Seeing, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder whose harness.yaml names base and LoRA, with a suite of pictures; a server of the base stands."""
    folder = tmp_path_factory.mktemp("served")
    entries: dict[str, Any] = {"base": {"model": str(seeing.spec.model)}}
    entries["lora"] = {"base": "base", "adapter": str(seeing.lora.path)}
    (folder / "harness.yaml").write_text(yaml.safe_dump({"candidates": entries}))
    rows = [
        {"id": f"p{n}", "question": shown.question, "answer": shown.answer,
         "images": [tiny.draw(folder, *picture) for picture in shown.pictures]}
        for n, shown in enumerate([*tiny.ONE, *tiny.TWO])
    ]  # fmt: skip
    (folder / "colours.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    task = {"name": "colours", "role": "target", "goldset": "colours.jsonl", "scorers": ["exact"], "primary": "exact"}
    suite = {"name": "seen", "tasks": [task | {"generation": {"max_tokens": 8}}]}
    (folder / "seen.yaml").write_text(yaml.safe_dump(suite))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("HARNESS_CACHE", str(folder / "cache"))
        patch.delenv("OPENAI_API_KEY", raising=False)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = str(free.getsockname()[1])
        try:
            assert main(["serve", "base", "--port", port]) == 0
            yield folder
        finally:
            assert main(["serve", "--stop"]) == 0


@pytest.fixture(scope="module")
def answers(yard: Path, seeing: Seeing, questions: Asked) -> Asked:
    found = standing.standing()
    assert found is not None
    asked = Asked(questions.requests, questions.continuations)
    engine = ServedEngine(seeing.spec, discover(found.url))
    try:
        asked.ask(engine)
    finally:
        engine.close()
    return asked


def compared(*options: str) -> dict[str, Any]:
    assert main(["compare", "base", "lora", "--suite", "seen.yaml", "--json", "out.json", *options]) == 0
    found: dict[str, Any] = json.loads(Path("out.json").read_text())
    return found


@served
def test_answers_are_those_of_the_engine_of_this_process(answers: Asked, transformers_answers: Asked) -> None:
    assert answers.completions.keys() == transformers_answers.completions.keys()
    for key, ours in transformers_answers.completions.items():
        theirs = answers.completions[key]
        assert (theirs.text, theirs.prompt_tokens) == (ours.text, ours.prompt_tokens), key
        assert bool(theirs.error) == bool(ours.error), (key, theirs.error)
    assert "was changed while this was running" in answers.completions["changed"].error
    assert "cannot be read" in answers.completions["gone"].error


@served
def test_likelihoods_beside_pictures_are_the_same(answers: Asked, transformers_answers: Asked) -> None:
    for key, values in transformers_answers.logprobs.items():
        assert answers.logprobs[key] == pytest.approx(values, abs=2e-3), key


@served
def test_a_suite_with_pictures_is_compared(yard: Path, capsys: pytest.CaptureFixture[str]) -> None:
    theirs = compared()
    assert "a warm server at" in capsys.readouterr().err
    ours = compared("--engine", "transformers", "--store", "ours")
    results = [one["comparisons"][0]["results"][0] for one in (theirs, ours)]
    assert results[0] == results[1]
    assert results[0]["candidate"] == 1.0
    assert results[0]["verdict"] == "improved"
    assert all(finding["status"] != "fail" for finding in theirs["comparisons"][0]["doctor"])


@served
def test_more_pictures_than_it_was_started_for(yard: Path, seeing: Seeing) -> None:
    found = standing.standing()
    assert found is not None
    with pytest.raises(InputError, match=r"takes 4 pictures in one prompt, and a question has 5.*\{image: 5, "):
        ServedEngine(replace(seeing.spec, max_images=5), discover(found.url))


def test_a_prompt_is_a_template_that_writes_it(seeing: Seeing) -> None:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    text = 'q "{{ x }}" {% raw %} \\n \\ \x07 \u2028 医\n<|image_pad|>{# #}\r\n'
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    assert environment.from_string(as_template(text)).render() == text


def test_other_tokens_than_were_meant_are_no_answer(seeing: Seeing) -> None:
    request = seeing.request("k", tiny.ONE[0])
    (image,) = request.images
    vision = seeing.vision
    at = request.token_ids.index(vision.token_id)
    meant = [*request.token_ids[:at], *[vision.token_id] * vision.tokens(image), *request.token_ids[at + 1 :]]
    check_prompt(meant, request.token_ids, request.images, vision)
    for other in (None, meant[1:], [*meant, 5]):
        with pytest.raises(Refused, match="other tokens"):
            check_prompt(other, request.token_ids, request.images, vision)


def test_the_limit_on_pictures_is_that_of_the_start() -> None:
    assert pictures_served(EngineSettings()) == PICTURES
    assert pictures_served(EngineSettings(vllm={"limit_mm_per_prompt": {"image": 9}})) == 9


def test_ids_come_back_from_the_text_that_is_sent(seeing: Seeing, questions: Asked) -> None:
    tokenizer = PromptTokenizer(seeing.spec.model)
    for request in questions.requests.values():
        assert tokenizer.encode(tokenizer.decode(list(request.token_ids), skip_special=False)) == request.token_ids
