"""What people say of the same answers: drawn at random, shown blind, read back."""
