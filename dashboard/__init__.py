"""The Streamlit app over a run store: thin pages over `harness.review`. `harness dashboard` starts it."""
