"""What chapters that go to a cloud have in common: plans as data, sealed models as one file, and the contract inside a container.

No cloud's library is imported when a module here is.
"""
