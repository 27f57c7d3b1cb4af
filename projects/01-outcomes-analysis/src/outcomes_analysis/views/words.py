"""How this chapter's values are written for people."""

from datetime import date

from carefolio.views import NBSP

SPELT = {"asian": "Asian", "black": "Black", "hispanic": "Hispanic", "white": "White", "missing": "not recorded",
         "latest_days": "latest days withdrawn",
         "dip": "a dip, raised", "all_earlier": "all earlier counts scaled", "cases": "cases", "deaths": "deaths"}


def day_in_words(day: str | date) -> str:
    """Write a date so that it is not broken across lines.

    Parameters
    ----------
    day : str or date
        A date, or one as ISO text.

    Returns
    -------
    str
        For example ``"25 Jul 2020"``, with spaces that do not break.
    """
    found = date.fromisoformat(day) if isinstance(day, str) else day
    return f"{found.day}{NBSP}{found:%b}{NBSP}{found.year}"


def in_words(value: str) -> str:
    """Write a value of the data for people.

    Parameters
    ----------
    value : str
        As in the data.

    Returns
    -------
    str
        For example ``"Not recorded"``.
    """
    name = SPELT.get(value, value.replace("_", " "))
    return name[:1].upper() + name[1:]
