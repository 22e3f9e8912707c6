"""Make PyPI's torchvision importable beside a CPU build of torch: run once by the Makefile, for the test environment.

Qwen2.5-VL needs torchvision to resize images. Its wheel on PyPI is a CUDA build: beside a CPU torch its C++ operators
do not load, and importing it fails ("operator torchvision::nms does not exist") because it registers shapes for two
operators that nobody declared. Nothing here calls either, so declaring them is enough. vLLM looks at models in
processes of its own, so the declaration has to be a start-up hook of the environment (a `.pth` file), and a lazy one:
it does nothing until somebody imports torchvision.

Where torchvision imports as it is (a GPU machine, a matching CPU build) no hook is written and an old one is removed.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

NAME = "_torchvision_on_cpu"
HOOK = '''\
"""Written by tests/torchvision_on_cpu.py: declares two operators just before torchvision is imported."""

import sys


class _Declare:
    def find_spec(self, name, path=None, target=None):
        if name == "torchvision":
            sys.meta_path.remove(self)
            import torch

            library = torch.library.Library("torchvision", "DEF")
            for operator in ("nms", "qnms"):
                library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
            _Declare.library = library  # operators live as long as their library
        return None


sys.meta_path.insert(0, _Declare())
'''


def imports() -> bool:
    """Whether torchvision can be imported in a fresh process of this environment."""
    return subprocess.run([sys.executable, "-c", "import torchvision"], capture_output=True).returncode == 0


def main() -> None:
    packages = Path(sysconfig.get_path("purelib"))
    hook, start = packages / f"{NAME}.py", packages / f"{NAME}.pth"
    for file in (start, hook):
        file.unlink(missing_ok=True)
    if imports():
        return
    hook.write_text(HOOK, encoding="utf-8")
    start.write_text(f"import {NAME}\n", encoding="utf-8")
    if not imports():
        sys.exit("torchvision cannot be imported, with or without its operators declared")


if __name__ == "__main__":
    main()
