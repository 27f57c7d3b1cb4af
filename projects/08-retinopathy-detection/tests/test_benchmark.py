"""Accuracy and area over several trainings, by hand and in a small run."""

import numpy as np
import pytest

from carefolio.evidence import read_evidence
from retinopathy.benchmark import scores


def test_scores_by_hand():
    probabilities = np.array([[0.6, 0.1, 0.1, 0.1, 0.1], [0.5, 0.3, 0.1, 0.05, 0.05], [0.1, 0.1, 0.2, 0.3, 0.3]])
    accuracy, area = scores(probabilities, np.array([0, 1, 3]), np.ones(3))
    assert accuracy == pytest.approx(2 / 3), "the second is taken for 0, and of two equal ones the lower counts"
    assert area == pytest.approx(1.0), "each grade that is there is ranked above the others; grades 2 and 4 are left out"
    assert scores(probabilities, np.array([0, 1, 3]), np.array([1.0, 0.0, 1.0]))[0] == 1.0


def test_every_system_is_judged_on_both_parts(small_run):
    metrics = read_evidence(small_run / "reports" / "evidence.json").metrics
    for system in ("frozen", "tuned"):
        for part in ("valid", "test"):
            own = metrics[f"retinamnist.{part}.{system}.accuracy"]
            assert own.low <= own.value <= own.high
    assert "retinamnist.test.frozen.lowest_seed_accuracy" not in metrics, "the frozen network has no seeds"
