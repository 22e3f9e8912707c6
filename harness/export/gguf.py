"""llama.cpp's own tools, where they are installed: from a merged folder to a GGUF file.

What was converted is read back through transformers and held against the adapter like any export; the arithmetic of
llama.cpp itself is not seen by that.

Source: https://github.com/ggml-org/llama.cpp (convert_hf_to_gguf.py, tools/quantize).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import InputError

#: A folder with llama.cpp: a checkout (built or not) or an unpacked release.
VARIABLE = "LLAMA_CPP"

_CONVERTER = "convert_hf_to_gguf.py"
_QUANTIZER = "llama-quantize"

#: Where a checkout keeps what it builds.
_BELOW = (".", "build/bin", "bin")

#: What the converter writes by itself; every other format is quantised from 16 bits.
_CONVERTED = {"q8_0"}

#: Characters of a tool's last words that are shown.
_SHOWN = 600


@dataclass(frozen=True)
class Tools:
    """Where the tools are.

    Attributes:
        quantizer: None where the format needs none.
    """

    converter: Path
    quantizer: Path | None


def find_tools(form: str) -> Tools:
    """The tools that a number format needs, from $LLAMA_CPP, else from PATH.

    Args:
        form: `q8_0` or `q4_k_m`.

    Raises:
        InputError: one is missing; says how to install it.
    """
    converter = _find(_CONVERTER)
    if form in _CONVERTED:
        return Tools(converter, None)
    return Tools(converter, _find(_QUANTIZER))


def convert(merged: Path, form: str, file: Path, tools: Tools, *, dtype: str) -> None:
    """Write `file` from a merged folder; what lies between is removed.

    Args:
        dtype: of the merged weights, `bfloat16` or `float16`.

    Raises:
        InputError: a tool fails or writes nothing; shows its last words.
    """
    if tools.quantizer is None:
        _convert(tools.converter, merged, file, form)
        return
    whole = file.with_suffix(".16.gguf")
    try:
        _convert(tools.converter, merged, whole, "bf16" if dtype == "bfloat16" else "f16")
        _run([str(tools.quantizer), str(whole), str(file), form.upper()], file)
    finally:
        whole.unlink(missing_ok=True)


def number_formats(file: Path) -> str:
    """In which formats a file's weights are, with their shares: `Q4_K 83%, Q6_K 17%`.

    A file called Q4_K_M holds several by design, and none of them where the rows of a model do not divide by 256: those
    llama-quantize writes in another format, of more bits.
    """
    from gguf import GGUFReader

    weights: Counter[str] = Counter()
    for tensor in GGUFReader(file).tensors:
        weights[tensor.tensor_type.name] += int(tensor.n_elements)
    shares = ((name, 100 * count / weights.total()) for name, count in weights.most_common())
    return ", ".join(f"{name} {share:.0f}%" for name, share in shares if share >= 0.5)


def _convert(converter: Path, merged: Path, file: Path, form: str) -> None:
    _run([sys.executable, str(converter), str(merged), "--outfile", str(file), "--outtype", form], file)


def _run(command: Sequence[str], result: Path) -> None:
    name = Path(command[1] if command[0] == sys.executable else command[0]).name
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    except OSError as error:
        raise InputError(f"{name} does not start ({error.strerror})", where=command[0]) from None
    words = done.stdout.decode("utf-8", "replace").strip()[-_SHOWN:]
    if done.returncode != 0:
        raise InputError(
            f"{name} failed with exit code {done.returncode}: {words or 'it said nothing'}",
            remedy="Run it by hand to see more; a missing module: pip install gguf sentencepiece.",
        )
    if not result.is_file() or result.stat().st_size == 0:
        raise InputError(f"{name} ended without an error and wrote no {result.name}: {words or 'it said nothing'}")


def _find(name: str) -> Path:
    """A tool in the folder of $LLAMA_CPP, which goes first, or on PATH."""
    if folder := os.environ.get(VARIABLE):
        if not Path(folder).is_dir():
            raise InputError("is no folder", where=f"{VARIABLE}={folder}", remedy="Name the folder of llama.cpp.")
        found = next((path for below in _BELOW if (path := Path(folder) / below / name).is_file()), None)
        if found is not None:
            return found.resolve()
    # `which` wants an executable, and a script in a checkout need not be one.
    on_path = shutil.which(name) or next(
        (str(path) for part in os.get_exec_path() if (path := Path(part) / name).is_file() and name.endswith(".py")),
        None,
    )
    if on_path is not None:
        return Path(on_path).resolve()
    raise InputError(
        f"{name} of llama.cpp is neither on PATH nor in the folder ${VARIABLE}",
        where="--to gguf",
        remedy=(
            "git clone https://github.com/ggml-org/llama.cpp && pip install gguf sentencepiece && "
            "cmake -S llama.cpp -B llama.cpp/build && cmake --build llama.cpp/build --target llama-quantize && "
            f"export {VARIABLE}=$PWD/llama.cpp"
        ),
    )
