"""The sections: overview, leaderboard, importance, versions, lineage."""

import streamlit as st

from carefolio import charts
from carefolio.dashboard import download_table, metric_card
from carefolio.views import show_table, with_interval
from model_registry.lineage import to_dot, trace
from model_registry.views.results import TITLES, Results, choose_experiment

LABELS = {"roc_auc": "AUROC", "average_precision": "Average precision", "brier_score": "Brier score",
          "calibration_slope": "Calibration slope",
          "calibration_intercept": "Calibration intercept", "sensitivity_at_top_20_percent": "Returns found among the highest fifth",
          "uno_c": "Uno's C", "integrated_brier_score": "Integrated Brier score", "race_roc_auc_gap": "Largest AUROC gap, race",
          "sex_roc_auc_gap": "Largest AUROC gap, sex", "age_group_roc_auc_gap": "Largest AUROC gap, age", "prevalence": "Share of returns"}


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
    rows = [{"Model": TITLES[key.partition(".")[0]], "Measure": LABELS.get(key.rpartition(".")[2], key.rpartition(".")[2]),
             "Value": with_interval(value)} for key, value in metrics.items() if key.partition(".")[0] in TITLES and ".test." in key]
    show_table(rows)
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
    st.markdown(f"{len(board)} trials, judged on train patients left out of each fold; the test part was not asked.")
    st.dataframe(board, hide_index=True)
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
    rows = [{"label": label, "value": share, "warned": False} for label, share in shares.items()]
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
    st.graphviz_chart(to_dot(lineage), width="stretch")
    with st.expander("As text"):
        show_table([{"What": node.lines[0], "Details": "; ".join(node.lines[1:]),
                     "Made of": ", ".join(start for start, end in lineage.edges if end == node.key) or "–"} for node in lineage.nodes])
    st.caption("Every box with a hash is checked when it is used: the file against its catalogue, the table before training, the weights "
               "before they are served.")
