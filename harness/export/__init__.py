"""Exporting: from an adapter on its base to a model that servers take, with proof that it still answers as it did.

A producer of candidates, as training is; nothing but the command line knows of it.
"""
