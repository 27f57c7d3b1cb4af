"""One page to hand on, about a country, a state and a disease group: a single HTML file with its pictures inside, readable offline."""

import base64
import io
from collections.abc import Callable, Mapping
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from carefolio import plots, plots_series, plots_survival
from carefolio.artefacts import write_text
from carefolio.command import DISCLAIMER
from carefolio.evidence import git_commit, utc_now
from carefolio.exceptions import ArtefactError
from carefolio.parts import prepare_parts, read_record
from outcomes_analysis import data
from outcomes_analysis.config import PARTS
from outcomes_analysis.waves.describe import slug

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from outcomes_analysis.config import OutcomesSettings

Section = dict[str, Any]
DASH = "–"
NARROW_DAY = 90
"""Left out below a curve of five years: its number would touch the next."""


def write_brief(settings: "OutcomesSettings", out: Path, *, country: str | None = None, state: str | None = None,
                group: str | None = None) -> Path:
    """Write the page.

    Parameters
    ----------
    settings : OutcomesSettings
        Settings.
    out : Path
        Folder of the run; data that it does not hold yet are loaded, forecasts must be there.
    country : str, optional
        A country, such as ``"Germany"``.
    state : str, optional
        A state of the United States: name, abbreviation or FIPS code.
    group : str, optional
        A disease group of SUPPORT2, such as ``"Lung Cancer"``.

    Returns
    -------
    Path
        ``<out>/reports/brief-<names>.html``.

    Raises
    ------
    ConfigError
        If a name is not known; close ones are suggested.
    ArtefactError
        If a state is asked for and the run holds no forecasts.
    """
    from jinja2 import Environment

    asked = {option: name for option, name in (("country", country), ("state", state), ("group", group)) if name is not None}
    sections: list[Section] = []
    provenance: list[Mapping[str, Any]] = []
    for option, name in asked.items():
        part, make = SECTIONS[option]
        folder = _folder_with_data(settings, out, part)
        provenance += [read_record(folder)["provenance"][dataset] for dataset in PARTS[part]]
        sections.append(make(settings, folder, name))
    template = files("outcomes_analysis").joinpath("brief.html.jinja").read_text(encoding="utf-8")
    options = " ".join(f'--{option} "{name}"' for option, name in asked.items())
    page = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(template).render(
        title=" · ".join(section["title"] for section in sections), disclaimer=DISCLAIMER, sections=sections, data=provenance,
        synthetic=[entry["name"] for entry in provenance if entry["origin"] == "synthetic"], command=f"outcomes report {options}",
        commit=git_commit(), created=utc_now())
    return write_text(out / "reports" / f"brief-{'-'.join(slug(name).replace('_', '-') for name in asked.values())}.html", page)


def _folder_with_data(settings: "OutcomesSettings", out: Path, part: str) -> Path:
    """Find the data of a part: those of the run, else loaded anew beside it, so that the run's own record stays as it is."""
    if (out / "data" / "data.json").is_file() and part in read_record(out)["parts"]:
        return out
    if part == "forecast":
        raise ArtefactError(f"{out} holds no forecasts; make them with `outcomes run --part forecast` and the same --quick and --out.")
    prepare_parts(partial(data.load_part, seed=settings.seed), [part], out / "brief")
    return out / "brief"


def country_section(settings: "OutcomesSettings", out: Path, country: str) -> Section:
    """Describe a country's waves.

    Parameters
    ----------
    settings : OutcomesSettings
        Settings.
    out : Path
        Folder of the run.
    country : str
        Its name.

    Returns
    -------
    dict
        ``title``, ``paragraphs``, ``facts``, ``figures`` and ``tables`` of the template.
    """
    from outcomes_analysis.waves.summary import country_summary

    covid, population = data.load(out, "waves")
    found = country_summary(covid, population, country, settings.waves, seed=settings.seed)
    entry, totals = found["entry"], found["totals"]
    ratio = entry["fatality"]["overall"]
    facts = [("cases reported", f"{totals['cases']:,.0f}", ""), ("deaths reported", f"{totals['deaths']:,.0f}", ""),
             ("deaths per 100,000", _number(totals["deaths_per_100k"], ".0f"), ""),
             ("deaths per reported case", _share(ratio), f"{entry['fatality']['lag_weeks']} weeks later"),
             ("waves", f"{len(entry['waves'])}", ""), ("corrections downward", f"{len(found['corrections'])}", "repaired, and counted")]
    since = entry["weekly_only_since"]
    paragraphs = [found["note"] or "", f"Reported once a week only since {since}." if since else "",
                  "Counts are what was reported: most of the change between waves in cases, and in deaths per case, is testing."]
    rows = [(wave["start"], wave["peak"], wave["end"], _number(wave["peak_per_100k"], ".0f"), f"{wave['cases']:,.0f}",
             _share(wave["fatality"])) for wave in entry["waves"]]
    header = ("from", "peak", "to", "peak, cases per 100,000 a week", "cases", "deaths per reported case")
    tables: list[Section] = [{"caption": "Waves", "header": header, "rows": rows}]
    corrections = [(str(fall["date"]), fall["measure"], f"{fall['size']:,.0f}") for fall in found["corrections"]]
    if corrections:
        tables.append({"caption": "Downward corrections of the cumulative count", "header": ("date", "of", "size"), "rows": corrections})
    alt = f"{found['country']}: weekly reported cases and deaths per 100,000, and the reproduction number with its interval."
    return {"title": f"COVID-19 in {found['country']}", "paragraphs": [text for text in paragraphs if text], "facts": facts,
            "figures": [{"png": _png(_country_axes(found["weekly"])), "alt": alt}], "tables": tables}


