"""What judges are told, one module a way of judging."""
