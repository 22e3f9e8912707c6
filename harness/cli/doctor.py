"""`harness doctor`: what this machine has, and what stands in the way."""

from __future__ import annotations

from harness.cli import options
from harness.errors import EXIT_OK


def doctor(store: options.Store = None, demo: options.Demo = False) -> int:
    """Show versions, GPUs and who holds their memory, the store, the caches and the settings in force.

    Exit code 0, whatever it finds: it is what you paste into a bug report. Secrets are never shown.
    """
    from harness.cli.machine import facts
    from harness.cli.tables import print_facts

    print_facts([(fact.name, fact.value) for fact in facts(store, demo=demo)])
    return EXIT_OK
