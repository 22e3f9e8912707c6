"""Training: one producer of candidates among several. Nothing but the command line depends on it."""