def _country_axes(weekly: pl.DataFrame) -> "Axes":
    days = weekly["week_ending"].to_numpy().astype("datetime64[D]")
    cases, deaths, reproduction = plots_series.new_grid(3, columns=1, row_height=1.8)
    for axes, measure in ((cases, "cases"), (deaths, "deaths")):
        axes.plot(days, weekly[f"{measure}_per_100k"].to_numpy(), color=plots.PALETTE["blue"], linewidth=1.4)
        axes.set_ylabel(f"{measure} per\n100,000 a week", fontsize=9)
    plots_series.plot_band(days, *(weekly[name].to_numpy() for name in ("r", "r_low", "r_high")), reference=1, axes=reproduction)
    reproduction.set_ylabel("reproduction\nnumber", fontsize=9)
    reproduction.set_ylim(0, float(np.nanquantile(weekly["r_high"].fill_null(np.nan).to_numpy(), 0.98)) * 1.15)
    return cases


def group_section(settings: "OutcomesSettings", out: Path, group: str) -> Section:
    """Describe a disease group of SUPPORT2.

    Parameters
    ----------
    settings : OutcomesSettings
        Settings.
    out : Path
        Folder of the run.
    group : str
        Its name.

    Returns
    -------
    dict
        ``title``, ``paragraphs``, ``facts``, ``figures`` and ``tables`` of the template.
    """
    from outcomes_analysis.survival import cohort, describe

    [patients] = data.load(out, "survival")
    everybody = settings.survival.model_copy(update={"max_patients": 0})
    table, _, _ = cohort.prepare(patients, everybody, seed=settings.seed)
    found = describe.group_summary(table, group, level=settings.survival.level)
    median = found["median_days"]
    facts = [("patients", f"{found['n']:,}", ""), ("died in follow-up", f"{found['deaths']:,}", ""),
             (f"dead by day {settings.survival.horizon_days}", f"{100 * found['dead_at_horizon']:.1f} %", ""),
             ("median survival", _days(median["value"]), f"{_days(median['low'])} to {_days(median['high'])}")]
    curve, shown = found["curve"], [place for place, day in enumerate(found["at_risk"]["times"]) if day != NARROW_DAY]
    at_risk = {name: [values[place] for place in shown] for name, values in found["at_risk"].items()}
    drawn = plots_survival.DrawnCurve(**curve, at_risk=at_risk["count"])
    axes = plots_survival.plot_kaplan_meier({found["group"]: drawn}, at_risk_times=at_risk["times"], horizon=settings.survival.horizon_days)
    rows = [(row["name"], _plain(row["value"]), _plain(row["others"]), _number(row["smd"], ".2f"))
            for row in found["characteristics"]]
    caption = "What sets the group apart: medians, or shares, and the difference in standard deviations"
    alt = f"{found['group']}: share of patients alive over {curve['time'][-1]:.0f} days after study entry, with its interval."
    return {"title": f"SUPPORT2: {found['group']}", "facts": facts, "figures": [{"png": _png(axes), "alt": alt}],
            "paragraphs": ["Seriously ill adults in five American hospitals, 1989 to 1994. Survival has changed since; no figure here is "
                           "a prognosis."],
            "tables": [{"caption": caption, "header": ("characteristic", "group", "all others", "difference"), "rows": rows}]}


