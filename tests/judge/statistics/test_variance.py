"""Standard errors of two means over clusters, against the house's CR1 and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.errors import InputError
from harness.judge.statistics import difference_sample
from harness.judge.statistics.variance import cluster_errors, cluster_ids, standard_error

VALUES = np.array([0.5, -1.0, 1.0, 0.0, 1.0, -0.5])


def test_single_items_give_the_usual_standard_error() -> None:
    ids, _ = cluster_ids(None, None, 6, 0)
    assert standard_error(cluster_errors(VALUES, ids, 6)) == pytest.approx(VALUES.std(ddof=1) / math.sqrt(6))


def test_clusters_give_the_error_of_a_paired_sample() -> None:
    labels = ["a", "b", "a", None, "b", None]
    ids, _ = cluster_ids(labels, None, 6, 0)
    assert standard_error(cluster_errors(VALUES, ids, 6)) == pytest.approx(difference_sample(VALUES, labels).se)


def test_two_means_over_other_clusters_add_their_variances() -> None:
    ids, others = cluster_ids(None, None, 6, 6)
    one, other = cluster_errors(VALUES, ids, 12), cluster_errors(2 * VALUES, others, 12)
    assert standard_error(one, other) == pytest.approx(math.hypot(standard_error(one), standard_error(other)))


def test_two_means_over_the_same_clusters_vary_together() -> None:
    labels = list("abcdef")
    ids, others = cluster_ids(labels, labels, 6, 6)
    errors = cluster_errors(VALUES, ids, 12)
    assert standard_error(errors, cluster_errors(VALUES, others, 12)) == pytest.approx(2 * standard_error(errors))
    assert standard_error(errors, cluster_errors(-VALUES, others, 12)) == pytest.approx(0.0, abs=1e-15)


def test_items_without_a_label_share_no_cluster() -> None:
    ids, others = cluster_ids([None, "a", None], ["a", None], 3, 2)
    assert ids[1] == others[0]
    assert len({*ids.tolist(), *others.tolist()}) == 4


def test_labels_that_do_not_pair_are_refused() -> None:
    with pytest.raises(InputError, match="1 and 0 cluster labels for 2 and 0 items"):
        cluster_ids(["a"], None, 2, 0)
