"""The release review: a checklist made of the gate, and who signed what, in a file beside the comparison."""
