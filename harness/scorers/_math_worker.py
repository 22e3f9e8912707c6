"""The process in which math-verify and sympy run: one comparison a line, each within a budget of CPU seconds.

Started by file name (`harness.scorers._math_process`), so it imports nothing of this package. For the line
`["gold", "answer"]` it writes `read` once the answer has been read and evaluated on its own, then `equal`, `different`,
`unreadable answer` or `unreadable gold`. Out of time or memory it dies, and whoever reads knows by `read` what was the
matter.

math-verify's own timeout is an alarm that Python code has to notice: it works in the main thread only, and not at all
while one big-integer power is computed. Here the kernel ends the process when its timer runs out, wherever it is.
"""

from __future__ import annotations

import json
import logging
import resource
import signal
import sys
from functools import lru_cache
from typing import Any

MEMORY = 3 << 30
FLOAT_DIGITS = 6


def main() -> None:
    """Answer line by line until standard input closes. The argument is the budget."""
    budget = float(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGPROF, signal.SIG_DFL)  # ends the process
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's; it closes the pipe
    logging.disable(logging.CRITICAL)
    from math_verify import parse, verify  # noqa: F401  (before the first budget starts)

    _say("ready")
    for line in sys.stdin:
        gold, answer = json.loads(line)
        signal.setitimer(signal.ITIMER_PROF, budget)
        given = _read(answer)
        if given is not None:
            _settle(given)
        _say("read")
        signal.setitimer(signal.ITIMER_PROF, budget)
        _say(_compared(gold, given))
        signal.setitimer(signal.ITIMER_PROF, 0.0)


def _compared(gold: str, given: Any) -> str:
    wanted = _read(gold)
    if wanted is None:
        return "unreadable gold"
    if given is None:
        return "unreadable answer"
    from math_verify import verify

    # 1 < x < 2 and (1, 2) are two ways to write one answer, whichever of them is the gold one.
    same = verify(wanted, given, float_rounding=FLOAT_DIGITS, allow_set_relation_comp=True, timeout_seconds=None)
    return "equal" if same else "different"


@lru_cache(maxsize=4096)
def _read(latex: str) -> Any:
    """The sympy expression that LaTeX (without `$`) stands for, or None."""
    from math_verify import LatexExtractionConfig, parse

    try:
        found = parse(
            f"${latex}$",
            extraction_config=(LatexExtractionConfig(),),
            fallback_mode="no_fallback",
            parsing_timeout=None,
        )
    except MemoryError:
        sys.exit(1)
    except Exception:
        return None
    return found[0] if found else None


def _settle(given: Any) -> None:
    """Evaluate as the comparison will, so that what cannot be evaluated at all is told from a hard comparison."""
    try:
        given.doit()
    except MemoryError:
        sys.exit(1)
    except Exception:
        pass  # the comparison meets the same, and knows what it means for the score


def _say(word: str) -> None:
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
