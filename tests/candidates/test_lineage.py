"""What a lineage keeps can be read again."""

from __future__ import annotations

import math

from harness.candidates.lineage import LossPoint


def test_a_loss_that_is_no_number_survives_the_file() -> None:
    written = LossPoint(step=3, loss=math.nan, grad_norm=math.inf).model_dump_json()
    read = LossPoint.model_validate_json(written)
    assert math.isnan(read.loss)
    assert read.grad_norm == math.inf
