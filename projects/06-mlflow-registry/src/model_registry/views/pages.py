"""The sections: overview, leaderboard, importance, versions, lineage."""

import streamlit as st

from carefolio import charts
from carefolio.dashboard import download_table, metric_card
from carefolio.views import show_table, with_interval
from model_registry.lineage import to_dot, trace
from model_registry.names import SERVED
from model_registry.views.results import TITLES, Results, choose_experiment
from model_registry.views.trials import shortened, trials_chart

LABELS = {"roc_auc": "AUROC", "average_precision": "Average precision", "brier_score": "Brier score",
          "calibration_slope": "Calibration slope",
          "calibration_intercept": "Calibration intercept", "sensitivity_at_top_20_percent": "Returns found among the highest fifth",
          "uno_c": "Uno's C", "integrated_brier_score": "Integrated Brier score", "race_roc_auc_gap": "Largest AUROC gap, race",
          "sex_roc_auc_gap": "Largest AUROC gap, sex", "age_group_roc_auc_gap": "Largest AUROC gap, age",
          "race_uno_c_gap": "Largest gap in Uno's C, race", "sex_uno_c_gap": "Largest gap in Uno's C, sex",
          "age_group_uno_c_gap": "Largest gap in Uno's C, age"}
PREVALENCE = {"readmission": "Share of returns", "survival": "Share of deaths that were seen"}


def show_overview(results: Results) -> None:
    """Show the result of each model on held-out patients.

    Parameters
    ----------
    results : Results
        The run.
    """
    st.subheader("The models of this run, on held-out patients")
    searches, metrics = results.searches(), results.run.evidence.metrics
    for column, (name, search) in zip(st.columns(len(searches)), searches.items(), strict=True):
        with column:
            label = LABELS[search["metric"].rpartition(".")[2]]
            metric_card(f"{TITLES[name]}: {label}", metrics.get(search["metric"]), explanation="Versions are ranked by it.")
    for name in searches:
        st.markdown(f"**{TITLES[name]}**")
        labels = LABELS | {"prevalence": PREVALENCE[name]}
        show_table([{"Measure": labels[key.rpartition(".")[2]], "Value": with_interval(value)} for key, value in metrics.items()
                    if key.startswith((f"{name}.test.{SERVED[name]}.", f"{name}.test.outcome."))])
    st.caption("In brackets: intervals from a bootstrap that draws patients, not rows.")


def show_leaderboard(results: Results) -> None:
    """Show the trials, the best first.

    Parameters
    ----------
    results : Results
        The run.
    """
    import polars as pl

    st.subheader("Which settings did best?")
    searches = results.searches()
    name = choose_experiment(searches)
    board = searches[name]["leaderboard"]
    measure = LABELS[searches[name]["metric"].rpartition(".")[2]]
    st.markdown(f"{len(board)} trials, judged on train patients left out of each fold; the test part was not asked. "
                "The first trial is the model as its library comes.")
    st.altair_chart(trials_chart(board, title=f"{measure} on the folds left out"), alt="Value of each trial, and the best so far")
    st.dataframe([{key: shortened(value) for key, value in row.items()} for row in board], hide_index=True)
    download_table(pl.DataFrame(board), f"leaderboard-{name}")


def show_importance(results: Results) -> None:
    """Show how much each parameter explains of the differences between trials.

    Parameters
    ----------
    results : Results
        The run.
    """
    st.subheader("Which parameters mattered?")
    searches = results.searches()
    shares = searches[choose_experiment(searches)]["importance"]
    if not shares:
        st.info("Too few trials to say; `registry run` makes more than `registry run --quick`.")
        return
    rows = [{"label": key.replace("_", " "), "value": share, "warned": False} for key, share in shares.items()]
    st.altair_chart(charts.bars_chart(rows, title="share of the differences between trials"), alt="Importance of the parameters")
    st.caption("Functional analysis of variance over random forests fitted to the trials. It speaks of the range that was searched, and "
               "with few trials it is rough.")


def show_versions(results: Results) -> None:
    """Show the versions of a registry that answers, with their aliases.

    Parameters
    ----------
    results : Results
        The run.
    """
    st.subheader("Which version is served?")
    name = choose_experiment(results.searches())
    versions = results.versions(name)
    if not versions:
        st.info(f"No version of {name} is registered where this page looks. `registry up` starts a server, "
                f"`registry register {name} RUN_ID` adds a version.")
        return
    show_table([{"Version": version.version, "Alias": ", ".join(version.aliases) or "–",
                 LABELS[version.metric.rpartition(".")[2]]: "–" if version.value is None else f"{version.value:.4f}",
                 "Data": "synthetic" if version.synthetic else "published", "SHA-256": version.sha256[:12]} for version in versions])
    st.markdown("**Make one again**, from its commit, data, split, environment and settings:")
    st.code("\n".join(f"registry reproduce {version.run_id}  # version {version.version}" for version in versions), language="console")


def show_lineage(results: Results) -> None:
    """Show what a model comes from, back to the bytes of its data.

    Parameters
    ----------
    results : Results
        The run.
    """
    st.subheader("Where does it come from?")
    searches = results.searches()
    name = choose_experiment(searches)
    lineage = trace(name, searches[name], results.run.evidence, results.versions(name))
    drawn, told = st.columns(2)
    with drawn:
        st.graphviz_chart(to_dot(lineage), width="stretch")
    with told:
        titles = {node.key: node.lines[0] for node in lineage.nodes}
        show_table([{"What": node.lines[0], "Details": "; ".join(node.lines[1:]) or "–",
                     "Made of": ", ".join(titles[start] for start, end in lineage.edges if end == node.key) or "–"}
                    for node in lineage.nodes])
    st.caption("Orange is data, purple what ran, light blue the run, green the model. Every hash is checked when it is used: the file's "
               "against the catalogue, the table's before training, the weights' before they are served.")
