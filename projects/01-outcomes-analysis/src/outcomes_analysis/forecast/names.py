"""Names that the forecast part shares: models, their titles, seasons."""

from datetime import date

OWN = "carefolio"
FIRST_PUBLISHED = "carefolio_first_published"
BASELINE = "baseline"
ENSEMBLE = "ensemble"
MEMBERS = ("member_persistence", "member_ridge", "member_analogue", "member_boosting")
MODELS = {
    OWN: "carefolio",
    ENSEMBLE: "FluSight-ensemble",
    BASELINE: "FluSight-baseline",
    FIRST_PUBLISHED: "carefolio, last week as first published",
    "member_persistence": "member: persistence",
    "member_ridge": "member: ridge",
    "member_analogue": "member: analogues",
    "member_boosting": "member: boosting",
}
"""Model key to title; the first three are compared, the members are what the first is made of."""
COMPARED = (OWN, ENSEMBLE, BASELINE)
HORIZONS = (0, 1, 2, 3)
"""Weeks from the reference date to the Saturday that ends the target week."""
ALL = "all"


def season_of(day: date) -> str:
    """Name the influenza season of a day; a season starts in August.

    Parameters
    ----------
    day : date
        Any day.

    Returns
    -------
    str
        Such as ``"2023-24"``.
    """
    start = day.year if day.month >= 8 else day.year - 1
    return f"{start}-{(start + 1) % 100:02d}"


def season_part(season: str) -> str:
    """Give a season's piece of a metric id.

    Parameters
    ----------
    season : str
        Such as ``"2023-24"``, or ``"all"``.

    Returns
    -------
    str
        Such as ``"season_2023_24"``, or ``"all_seasons"``.
    """
    return "all_seasons" if season == ALL else f"season_{season.replace('-', '_')}"
