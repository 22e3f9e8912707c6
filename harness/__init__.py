"""Compare a fine-tuned model with its base, with evidence you can defend."""

__version__ = "0.1.0"
