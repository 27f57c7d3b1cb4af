import bz2
import struct

import pytest

from carefolio.datasets import r_data
from carefolio.datasets.r_data import HEADER, read_data_frame
from carefolio.exceptions import DataIntegrityError

NULL, NAMES, ATTRIBUTES = 254, 0x400, 0x200


def number(value):
    return struct.pack(">i", value)


def string(value, flags=0x8000):
    return number(9 | flags) + (number(-1) if value is None else number(len(value.encode())) + value.encode())


def strings(*values):
    return number(16) + number(len(values)) + b"".join(map(string, values))


def integers(*values):
    return number(13) + number(len(values)) + b"".join(map(number, values))


def symbol(name):
    return number(1) + string(name)


def pair(name, value):
    return number(2 | NAMES) + symbol(name) + value


def frame(*, first=None, second=None, names=("id", "word")):
    columns = (first or integers(1, 2, -(2**31))) + (second or strings("naïve", None, ""))
    attributes = pair("names", strings(*names)) + pair("row.names", integers(-(2**31), -3)) + pair("class", strings("data.frame"))
    return number(19 | ATTRIBUTES) + number(2) + columns + attributes + number(NULL)


def saved(*pairs, header=HEADER, end=b"\x00\x00\x00\xfe"):
    return header + number(2) + number(0x30600) + number(0x20300) + b"".join(pairs) + end


@pytest.fixture
def read(tmp_path):
    def read(content, name="words", packed=True):
        (tmp_path / "words.rda").write_bytes(bz2.compress(content) if packed else content)
        return read_data_frame(tmp_path / "words.rda", name)
    return read


def test_numbers_strings_and_what_is_missing_are_read(read):
    assert read(saved(pair("words", frame()))) == {"id": [1, 2, None], "word": ["naïve", None, ""]}


def test_reals_latin_letters_and_names_that_stand_again(read):
    reals = number(14) + number(2) + struct.pack(">2d", 0.5, -3.0)
    latin = number(16) + number(2) + number(9 | 0x4000) + number(1) + b"\xe9" + string("b")
    again = number(2 | NAMES) + number(255 | 1 << 8) + strings("x", "y") + number(NULL)
    table = number(19 | ATTRIBUTES) + number(2) + reals + latin + again
    assert read(saved(pair("names", strings("a")), pair("t", table)), name="t") == {"x": [0.5, -3.0], "y": ["é", "b"]}


@pytest.mark.parametrize(("content", "said"), [
    (saved(pair("words", frame()), header=b"RDX3\nX\n"), "it does not begin with"),
    (saved(pair("words", frame()), end=b""), "is not an R data file"),
    (saved(pair("words", frame())[:-30]), "is not an R data file"),
    (saved(pair("words", frame()), end=number(13)), "an item of type 13 where a list of pairs should end"),
    (saved(pair("words", number(3))), "an item of type 3"),
    (saved(pair("words", frame(second=string("x")))), "has no data frame 'words' with columns of one length; it holds 'words'"),
    (saved(number(2) + frame()), "a list of pairs without names"),
    (saved(pair("words", frame(names=("id",)))), "is not an R data file"),
    (saved(pair("words", number(16) + number(2) + string("a") + number(9) + number(50) + b"cut")), "a string that is cut short"),
    (saved(pair("words", number(13 | ATTRIBUTES) + number(1) + number(1) + pair("levels", strings("a")) + number(NULL))), "a factor"),
    (saved(pair("words", b"".join(number(19) + number(1) for _ in range(5000)))), "is not an R data file"),
    (saved(pair("terms", frame())), "has no data frame 'words' .*; it holds 'terms'"),
    (saved(), "has no data frame 'words' .*; it holds nothing"),
    (saved(pair("words", strings("a"))), "has no data frame 'words'"),
    (saved(pair("words", frame(second=strings("a")))), "has no data frame 'words'"),
])
def test_what_is_not_a_table_of_numbers_and_strings_is_refused(read, content, said):
    with pytest.raises(DataIntegrityError, match=said) as caught:
        read(content)
    assert "fetch it again" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_cut_short_or_too_large_or_packed_otherwise_is_refused(read, monkeypatch):
    whole = bz2.compress(saved(pair("words", frame())))
    with pytest.raises(DataIntegrityError, match="is cut short"):
        read(whole[:-10], packed=False)
    with pytest.raises(DataIntegrityError, match="is not packed with bzip2"):
        read(b"<html>Please log in</html>", packed=False)
    monkeypatch.setattr(r_data, "MAX_BYTES", 20)
    with pytest.raises(DataIntegrityError, match="unpacks to more than 20 bytes"):
        read(whole, packed=False)
