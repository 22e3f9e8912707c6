"""Deployments measured: what a server does under load, beside how well it answers."""
