"""How much GPU memory training and serving take, counted before anything starts."""
