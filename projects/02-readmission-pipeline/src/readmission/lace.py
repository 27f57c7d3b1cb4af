"""A LACE-like score from the columns that exist.

LACE (van Walraven et al., CMAJ 2010;182:551-7) adds points for length of stay, acute admission, comorbidity and emergency
visits. Two inputs differ here and make it "LACE-like": the Charlson index is read from three diagnoses, without diabetes,
and emergency visits are those of the year before the stay, not of six months.
"""

import polars as pl

EMERGENCY_OR_URGENT = ("1", "2", "7")
HIGHEST = 19


def lace_score() -> pl.Expr:
    """Add the four parts.

    Returns
    -------
    polars.Expr
        Points, 0 to `HIGHEST`; higher means more likely to return.
    """
    return length_of_stay_points() + acute_points() + comorbidity_points() + emergency_points()


def length_of_stay_points() -> pl.Expr:
    """Give the points of the length of stay.

    Returns
    -------
    polars.Expr
        1, 2, 3 for as many days; 4 for 4 to 6; 5 for 7 to 13; 7 from 14.
    """
    days = pl.col("los_days")
    return (pl.when(days < 1).then(0).when(days < 4).then(days.floor()).when(days < 7).then(4).when(days < 14).then(5).otherwise(7)
            .cast(pl.Int32))


def acute_points() -> pl.Expr:
    """Give the points of an unplanned admission.

    Returns
    -------
    polars.Expr
        3 for emergency, urgent and trauma admissions, else 0.
    """
    return pl.when(pl.col("admission_type").is_in(EMERGENCY_OR_URGENT)).then(3).otherwise(0).cast(pl.Int32)


def comorbidity_points() -> pl.Expr:
    """Give the points of comorbidity.

    Returns
    -------
    polars.Expr
        The Charlson index up to 3, and 5 from 4 on.
    """
    index = pl.col("charlson_index")
    return pl.when(index < 4).then(index).otherwise(5).cast(pl.Int32)


def emergency_points() -> pl.Expr:
    """Give the points of earlier emergency visits.

    Returns
    -------
    polars.Expr
        One a visit, at most 4.
    """
    return pl.min_horizontal(pl.col("emergency_visits_1y"), pl.lit(4)).cast(pl.Int32)
