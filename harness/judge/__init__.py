"""Answers judged by a model: in pairs, in both orders, and held against people."""
