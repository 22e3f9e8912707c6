"""Finding llama.cpp's tools and what happens when they fail.

The tools here are scripts made by the tests. They stand for programs that succeed or fail, and prove nothing of GGUF:
what they write is no model, and the command never calls it good.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.export.conftest import NAME, Yard

#: Writes its arguments where the result belongs.
CONVERTER = """\
import pathlib, sys
out = pathlib.Path(sys.argv[sys.argv.index("--outfile") + 1])
assert (pathlib.Path(sys.argv[1]) / "tokenizer.json").is_file()
out.write_text(" ".join(sys.argv[2:]))
"""
QUANTIZER = '#!/bin/sh\necho "$3 of $(cat "$1")" > "$2"\n'


def install(folder: Path, *, converter: str | None = CONVERTER, quantizer: str | None = QUANTIZER) -> Path:
    (folder / "build" / "bin").mkdir(parents=True)
    if converter is not None:
        (folder / "convert_hf_to_gguf.py").write_text(converter, encoding="utf-8")
    if quantizer is not None:
        file = folder / "build" / "bin" / "llama-quantize"
        file.write_text(quantizer, encoding="utf-8")
        file.chmod(0o755)
    return folder


@pytest.mark.parametrize(
    ("to", "missing"), [("gguf:q8_0", "convert_hf_to_gguf.py"), ("gguf:q4_k_m", "convert_hf_to_gguf.py")]
)
def test_without_the_tools_it_is_said_what_to_install(yard: Yard, to: str, missing: str) -> None:
    code, _, err = yard.export(to=to)
    assert code == 2
    assert f"{missing} of llama.cpp is neither on PATH nor in the folder $LLAMA_CPP" in err
    assert "git clone https://github.com/ggml-org/llama.cpp" in err
    assert not (yard.folder / "exports").exists()


def test_the_quantizer_is_missed_only_where_it_is_needed(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLAMA_CPP", str(install(yard.folder / "llama.cpp", quantizer=None)))
    code, _, err = yard.export(to="gguf:q4_k_m")
    assert (code, "llama-quantize of llama.cpp is neither" in err) == (2, True)
    monkeypatch.setenv("LLAMA_CPP", str(yard.folder / "nowhere"))
    code, _, err = yard.export(to="gguf:q8_0")
    assert (code, "is no folder" in err) == (2, True)


@pytest.mark.parametrize(
    ("suffix", "called"),
    [("q8_0", "--outtype q8_0"), ("q4_k_m", "Q4_K_M of ")],
)
def test_what_is_converted_is_never_called_good(
    yard: Yard, monkeypatch: pytest.MonkeyPatch, suffix: str, called: str
) -> None:
    monkeypatch.setenv("LLAMA_CPP", str(install(yard.folder / "llama.cpp")))
    code, out, err = yard.export(to=f"gguf:{suffix}")
    assert code == 4, err
    assert "not proved" in out
    assert "good" not in out
    name = f"{NAME}-{suffix}"
    assert yard.files() == {f"{name}/{name}.gguf", f"{name}/export.json"}
    assert called in (yard.folder / "exports" / name / f"{name}.gguf").read_text(encoding="utf-8")
    assert yard.record(yard.folder / "exports" / name)["parity"]["verdict"] == "unproved"
    assert name not in (yard.folder / "harness.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("converter", "said"),
    [
        ("raise SystemExit('unknown model architecture')", "failed with exit code 1: unknown model architecture"),
        ("print('done')", "ended without an error and wrote no"),
    ],
)
def test_a_tool_that_fails_leaves_nothing(
    yard: Yard, monkeypatch: pytest.MonkeyPatch, converter: str, said: str
) -> None:
    monkeypatch.setenv("LLAMA_CPP", str(install(yard.folder / "llama.cpp", converter=converter)))
    code, _, err = yard.export(to="gguf:q8_0")
    assert code == 2
    assert said in err
    assert yard.files() == set()


def test_tools_on_the_path_are_found(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = install(yard.folder / "tools")
    monkeypatch.setenv("PATH", f"{folder}:{folder / 'build' / 'bin'}", prepend=":")
    assert yard.export(to="gguf:q4_k_m")[0] == 4
