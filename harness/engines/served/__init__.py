"""A warm vLLM server of weights that are known: started once, asked by every later comparison."""
