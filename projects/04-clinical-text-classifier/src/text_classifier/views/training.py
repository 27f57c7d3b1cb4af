"""The section on tuning: loss and accuracy by epoch and seed, the learning curve, cost, what was forgotten, what is served."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from carefolio.charts import PLAIN, SeriesStyle
from carefolio.evidence import Metric
from carefolio.exceptions import ArtefactError
from carefolio.shown_run import choose_view
from carefolio.views import NBSP, percent
from text_classifier.views.after_tuning import show_forgetting, show_served
from text_classifier.views.drawn import lines_chart
from text_classifier.views.results import Results, capital, choose_task, in_words, kind_of, listed, read_results, tasks_of

DASH = {"train": (1, 0), "validation": (8, 3)}
COSTS = ("parameters", "trained_parameters", "core_seconds", "texts_per_core_s", "energy_wh")
MILLION = 1_000_000


def show_training(folder: Path) -> None:
    """Show one view of the training.

    Parameters
    ----------
    folder : Path
        Of the run.
    """
    st.subheader("How was it tuned, and what did it cost?")
    choose_view(VIEWS, read_results(folder), key="training")


def show_epochs(results: Results) -> None:
    """Show loss and accuracy by epoch and seed.

    Parameters
    ----------
    results : Results
        The run.
    """
    task = choose_task(results)
    history: Mapping[str, list[list[dict[str, Any]]]] = results.part(task)["history"]
    if not history:
        st.info("This run tuned no system for this task.")
        return
    system = str(st.selectbox("System", list(history), format_func=lambda name: capital(in_words(name)), key=f"system-{task}",
                              persist_state="session"))
    seeds = _seeds(results, task, system, len(history[system]))
    losses = [{"x": epoch["epoch"], "y": epoch[f"{key}_loss"], "series": f"{part}, seed {seed}"}
              for part, key in (("train", "train"), ("validation", "valid"))
              for seed, epochs in zip(seeds, history[system], strict=True) for epoch in epochs]
    styles = {f"{part}, seed {seed}": SeriesStyle(PLAIN[place % len(PLAIN)].colour, dash, PLAIN[place % len(PLAIN)].shape)
              for place, seed in enumerate(seeds) for part, dash in DASH.items()}
    st.markdown("**Loss**")
    st.altair_chart(lines_chart(losses, x_title="epoch", y_title="loss, lower is better", styles=styles, whole=True),
                    alt="Loss on train and validation by epoch and seed")
    scores = [{"x": epoch["epoch"], "y": epoch["valid_accuracy"], "series": f"seed {seed}"}
              for seed, epochs in zip(seeds, history[system], strict=True) for epoch in epochs]
    st.markdown("**Accuracy on validation**")
    st.altair_chart(lines_chart(scores, x_title="epoch", y_title="accuracy, higher is better", whole=True, number_format=".1%",
                                axis_format=".0%"), alt="Accuracy on validation by epoch and seed")
    _epoch_table(task, system, seeds, history[system])


def _seeds(results: Results, task: str, system: str, count: int) -> list[int]:
    """Give the seeds as the run's settings name them, else numbers from 0."""
    named = results.evidence.config.get("systems", {}).get(system, {}).get("seeds", {}).get(task, [])
    return list(named) if len(named) == count else list(range(count))


def _epoch_table(task: str, system: str, seeds: Sequence[int], history: Sequence[Sequence[Mapping[str, Any]]]) -> None:
    rows = [{"seed": seed, "epochs": len(epochs), "chosen": best["epoch"], "loss": best["valid_loss"], "accuracy": best["valid_accuracy"]}
            for seed, epochs in zip(seeds, history, strict=True) for best in [min(epochs, key=lambda one: one["valid_loss"])]]
    raw = [{"seed": seed} | dict(epoch) for seed, epochs in zip(seeds, history, strict=True) for epoch in epochs]
    listed([{"Seed": str(row["seed"]), "Epochs": str(row["epochs"]),
             "Lowest validation loss": f"{row['loss']:.3f} in epoch {row['chosen']}",
             "Accuracy then": percent(row["accuracy"])} for row in rows], f"epochs-{task}-{system}", raw=raw)
    st.caption("Weights of the epoch with the lowest loss on validation are kept; training ends early where it no longer falls.")


def show_learning(results: Results) -> None:
    """Show accuracy by the number of texts that were learnt from.

    Parameters
    ----------
    results : Results
        The run.

    Raises
    ------
    ArtefactError
        If the run holds no learning curve.
    """
    curves = {task: results.part(task)["curve"] for task in tasks_of(results) if len(results.part(task)["curve"]) > 1}
    if not curves:
        raise ArtefactError("This run holds no learning curve: no task was tuned on two shares of its texts. Set curve_task and "
                            "curve_shares under [training] and run `textclass run` again.")
    system = in_words(results.evidence.config["training"]["curve_system"])
    for task, points in curves.items():
        st.markdown(f"**{capital(system)}, {results.titles[task]}**")
        rows = [{"x": point["texts"], "y": point["accuracy"], "series": system} for point in points]
        st.altair_chart(lines_chart(rows, x_title="texts learnt from", y_title="accuracy on the test part, higher is better",
                                    number_format=".1%", axis_format=".0%"), alt="Accuracy on the test part by texts learnt from")
        listed([{"Share of the texts": percent(point["share"], digits=0), "Texts": f"{point['texts']:,}",
                 "Accuracy": percent(point["accuracy"])} for point in points], f"learning-{task}", raw=points)
    st.caption("One seed, so no intervals: it shows a direction, not how large a step is.")


def show_costs(results: Results) -> None:
    """Show parameters, time and an estimate of the energy of every tuned system.

    Parameters
    ----------
    results : Results
        The run.
    """
    task = choose_task(results)
    metrics = results.evidence.metrics
    tuned = [name for name in results.part(task)["systems"] if kind_of(name) == "tuned" and f"{task}.train.{name}.core_seconds" in metrics]
    if not tuned:
        st.info("This run tuned no system for this task.")
        return
    found = {name: {kind: metrics[f"{task}.train.{name}.{kind}"] for kind in COSTS} for name in tuned}
    listed([{"System": capital(in_words(name)), "Parameters": _parameters(own["parameters"], own["trained_parameters"]),
             "One training": f"{own['core_seconds'].value:,.0f}{NBSP}s of a core, {own['texts_per_core_s'].value:,.1f}{NBSP}texts a second",
             "Energy (estimate)": f"{own['energy_wh'].value:,.3g}{NBSP}Wh"} for name, own in found.items()], f"costs-{task}",
           raw=[{"system": name, "metric": kind, "value": one.value} for name, own in found.items() for kind, one in own.items()])
    watts = results.evidence.config["evaluation"]["watts_per_core"]
    st.caption(f"Measured on {results.evidence.environment.machine}, mean of the seeds; a text counts once in each epoch. **Energy is an "
               f"estimate**: the core's seconds times an assumed draw of {watts:g}{NBSP}W a core; nothing was metered.")


def _parameters(every: Metric, trained: Metric) -> str:
    share = "all trained" if trained.value == every.value else f"{trained.value / MILLION:,.1f}{NBSP}million trained"
    return f"{every.value / MILLION:,.1f}{NBSP}million, {share}"


VIEWS = {"By epoch": show_epochs, "Learning curve": show_learning, "Cost": show_costs, "Forgetting": show_forgetting,
         "Served model": show_served}
