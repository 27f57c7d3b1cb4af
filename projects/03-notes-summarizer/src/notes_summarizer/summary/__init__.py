"""A note to a checked summary: sentences, prompt, draft, support, findings."""
