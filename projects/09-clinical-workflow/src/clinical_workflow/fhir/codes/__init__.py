"""Code lists, one file a kind: what an institution replaces by its own."""
