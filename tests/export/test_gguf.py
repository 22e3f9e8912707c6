"""Conversions held against their adapter, finding llama.cpp's tools, and what happens when they fail.

The converter is `convert_hf_to_gguf.py` of this folder, which writes real GGUF files; the quantiser reads one and
writes its matrices in 4 bits (Q4_0: nothing in Python writes K-quants).
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harness.candidates.candidate import ModelCandidate
from harness.cli import main
from harness.export import merging
from tests.export.conftest import NAME, Yard
from tests.export.planting import one_matrix_not_merged

CONVERTER = (Path(__file__).parent / "convert_hf_to_gguf.py").read_text(encoding="utf-8")
QUANTIZER = f"""\
#!{sys.executable}
import sys
import gguf
source, out, form = sys.argv[1:]
assert form == "Q4_K_M"
reader, writer = gguf.GGUFReader(source), gguf.GGUFWriter(out, "qwen2")
for field in reader.fields.values():
    if field.name.startswith("GGUF.") or field.name == "general.architecture":
        continue
    kind = field.types[-1] if field.types[0] == gguf.GGUFValueType.ARRAY else None
    writer.add_key_value(field.name, field.contents(), field.types[0], sub_type=kind)
for tensor in reader.tensors:
    values = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
    matrix = values.ndim == 2
    kind = gguf.GGMLQuantizationType.Q4_0 if matrix else gguf.GGMLQuantizationType.F32
    writer.add_tensor(tensor.name, gguf.quants.quantize(values, kind), raw_dtype=kind)
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
"""

#: Enough for the probe, which looks at 20 answers.
FEW = ("--limit", "8")


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
    ("suffix", "bits", "weights", "on_path"), [("q8_0", 8, "Q8_0 100%", False), ("q4_k_m", 4, "Q4_0 100%", True)]
)
def test_a_conversion_is_held_against_adapter_and_merge(
    yard: Yard, monkeypatch: pytest.MonkeyPatch, suffix: str, bits: int, weights: str, on_path: bool
) -> None:
    tools = install(yard.folder / "llama.cpp")
    if on_path:
        monkeypatch.setenv("PATH", f"{tools}:{tools / 'build' / 'bin'}", prepend=":")
    else:
        monkeypatch.setenv("LLAMA_CPP", str(tools))
    code, out, err = yard.export(*FEW, to=f"gguf:{suffix}")
    assert code == 0, out + err
    name = f"{NAME}-{suffix}"
    record = yard.record(yard.folder / "exports" / name)
    assert (record["bits"], record["parity"]["verdict"], record["merged"]["verdict"]) == (bits, "good", "good")
    assert [task["asked"] for task in record["parity"]["tasks"]] == [8, 8, 8]
    assert f"merge_and_unload in bfloat16, then llama.cpp to {suffix} (weights: {weights})" in record["method"]
    assert f"its weights are {weights}" in out + err
    kept = yard.files()
    assert f"{name}/{name}.gguf" in kept
    assert not any("safetensors" in file for file in kept), "the merge is not kept"
    assert name in (yard.folder / "harness.yaml").read_text(encoding="utf-8")
    code, line = yard.doctor(name)
    assert (code, line.startswith("merge-parity pass")) == (0, True), line
    if bits == 8:
        only_transformers_reads_it(yard, yard.folder / "exports" / name)


def only_transformers_reads_it(yard: Yard, place: Path) -> None:
    code, _, err = yard("run", str(place), "--suite", "medical", "--limit", "2", "--engine", "vllm")
    assert (code, "the weights are a GGUF file" in err) == (2, True)
    code, _, err = yard("export", NAME, "--to", "gguf:q8_0", "--replace", "--engine", "vllm")
    assert (code, "a GGUF is read through transformers" in err) == (2, True)
    (place / "other.gguf").write_bytes(b"GGUF")
    code, _, err = yard("run", str(place), "--suite", "medical", "--limit", "2")
    assert (code, "several GGUF files" in err) == (2, True)


def test_a_damaged_conversion_has_drifted_though_its_merge_is_good(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLAMA_CPP", str(install(yard.folder / "llama.cpp")))
    monkeypatch.setenv("FAULT", "rows")
    code, out, err = yard.export(*FEW, to="gguf:q8_0")
    assert code == 1, out + err
    name = f"{NAME}-q8_0"
    record = yard.record(yard.folder / "exports" / name)
    assert (record["merged"]["verdict"], record["parity"]["verdict"]) == ("good", "drifted")
    assert "drifted: do not deploy it" in out
    assert "lost  " in out, "what it lost is shown with its texts"
    assert name not in (yard.folder / "harness.yaml").read_text(encoding="utf-8")


def test_four_bits_do_not_hide_a_damaged_merge(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a damaged matrix does is less than four bits may do, so the merge has to be looked at by itself."""
    monkeypatch.setenv("LLAMA_CPP", str(install(yard.folder / "llama.cpp")))
    merge = merging.merge

    def damaged(candidate: ModelCandidate, dtype: merging.Dtype, folder: Path) -> None:
        merge(candidate, dtype, folder)
        one_matrix_not_merged(folder)

    monkeypatch.setattr(merging, "merge", damaged)
    code, out, err = yard.export(*FEW, to="gguf:q4_k_m")
    assert code == 1, out + err
    record = yard.record(yard.folder / "exports" / f"{NAME}-q4_k_m")
    assert record["merged"]["verdict"] == "drifted"
    assert record["parity"]["verdict"] == "drifted"


def test_a_run_that_broke_off_before_the_verdict_goes_on(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLAMA_CPP", str(install(yard.folder / "llama.cpp")))
    with monkeypatch.context() as patch:
        patch.setattr("harness.export.exporting.api.compare", _killed)
        assert main(["export", NAME, "--to", "gguf:q8_0", *FEW]) != 0
    file = yard.folder / "exports" / f"{NAME}-q8_0" / f"{NAME}-q8_0.gguf"
    written = file.stat().st_mtime_ns
    code, out, err = yard.export(*FEW, to="gguf:q8_0")
    assert (code, "converting" in err) == (0, False), out + err
    assert file.stat().st_mtime_ns == written


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


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
