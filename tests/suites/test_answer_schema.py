"""Answers held to a JSON schema: what a suite may say, and where nobody can hold them to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import api
from harness.errors import InputError
from harness.suites.spec import load_suite

BASE = Path(__file__).resolve().parents[2] / "harness" / "demo" / "models" / "base"
SUITE = """\
name: held
tasks:
  - {name: qa, role: guard, goldset: medical-qa, scorers: [exact], primary: exact, margin: 0.1,
     generation: {json_schema: SCHEMA}}
"""


def suite(folder: Path, schema: str) -> str:
    (folder / "held.yaml").write_text(SUITE.replace("SCHEMA", schema), encoding="utf-8")
    return str(folder / "held.yaml")


@pytest.mark.parametrize("schema", ['"{no"', "'[1]'", "'3'"])
def test_what_is_no_schema_is_refused_with_its_key(tmp_path: Path, schema: str) -> None:
    with pytest.raises(InputError, match=r"json_schema.*is no JSON schema"):
        load_suite(suite(tmp_path, schema))


def test_a_schema_is_the_same_as_yaml_and_as_text(tmp_path: Path) -> None:
    found = [load_suite(suite(tmp_path, schema))[0].digest for schema in ("{type: object}", '\'{"type": "object"}\'')]
    assert found[0] == found[1]


def test_an_engine_that_cannot_hold_answers_to_it_is_named_before_anything_is_asked(tmp_path: Path) -> None:
    request = api.Request((str(BASE),), suite(tmp_path, "{type: object}"), engine="transformers")
    assert (
        "task 'qa': transformers cannot hold answers to its json_schema; vLLM can" in api.prepare(request).plan.warnings
    )
    free = SUITE.replace(",\n     generation: {json_schema: SCHEMA}", "")
    (tmp_path / "held.yaml").write_text(free, encoding="utf-8")
    assert not any("json_schema" in warning for warning in api.prepare(request).plan.warnings)
