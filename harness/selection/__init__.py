"""Training measured while it runs: checkpoints against the base, and which of them becomes the candidate."""
