"""llama.cpp's server with one GGUF file on a free port of loopback, until its standard input ends.

    python llama_cpp.py FILE

Prints the address. The server is llama.cpp's own, out of the package xllamacpp.
"""

from __future__ import annotations

import sys

import xllamacpp


def main() -> None:
    settings = xllamacpp.CommonParams()
    settings.model.path = sys.argv[1]
    settings.model_alias = {"demo"}
    settings.hostnames = ["127.0.0.1"]
    settings.port = 0
    settings.n_ctx = 4096
    settings.n_parallel = 4
    settings.cpuparams.n_threads = 1  # idle threads spin, and tests run side by side
    settings.warmup = False
    settings.verbosity = 0
    server = xllamacpp.Server(settings)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
