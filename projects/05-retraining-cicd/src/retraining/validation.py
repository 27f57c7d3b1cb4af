"""What a batch that reads well may still have wrong: values gone missing, a code gone, a jump that no ward makes between batches.

Types, ranges, labels and unique ids are checked when the file is read (`retraining.data.read_batch`). What is checked here compares with
the batch before, for the columns that the protocol lists as measured: codes of administration do change overnight.
"""

from collections.abc import Sequence

import polars as pl

from retraining.drift import stability_by_feature
from retraining.protocol import BatchRules


def find_faults(before: pl.DataFrame, batch: pl.DataFrame, rules: BatchRules) -> list[str]:
    """Say what in a batch cannot be believed.

    Parameters
    ----------
    before : polars.DataFrame
        Features of the batch before.
    batch : polars.DataFrame
        Features of this one.
    rules : BatchRules
        Limits and measured columns.

    Returns
    -------
    list of str
        Each in words and numbers; empty if nothing was found.
    """
    return [*missing_faults(before, batch, rules), *code_faults(before, batch, rules), *jump_faults(jumps(before, batch, rules), rules)]


def missing_faults(before: pl.DataFrame, batch: pl.DataFrame, rules: BatchRules) -> list[str]:
    """Find columns whose share of unknown values has changed too much.

    Parameters
    ----------
    before, batch : polars.DataFrame
        Features of the batch before, and of this one.
    rules : BatchRules
        Limits and measured columns.

    Returns
    -------
    list of str
        One a column.
    """
    shares = {name: (_unknown(before[name]), _unknown(batch[name])) for name in rules.measured}
    return [f"missing: {name} is not known in {now:.1%} of the rows, {then:.1%} in the batch before; largest change "
            f"{rules.largest_change_of_missing:.1%}"
            for name, (then, now) in shares.items() if abs(now - then) > rules.largest_change_of_missing]


def code_faults(before: pl.DataFrame, batch: pl.DataFrame, rules: BatchRules) -> list[str]:
    """Find codes that were usual in the batch before and are gone.

    Parameters
    ----------
    before, batch : polars.DataFrame
        Features of the batch before, and of this one.
    rules : BatchRules
        Limits and measured columns.

    Returns
    -------
    list of str
        One a code.
    """
    faults = []
    for name in rules.measured:
        if before.schema[name] != pl.String:
            continue
        counts = before[name].drop_nulls().value_counts()
        usual = counts.filter(pl.col("count") >= rules.vanished_code_share * before.height).sort(name)
        present = set(batch[name].drop_nulls().unique().to_list())
        faults += [f"code gone: {name} = {code} stood in {count / before.height:.1%} of the batch before and stands nowhere in this one"
                   for code, count in usual.iter_rows() if code not in present]
    return faults


def jumps(before: pl.DataFrame, batch: pl.DataFrame, rules: BatchRules) -> dict[str, float]:
    """Measure how far the measured columns are from the batch before.

    Parameters
    ----------
    before, batch : polars.DataFrame
        Features of the batch before, and of this one.
    rules : BatchRules
        Measured columns.

    Returns
    -------
    dict of str to float
        Population stability index by column.
    """
    return stability_by_feature(before, batch, rules.measured)


def jump_faults(found: dict[str, float], rules: BatchRules) -> list[str]:
    """Find columns that jumped.

    Parameters
    ----------
    found : dict
        Result of `jumps`.
    rules : BatchRules
        The limit.

    Returns
    -------
    list of str
        One a column.
    """
    return [f"jump: {name} has a population stability index of {value:.2f} against the batch before; limit {rules.largest_jump_psi:.2f}. "
            "Another unit or another meaning?" for name, value in found.items() if value > rules.largest_jump_psi]


def outcome_fault(returned: Sequence[int] | pl.Series, rules: BatchRules) -> str:
    """Say whether the outcomes of a batch can be believed.

    Parameters
    ----------
    returned : sequence of int
        0 or 1.
    rules : BatchRules
        Limits.

    Returns
    -------
    str
        The fault, or empty.
    """
    low, high = rules.outcome_share
    count, rows = int(sum(returned)), len(returned)
    share = count / rows if rows else 0.0
    if low <= share <= high:
        return ""
    return f"outcomes: {count} of {rows} encounters ({share:.1%}) were followed by a return; expected {low:.0%} to {high:.0%}"


def _unknown(values: pl.Series) -> float:
    return values.null_count() / max(len(values), 1)
