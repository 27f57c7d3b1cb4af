import io
import json
import logging
import traceback

import pytest

from carefolio.exceptions import DataIntegrityError, PrivacyError
from carefolio.privacy.logs import PrivacyFilter, protected, scrub_exception
from carefolio.privacy.surrogates import Mapping

NAME = "Quillon Vasterby"


@pytest.fixture
def mapping() -> Mapping:
    known = Mapping()
    known.surrogate_for(NAME, "PERSON")
    return known


@pytest.fixture
def log():
    stream, logger = io.StringIO(), logging.getLogger("carefolio.tests.privacy")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(message)s %(patient)s", defaults={"patient": ""}))
    handler.addFilter(PrivacyFilter())
    logger.addHandler(handler)
    yield logger, stream
    logger.removeHandler(handler)


def test_message_arguments_exception_stack_and_extra_are_scrubbed(mapping, log):
    logger, stream = log
    with protected(mapping):
        logger.warning("saw %s", NAME, extra={"patient": {"name": NAME}}, stack_info=True)
        try:
            raise KeyError(NAME)
        except KeyError:
            logger.exception("failed for %(who)s", {"who": NAME})
    assert "asterby" not in stream.getvalue()
    assert "saw [PERSON_1] {'name': '[PERSON_1]'}" in stream.getvalue()
    assert "KeyError: '[PERSON_1]'" in stream.getvalue()


def test_outside_the_block_nothing_is_scrubbed(mapping, log):
    logger, stream = log
    with protected(mapping):
        logger.warning("in")
    logger.warning(NAME)
    assert NAME in stream.getvalue()


def test_an_exception_leaves_the_block_without_the_identifier_anywhere(mapping):
    with pytest.raises(PrivacyError) as caught, protected(mapping):
        try:
            json.loads("{" + NAME)
        except json.JSONDecodeError as error:
            raise ValueError(f"cannot read {NAME}") from error
    error = caught.value
    assert str(error) == "ValueError: cannot read [PERSON_1]"
    assert (error.__cause__, error.__context__) == (None, None)
    assert "asterby" not in "".join(traceback.format_exception(error))


def test_our_own_errors_keep_their_class_and_exit_code(mapping):
    error = scrub_exception(DataIntegrityError(f"{NAME} is cut short"), mapping)
    assert type(error) is DataIntegrityError
    assert str(error) == "[PERSON_1] is cut short"


def test_an_interruption_passes(mapping):
    with pytest.raises(KeyboardInterrupt), protected(mapping):
        raise KeyboardInterrupt
