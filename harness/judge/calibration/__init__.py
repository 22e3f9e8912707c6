"""What people's labels say of a judge: how far it agrees with them, and its results corrected by them."""
