"""Who of the seriously ill dies, and when: SUPPORT2."""
