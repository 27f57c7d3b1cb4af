"""ICD-9-CM diagnoses as clinical groups and comorbidities.

The published file cuts most codes to their three-character category (428, not 428.0), so everything here works on
categories: the nine groups of Strack et al. (BioMed Research International 2014, 781670, table 2); Charlson's comorbidities
in the three-digit algorithm of D'Hoore et al. (J Clin Epidemiol 1996;49:1429-33), which was made for such codes; and
Elixhauser's comorbidities in Quan's coding (Med Care 2005;43:1130-9), of which a cut code shows only a part. The two
comorbidity definitions come from pycomorb. Diabetes counts in neither: everyone here has it.
"""

import functools

import polars as pl

GROUP_RANGES: dict[str, tuple[tuple[int, int], ...]] = {
    "circulatory": ((390, 459), (785, 785)),
    "respiratory": ((460, 519), (786, 786)),
    "digestive": ((520, 579), (787, 787)),
    "diabetes": ((250, 250),),
    "injury": ((800, 999),),
    "musculoskeletal": ((710, 739),),
    "genitourinary": ((580, 629), (788, 788)),
    "neoplasms": ((140, 239),),
}
GROUPS = (*GROUP_RANGES, "other")
CHARLSON_WEIGHTS = {
    "Myocardial infarction": 1, "Congestive heart failure": 1, "Peripheral vascular disease": 1, "Cerebrovascular disease": 1,
    "Dementia": 1, "Chronic pulmonary disease": 1, "Rheumatic disease": 1, "Peptic ulcer disease": 1, "Mild liver disease": 1,
    "Hemiplegia or paraplegia": 2, "Renal disease": 2, "Any malignancy": 2, "Moderate or severe liver disease": 3,
    "Metastatic solid tumor": 6,
}
SEVERE_OVER_MILD = {"Mild liver disease": "Moderate or severe liver disease", "Any malignancy": "Metastatic solid tumor"}


def icd9_category(code: str) -> str:
    """Give the three-character category of one code.

    Parameters
    ----------
    code : str
        As published: ``"8"``, ``"250.83"``, ``"V45"``, ``"E888"``.

    Returns
    -------
    str
        For example ``"008"``, ``"250"``, ``"V45"``, ``"E888"``.
    """
    return code.partition(".")[0].zfill(3)


def icd9_group(category: str) -> str:
    """Give the clinical group of one category.

    Parameters
    ----------
    category : str
        Result of `icd9_category`.

    Returns
    -------
    str
        One of `GROUPS`; supplementary V and E codes are ``"other"``.
    """
    if not category.isdigit():
        return "other"
    number = int(category)
    return next((group for group, ranges in GROUP_RANGES.items() if any(low <= number <= high for low, high in ranges)), "other")


@functools.cache
def category_table() -> pl.DataFrame:
    """Build the table of all ICD-9-CM categories.

    Returns
    -------
    polars.DataFrame
        ``category``, ``group``, and two bit masks, ``charlson`` (bit i is the i-th key of `CHARLSON_WEIGHTS`) and
        ``elixhauser`` (bit i is pycomorb's i-th category, diabetes left out); one row a category.
    """
    categories = [f"{n:03d}" for n in range(1, 1000)] + [f"V{n:02d}" for n in range(1, 92)] + [f"E{n:03d}" for n in range(1000)]
    masks = {"charlson": _masks("charlson", categories), "elixhauser": _masks("elixhauser", categories)}
    return pl.DataFrame({"category": categories, "group": [icd9_group(c) for c in categories], **masks},
                        schema_overrides={"charlson": pl.Int64, "elixhauser": pl.Int64})


def _masks(score: str, categories: list[str]) -> list[int]:
    import pycomorb

    options = {"charlson": {"implementation": "dhoore"}, "elixhauser": {"implementation": "quan"}}[score]
    codes = pl.DataFrame({"id": categories, "code": categories, "age": 0})
    table = pycomorb.comorbidity(score, codes, icd_version="icd9", return_categories=True, **options)
    if score == "charlson":
        table = table.rename({"Any malignancy, including lymphoma and leukemia": "Any malignancy"})
        # The library's list holds "2OO" (letters) for 200, lymphosarcoma.
        table = table.with_columns(pl.when(pl.col("id") == "200").then(1).otherwise(pl.col("Any malignancy")).alias("Any malignancy"))
        names = list(CHARLSON_WEIGHTS)
    else:
        names = [n for n in table.columns if n not in ("id", "age") and "Diabetes" not in n and "Index" not in n]
    bits = pl.sum_horizontal(pl.col(name).fill_null(0).cast(pl.Int64) * 2**i for i, name in enumerate(names))
    found = dict(table.select("id", bits.alias("mask")).iter_rows())
    return [found.get(category, 0) for category in categories]


@functools.cache
def category_lookup() -> dict[str, tuple[str, int, int]]:
    """Give `category_table` as a dictionary, for one encounter at a time.

    Returns
    -------
    dict
        Category to (group, Charlson mask, Elixhauser mask).
    """
    return {category: (group, charlson, elixhauser) for category, group, charlson, elixhauser in category_table().iter_rows()}


@functools.cache
def charlson_index(mask: int) -> int:
    """Weigh a Charlson mask; a severe form replaces its mild one.

    Parameters
    ----------
    mask : int
        Union of the masks of a patient's diagnoses.

    Returns
    -------
    int
        Charlson index without its diabetes and age points, 0 or more; higher is sicker.
    """
    present = {name for i, name in enumerate(CHARLSON_WEIGHTS) if mask >> i & 1}
    present -= {mild for mild, severe in SEVERE_OVER_MILD.items() if severe in present}
    return sum(CHARLSON_WEIGHTS[name] for name in present)
