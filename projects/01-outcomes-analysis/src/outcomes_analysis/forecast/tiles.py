"""Where each state stands on a tile map and in which federal health region it lies."""

_MAP = """
AK .. .. .. .. US .. .. .. .. ME
.. .. .. .. .. .. .. .. .. VT NH
WA ID MT ND MN IL WI MI NY RI MA
OR NV WY SD IA IN OH PA NJ CT ..
CA UT CO NE MO KY WV VA MD DE ..
.. AZ NM KS AR TN NC SC DC .. ..
.. .. .. OK LA MS AL GA .. .. ..
HI .. .. TX .. .. .. .. FL .. PR
"""
_HEALTH_REGIONS = {
    1: "CT ME MA NH RI VT", 2: "NJ NY PR", 3: "DE DC MD PA VA WV", 4: "AL FL GA KY MS NC SC TN", 5: "IL IN MI MN OH WI",
    6: "AR LA NM OK TX", 7: "IA KS MO NE", 8: "CO MT ND SD UT WY", 9: "AZ CA HI NV", 10: "AK ID OR WA",
}

TILES = {name: (row, column) for row, line in enumerate(_MAP.split("\n")[1:-1]) for column, name in enumerate(line.split()) if name != ".."}
"""Abbreviation to (row, column), from the top left; ``US`` is the nation."""
REGIONS = {name: region for region, names in _HEALTH_REGIONS.items() for name in names.split()}
"""Abbreviation to region of the Department of Health and Human Services, 1 to 10."""
