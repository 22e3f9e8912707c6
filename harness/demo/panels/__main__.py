"""Draw the gold set `odometer` again from its seed: pictures, items and card.

`python -m harness.demo.panels goldsets` writes `odometer.jsonl`, `odometer.yaml` and `odometer/`. The items come out
the same everywhere; the pictures' bytes, and with them the digest on the card, depend on the versions of Pillow and
libjpeg.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from harness.demo.panels.gold import write


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m harness.demo.panels", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="GOLDSETS_DIR", help="where gold sets lie, such as goldsets")
    write(parser.parse_args().folder)


if __name__ == "__main__":
    main()
