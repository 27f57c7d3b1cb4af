import hashlib

import pytest

from carefolio.exceptions import ConfigError
from carefolio.serving.settings import ServingSettings, hash_api_key, is_loopback, new_api_key

HASH = hashlib.sha256(b"x" * 30).hexdigest()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost"])
def test_loopback_hosts(host):
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.org", ""])
def test_hosts_that_others_can_reach(host):
    assert not is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "hospital.example"])
def test_no_authentication_is_refused_on_a_host_others_can_reach(host):
    with pytest.raises(ConfigError, match="needs a loopback host"):
        ServingSettings.from_environment({"CAREFOLIO_AUTH": "off", "CAREFOLIO_HOST": host})


def test_no_authentication_is_refused_when_the_host_is_not_known():
    with pytest.raises(ConfigError, match="CAREFOLIO_HOST=''"):
        ServingSettings.from_environment({"CAREFOLIO_AUTH": "off"})


def test_no_authentication_is_allowed_on_loopback():
    assert ServingSettings.from_environment({"CAREFOLIO_AUTH": "off", "CAREFOLIO_HOST": "127.0.0.1"}).auth == "off"


def test_authentication_without_any_key_is_refused():
    with pytest.raises(ConfigError, match="no API key and no token issuer"):
        ServingSettings.from_environment({})


def test_half_configured_tokens_are_refused():
    with pytest.raises(ConfigError, match="got 1 of 3"):
        ServingSettings.from_environment({"CAREFOLIO_API_KEYS": HASH, "CAREFOLIO_JWT_ISSUER": "https://issuer.example"})


def test_environment_is_read_with_its_types(tmp_path):
    key_file = tmp_path / "audit.key"
    key_file.write_text("a secret\n")
    settings = ServingSettings.from_environment({
        "CAREFOLIO_API_KEYS": f"{HASH}, {HASH.upper()}", "CAREFOLIO_BODY_LIMIT_BYTES": "2048", "CAREFOLIO_BODY_TIMEOUT_S": "2.5",
        "CAREFOLIO_REQUESTS_PER_MINUTE": "60", "CAREFOLIO_AUDIT_LOG": str(tmp_path / "audit.jsonl"),
        "CAREFOLIO_AUDIT_KEY_FILE": str(key_file)})
    assert settings.api_key_hashes == {HASH}
    assert (settings.body_limit_bytes, settings.body_timeout_s, settings.requests_per_minute) == (2048, 2.5, 60)
    assert settings.audit_key.get_secret_value() == b"a secret"
    assert "a secret" not in repr(settings)


def test_wrong_number_names_the_variable():
    with pytest.raises(ConfigError, match=r"CAREFOLIO_BODY_LIMIT_BYTES: .*got 'many'"):
        ServingSettings.from_environment({"CAREFOLIO_API_KEYS": HASH, "CAREFOLIO_BODY_LIMIT_BYTES": "many"})


def test_key_file_holds_keys_and_hashes(tmp_path):
    key, key_hash = new_api_key()
    file = tmp_path / "keys"
    file.write_text(f"# ward 3\n{key}\n\nsha256:{HASH}\n")
    assert ServingSettings.from_environment({"CAREFOLIO_API_KEYS_FILE": str(file)}).api_key_hashes == {key_hash, HASH}


def test_a_key_given_in_place_of_its_hash_is_refused_and_not_shown():
    key, _ = new_api_key()
    with pytest.raises(ConfigError, match="holds hashes, not keys") as caught:
        ServingSettings.from_environment({"CAREFOLIO_API_KEYS": key})
    assert key.lower() not in str(caught.value).lower()


def test_short_key_is_refused():
    with pytest.raises(ConfigError, match="at least 20"):
        hash_api_key("swordfish")


def test_missing_key_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"CAREFOLIO_API_KEYS_FILE: .*cannot be read"):
        ServingSettings.from_environment({"CAREFOLIO_API_KEYS_FILE": str(tmp_path / "none")})
