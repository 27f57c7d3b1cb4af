"""When may a new model replace the old one?

Encounters arrive in batches. Each is checked, drift is measured, a challenger is taught if a rule says so, and it replaces the champion
only where every gate of a written protocol holds. What is deployed is smoke-tested, watched on the outcomes of the next batch, and rolled
back by itself. For research and education; not a medical device.
"""
