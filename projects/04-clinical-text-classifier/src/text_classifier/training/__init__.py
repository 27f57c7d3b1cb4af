"""Training of one model on one task, with checkpoints that a run can go on from."""
