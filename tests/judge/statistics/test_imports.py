"""Start-up time: nothing heavy is imported before it is needed."""

from __future__ import annotations

import subprocess
import sys


def test_pairs_without_clusters_need_no_scipy() -> None:
    program = (
        "import sys\n"
        "from harness.judge.statistics import Judgements, agreement, pairwise\n"
        "pairwise([[Judgements(('first',), ('second',))], [Judgements(('first',), ('first',))]] * 20)\n"
        "agreement([1, 2], [2, 2], labels=(1, 2), weights='linear')\n"
        "absent = {'scipy', 'statsmodels', 'pandas', 'sklearn', 'krippendorff'} & set(sys.modules)\n"
        "assert not absent, absent\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
