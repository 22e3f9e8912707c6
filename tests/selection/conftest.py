"""Trainings that are measured while they run use the same yard as all others."""

from tests.train.conftest import _one_thread, rows, yard

__all__ = ["_one_thread", "rows", "yard"]
