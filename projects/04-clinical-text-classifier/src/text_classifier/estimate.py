"""What the same training would cost with GPT-J-6B on a rented GPU: an estimate, from the tokens that were counted here.

A token costs about twice the number of weights in operations on its way forward and as much again on the way back to the activations;
the gradients of the weights cost the same once more, and adapters save them (Kaplan et al. 2020, appendix B). So tuning N weights takes
4 N operations a token with adapters and 6 N in full. Divided by the share of a GPU's peak that such trainings reach, this gives hours,
and with a price an hour, money. Peak, shares and prices are assumptions that stand in the settings.

References
----------
Kaplan J et al. Scaling laws for neural language models. arXiv:2001.08361, 2020. Wang B, Komatsuzaki A. GPT-J-6B. 2021.
"""

from __future__ import annotations

import numpy as np

from carefolio.evidence import Metric, metric
from text_classifier.config import EstimateSettings, Method
from text_classifier.predictions import Predicted

OPERATIONS_PER_WEIGHT: dict[Method, int] = {"lora": 4, "full": 6}
"""Floating-point operations for each weight and token, forward and back."""


def training_operations(tokens: float, parameters: float, method: Method) -> float:
    """Count the operations of a training.

    Parameters
    ----------
    tokens : float
        Tokens that are learnt from, each counted once an epoch.
    parameters : float
        Weights of the model.
    method : {"lora", "full"}
        Adapters, or all weights.

    Returns
    -------
    float
        Floating-point operations.
    """
    return OPERATIONS_PER_WEIGHT[method] * parameters * tokens


def estimate_gptj(task: str, kept: dict[str, list[Predicted]], settings: EstimateSettings) -> dict[str, Metric]:
    """Estimate the tuning of GPT-J by adapters from a causal model that was tuned here by adapters.

    Parameters
    ----------
    task : str
        Name of the task.
    kept : dict of str to list of Predicted
        Predictions with their records, by system.
    settings : EstimateSettings
        Size of GPT-J, what a GPU is assumed to do and to cost, and the system that is scaled up.

    Returns
    -------
    dict of str to Metric
        ``<task>.estimate.gptj.<name>``: ``tokens``, ``here_gflops`` (reached on one core of this machine), ``core_days`` (of this machine),
        ``gpu_minutes_low``, ``gpu_minutes_high``, ``usd_low`` and ``usd_high``; empty if the system was not tuned on the task.
    """
    records = [one.record for one in kept.get(settings.system, []) if "tokens" in one.record]
    if not records:
        return {}
    tokens = float(np.mean([one["tokens"] for one in records]))
    here = float(np.mean([training_operations(one["tokens"], one["parameters"], "lora") / one["cpu_seconds"] for one in records]))
    operations = training_operations(tokens, settings.gptj_parameters, "lora")
    hours = {bound: operations / (settings.gpu_peak_tflops * 1e12 * share) / 3600
             for bound, share in (("low", settings.gpu_share_high), ("high", settings.gpu_share_low))}
    values = {"tokens": tokens, "here_gflops": here / 1e9, "core_days": operations / here / 86_400,
              "gpu_minutes_low": 60 * hours["low"], "gpu_minutes_high": 60 * hours["high"],
              "usd_low": hours["low"] * settings.usd_per_hour_low, "usd_high": hours["high"] * settings.usd_per_hour_high}
    return {f"{task}.estimate.gptj.{name}": metric(value, n=len(records), higher_is_better=None) for name, value in values.items()}
