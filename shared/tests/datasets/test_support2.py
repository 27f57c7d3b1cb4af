import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from carefolio.datasets.pandas_pickle import read_pandas_pickle
from carefolio.datasets.support2 import FILE, NAME, load_support2, validate_support2
from carefolio.exceptions import DataIntegrityError, DataUnavailableError, SchemaError
from carefolio.testing import requires_real_data


@requires_real_data("support2")
def test_the_patients_come_from_the_package(cache):
    loaded = load_support2()
    assert loaded.frame.shape == (9_105, 38)
    assert loaded.provenance.origin == "package"
    assert loaded.frame["event"].sum() == 6_201
    assert loaded.frame["fac_dementia"].dtype == pl.Enum(["0", "1"])


@requires_real_data("support2")
def test_the_columns_are_those_that_unpickling_would_give(cache):
    from SurvSet.data import SurvLoader

    frame, peer = load_support2().frame, SurvLoader().load_dataset("support2")["df"]
    assert frame.columns == list(peer.columns)
    for name in frame.columns:
        if name.startswith("fac_"):
            assert frame[name].cast(pl.String).to_list() == peer[name].astype(str).to_list()
        else:
            np.testing.assert_array_equal(frame[name].cast(pl.Float64).fill_null(np.nan).to_numpy(), peer[name].to_numpy(dtype=float))


@requires_real_data("support2")
def test_a_value_out_of_range_is_named(cache):
    frame = load_support2().frame.with_columns(num_temp=pl.when(pl.col("pid") == 7).then(98.6).otherwise("num_temp"))
    with pytest.raises(SchemaError, match=r"'num_temp' must satisfy 25 <= num_temp <= 45; 1 value\(s\) do not, first 98.6"):
        validate_support2(frame)


def test_without_the_package_the_error_says_what_to_install(cache, monkeypatch):
    monkeypatch.setattr("carefolio.datasets.resolve._package_file", lambda file: None)
    with pytest.raises(DataUnavailableError, match=f"{NAME}/{FILE} is not available: .*SurvSet is not installed"):
        load_support2()


def test_a_pickle_that_would_run_a_command_runs_nothing(tmp_path):
    class Harmful:
        def __reduce__(self):
            return Path.touch, (tmp_path / "touched",)

    path = tmp_path / "harmful.pickle"
    path.write_bytes(pickle.dumps(Harmful()))
    with pytest.raises(DataIntegrityError, match="not a pickled table of the known form"):
        read_pandas_pickle(path)
    assert not (tmp_path / "touched").exists()
    pickle.loads(path.read_bytes())
    assert (tmp_path / "touched").exists()


@pytest.mark.parametrize("body", [b"", b"not a pickle", pickle.dumps({"a": 1}), pickle.dumps(pd.Series([1, 2]))])
def test_anything_but_a_known_table_is_refused(tmp_path, body):
    path = tmp_path / "other.pickle"
    path.write_bytes(body)
    with pytest.raises(DataIntegrityError, match="not a pickled table of the known form"):
        read_pandas_pickle(path)
