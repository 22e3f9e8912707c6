"""Making a plan: items drawn, prompts rendered, candidates digested, completions keyed. Nothing is started."""
