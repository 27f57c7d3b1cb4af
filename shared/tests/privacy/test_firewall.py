import copy
import logging
import pickle

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carefolio.exceptions import ArtefactError, PrivacyError
from carefolio.privacy.firewall import firewall, guard
from carefolio.privacy.nlp import load_language_model, model_folder, model_sha256
from carefolio.privacy.policy import PrivacyPolicy
from carefolio.privacy.surrogates import StreamReidentifier

NOTE = ("Dr. Ysolde Krantwell saw Quillon Vasterby (MRN: MV-7719405), a 92-year-old man from Tarnwick, OH, on 03/04/2023.\n"
        "Mr. Vasterby has Parkinson's disease. VASTERBY, Quillon. Seen at QVMC Medical Center; QVMC wrote. "
        "Krantwell agrees. MV-7719405 again.")
PIECES = st.one_of(
    st.text(max_size=12), st.sampled_from(["Mr. Quillon Vasterby ", "Vasterby ", "Dr. Krantwell ", "on 03/04/2023 ", "MRN: MV-7719405 ",
                                           "[PERSON_1] ", "[person 2", "[DATE_1a]", "] ", "\n", "at QVMC ", "q.v@example.org "]))
TEXTS = st.lists(PIECES, max_size=8).map("".join)


def test_the_same_person_has_the_same_number_in_every_form():
    result = firewall(NOTE)
    assert "Krantwell" not in result.text
    assert "asterby" not in result.text.casefold()
    assert result.text.count("[MRN_1]") == 2
    assert {surrogate[:9] for surrogate in result.mapping.surrogates() if surrogate.startswith("[PERSON")} == {"[PERSON_1"}
    assert "Parkinson's disease" in result.text
    assert "[HOSPITAL_1a] wrote" in result.text
    assert result.mapping.reidentify(result.text) == NOTE


def test_a_later_text_continues_the_mapping():
    first = firewall(NOTE)
    second = firewall("Then vasterby MV-7719405: Quillon Vasterby slept.", mapping=first.mapping)
    assert "[MRN_1]" in second.text
    assert "Quillon" not in second.text
    assert second.mapping is first.mapping
    assert guard(second.text, first.mapping) == second.text


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(TEXTS, st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_every_text_comes_back_whole_and_in_pieces_and_passes_the_guard(text, sizes):
    result = firewall(text)
    assert result.mapping.reidentify(result.text) == text
    stream, position, out, step = StreamReidentifier(result.mapping), 0, "", 0
    while position < len(result.text):
        size = sizes[step % len(sizes)]
        out += stream.feed(result.text[position:position + size])
        position, step = position + size, step + 1
    assert out + stream.close() == text
    assert guard(result.text, result.mapping) == result.text


def test_the_guard_refuses_an_identifier_in_any_case_and_does_not_repeat_it():
    mapping = firewall(NOTE).mapping
    for prompt in ("About quillon   VASTERBY", "record mv-7719405", "ask Krantwell"):
        with pytest.raises(PrivacyError, match=r"the prompt must hold no identifier; got \d, first \[\w+\] at character \d+") as caught:
            guard(prompt, mapping)
        assert not any(word in str(caught.value) for word in ("asterby", "7719405", "Krantwell"))
    assert caught.value.exit_code == 11


def test_the_mapping_shows_nothing_and_cannot_be_stored():
    result = firewall(NOTE)
    for shown in (repr(result), str(result), repr(result.mapping), f"{result.mapping}"):
        assert "asterby" not in shown
        assert "7719405" not in shown
    for store in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(PrivacyError, match="must stay in memory"):
            store(result.mapping)


def test_nothing_is_logged(caplog):
    caplog.set_level(logging.DEBUG)
    firewall(NOTE)
    assert not any(word in caplog.text for word in ("asterby", "7719405", "Krantwell"))


def test_a_text_too_long_and_a_model_that_is_not_there_are_refused():
    with pytest.raises(PrivacyError, match="at most 5 characters; got 6"):
        firewall("abcdef", policy=PrivacyPolicy(maximum_characters=5))
    with pytest.raises(ArtefactError, match=r"'en_no_such_model' is not installed; run `pip install carefolio\[privacy\]`"):
        firewall("abc", policy=PrivacyPolicy(language_model="en_no_such_model"))


def test_changed_model_files_are_refused_before_they_are_read(tmp_path):
    (tmp_path / "config.cfg").write_text("[nlp]")
    before = model_sha256(tmp_path)
    (tmp_path / "config.cfg").write_text("[nlp] ")
    assert model_folder(str(tmp_path)) == tmp_path
    assert model_sha256(tmp_path) != before
    with pytest.raises(ArtefactError, match=f"expected {before}"):
        load_language_model(str(tmp_path), before)
