"""What tuning cost the base's other abilities, and what the export for service costs in accuracy and gives in speed."""

import streamlit as st

from carefolio import charts
from carefolio.evidence import Metric
from carefolio.views import NBSP, bounds, percent_with_interval, with_interval
from text_classifier.views.results import Results, capital, choose_task, in_words, kind_of, listed

PROBE = {"probe_accuracy_untouched": "Before tuning", "probe_accuracy": "After tuning", "probe_accuracy_change": "Change"}
SERVED = {"Accuracy": ("torch_accuracy", "accuracy"), "One text, median milliseconds": ("torch_latency_p50_ms", "latency_p50_ms"),
          "A text in a batch of 32, median milliseconds": ("torch_batch32_text_ms", "batch32_text_ms")}
"""What is measured on both, by its title: the metric of torch's model, and that of the export."""
CHANGES = {"accuracy_change": "Change in accuracy", "same_label": "Texts with the same label", "speed_up": "Times faster, one text",
           "batch32_speed_up": "Times faster, batch of 32", "size_mb": "Size of the files, MB"}
SHARES = ("accuracy", "torch_accuracy", "accuracy_change", "same_label")


def show_forgetting(results: Results) -> None:
    """Show how well a model's vectors still tell the labels of another task.

    Parameters
    ----------
    results : Results
        The run.
    """
    task = choose_task(results)
    metrics = results.evidence.metrics
    found = {name: {kind: metrics[f"{task}.forgetting.{name}.{kind}"] for kind in PROBE} for name in results.part(task)["systems"]
             if kind_of(name) == "tuned" and f"{task}.forgetting.{name}.probe_accuracy" in metrics}
    if not found:
        st.info("Forgetting was not measured for this task in this run.")
        return
    title = "change in probe accuracy"
    rows = [{"label": in_words(name)} | bounds(own["probe_accuracy_change"]) for name, own in found.items()]
    st.altair_chart(charts.interval_chart(rows, title=title, references={"no change": 0.0}, number_format="+.1%", axis_format="+.0%"),
                    alt=f"{title}, with intervals, by system; a dashed line marks 0")
    listed([{"System": capital(in_words(name))} | {title: percent_with_interval(own[kind].value, own[kind].low, own[kind].high)
                                                   for kind, title in PROBE.items()} for name, own in found.items()], f"forgetting-{task}",
           raw=[{"system": name, "metric": kind} | one.model_dump() for name, own in found.items() for kind, one in own.items()])
    st.caption("The same linear probe is fitted on a model's vectors before and after tuning, for a task that it was not tuned on, and "
               "judged on validation texts of that task. Only the change counts: below 0, the dashed line, something was lost.")


def show_served(results: Results) -> None:
    """Show the export beside the torch model that it was made of.

    Parameters
    ----------
    results : Results
        The run.
    """
    task = choose_task(results)
    found = {name.removeprefix(f"{task}.test.served."): one for name, one in results.evidence.metrics.items()
             if name.startswith(f"{task}.test.served.")}
    if not found:
        st.info("This run exported no model for this task. An encoder that was tuned is exported by `textclass run`.")
        return
    listed([{"On the same texts": title, "torch, float32": _write(theirs, found.get(theirs)), "ONNX, int8": _write(ours, found.get(ours))}
            for title, (theirs, ours) in SERVED.items()], f"served-{task}",
           raw=[{"metric": name} | one.model_dump() for name, one in found.items()])
    listed([{"The export": title, "Value": _write(name, found[name])} for name, title in CHANGES.items() if name in found],
           f"export-{task}")
    st.caption(f"Measured on {results.evidence.environment.machine}, both asked in turns, from text to probabilities. In brackets "
               f"95{NBSP}% intervals. Accuracy is of the texts that were asked, which may be fewer than the whole test part.")


def _write(name: str, one: Metric | None) -> str:
    if one is None:
        return "not measured"
    return percent_with_interval(one.value, one.low, one.high) if name in SHARES else with_interval(one, digits=1)