def state_section(settings: "OutcomesSettings", out: Path, state: str) -> Section:
    """Describe a state's influenza admissions and how well they were forecast.

    Parameters
    ----------
    settings : OutcomesSettings
        Settings; not needed here, every section is made with the same arguments.
    out : Path
        Folder of the run.
    state : str
        Name, abbreviation or FIPS code.

    Returns
    -------
    dict
        ``title``, ``paragraphs``, ``facts``, ``figures`` and ``tables`` of the template.

    Raises
    ------
    ArtefactError
        If the run holds no evaluated forecasts.
    """
    from outcomes_analysis.forecast.states import state_summary

    paths = {name: out / "tables" / f"{name}.parquet" for name in ("truth", "forecasts", "scores")}
    if missing := [str(path) for path in paths.values() if not path.is_file()]:
        raise ArtefactError(f"{missing[0]} is missing; run `outcomes evaluate` with the same --quick and --out first.")
    found = state_summary({name: pl.read_parquet(path) for name, path in paths.items()}, state)
    fan, last = found["forecast"], next(week for week in reversed(found["history"]) if week["admissions"] is not None)
    facts = [("population", f"{found['population']:,}", ""), ("last count", f"{last['admissions']:,.0f}", f"week to {last['week_ending']}"),
             (f"latest forecast, made for {found['reference_date']}", f"{fan[0]['q500']:,.0f}",
              f"95 % interval {fan[0]['q025']:,.0f} to {fan[0]['q975']:,.0f}")]
    rows = [(score["season"], f"{score['n']:,}", *(_number(score["wis"][model], ",.1f") for model in score["wis"]),
             *(_number(score[f"relative_wis_to_{peer}"], ".2f") for peer in ("baseline", "ensemble")),
             f"{100 * score['coverage_50']:.0f} %", f"{100 * score['coverage_95']:.0f} %") for score in found["scores"]]
    header = ("season", "forecasts", *(f"WIS, {model}" for model in found["scores"][0]["wis"]), "WIS against baseline",
              "WIS against ensemble", "in the 50 % interval", "in the 95 % interval")
    ahead = [(str(week["target_end_date"]), *(f"{week[name]:,.0f}" for name in ("q025", "q250", "q500", "q750", "q975"))) for week in fan]
    alt = f"{found['name']}: weekly influenza admissions as known today, and the latest forecast with its 50, 80 and 95 % intervals."
    return {"title": f"Influenza in {found['name']}", "facts": facts, "figures": [{"png": _png(_state_axes(found)), "alt": alt}],
            "paragraphs": ["WIS is the weighted interval score: lower is better, in admissions; a ratio below 1 beats the peer. The "
                           "forecasts were made from counts as revised since; the official ones had only what was known at the time."],
            "tables": [{"caption": f"Forecast made for {found['reference_date']}, admissions a week", "rows": ahead,
                        "header": ("week to", "2.5 %", "25 %", "median", "75 %", "97.5 %")},
                       {"caption": "How the forecasts did", "header": header, "rows": rows}]}


def _state_axes(found: Mapping[str, Any]) -> "Axes":
    history, fan = pl.DataFrame(found["history"]), pl.DataFrame(found["forecast"])
    axes = plots.new_axes(width=7.2, height=3.6)
    axes.plot(history["week_ending"].to_numpy(), history["admissions"].to_numpy(), color="black", marker="o", markersize=3, linewidth=1,
              label="reported, as known today")
    levels = {name: int(name[1:]) / 1000 for name in fan.columns if name.startswith("q")}
    plots_series.plot_fan(fan["target_end_date"].to_numpy(), fan.select(list(levels)).to_numpy(), quantile_levels=list(levels.values()),
                          label="forecast with 50, 80 and 95 % intervals", axes=axes)
    plots_series.date_axis(axes, years=False)
    axes.set(ylabel="admissions a week", ylim=(0, None))
    axes.legend(frameon=False, fontsize=9)
    return axes


SECTIONS: dict[str, tuple[str, Callable[["OutcomesSettings", Path, str], Section]]] = {
    "country": ("waves", country_section), "state": ("forecast", state_section), "group": ("survival", group_section),
}
"""Option -> the part that it asks, and what writes its section."""


def _png(axes: "Axes") -> str:
    figure = axes.get_figure(root=True)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=130, metadata={"Software": None})  # type: ignore[union-attr]
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def _number(value: float | None, form: str) -> str:
    return DASH if value is None or not np.isfinite(value) else format(value, form)


def _plain(value: float) -> str:
    return format(value, ",.0f" if abs(value) >= 100 else ".3g")


def _share(estimate: Mapping[str, float] | None) -> str:
    if estimate is None:
        return DASH
    return f"{100 * estimate['value']:.2f} % ({100 * estimate['low']:.2f} to {100 * estimate['high']:.2f})"


def _days(value: float | None) -> str:
    return "not reached" if value is None else f"{value:,.0f} days"
