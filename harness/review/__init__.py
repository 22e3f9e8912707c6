"""What the pages of the dashboard show, read from a store; nothing here knows of Streamlit."""
