import base64
import json
import time

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, OKPKey, RSAKey

from carefolio.exceptions import ConfigError
from carefolio.serving.auth import build_authenticate
from carefolio.serving.settings import ServingSettings, new_api_key

ISSUER, AUDIENCE = "https://issuer.example", "https://api.example"
RISK = "/v1/patients/7/risk"


@pytest.fixture(scope="module")
def keys():
    return {"RS256": RSAKey.generate_key(2048, {"kid": "rsa"}), "ES256": ECKey.generate_key("P-256", {"kid": "ec"}),
            "Ed25519": OKPKey.generate_key("Ed25519", {"kid": "ed"})}


@pytest.fixture
def token_settings(tmp_path, keys):
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps(KeySet(list(keys.values())).as_dict(private=False)))
    return {"jwks_file": file, "jwt_issuer": ISSUER, "jwt_audience": AUDIENCE}


def make_token(key, algorithm, **changes):
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "clinician-1", "nbf": now - 5, "exp": now + 300} | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode({"alg": algorithm, "kid": key.kid}, claims, key, algorithms=[algorithm])


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def test_no_key_gets_401_with_both_schemes(make_app, call, token_settings):
    answer = call(make_app(**token_settings), "GET", RISK, headers={})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == 'ApiKey realm="carefolio", Bearer realm="carefolio"'


@pytest.mark.parametrize("key", ["wrong", "", "x" * 5000, "é"])
def test_wrong_key_gets_401_and_is_not_echoed(make_app, call, key):
    answer = call(make_app(), "GET", RISK, headers=[(b"X-API-Key", key.encode())])
    assert answer.status_code == 401
    assert not key or key not in answer.text


def test_each_of_several_keys_is_accepted(make_app, call):
    pairs = [new_api_key() for _ in range(3)]
    app = make_app(api_key_hashes=frozenset(key_hash for _, key_hash in pairs))
    assert [call(app, "GET", RISK, headers={"X-API-Key": key}).status_code for key, _ in pairs] == [200] * 3


def test_the_hash_of_a_key_is_not_a_key(make_app, call):
    _, key_hash = new_api_key()
    assert call(make_app(api_key_hashes=frozenset({key_hash})), "GET", RISK, headers={"X-API-Key": key_hash}).status_code == 401


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "Ed25519", "EdDSA"])
def test_signed_token_is_accepted(make_app, call, keys, token_settings, algorithm):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("joserfc._rfc8037.jws_eddsa.EdDSAAlgorithm.security_warning", None)
        token = make_token(keys["Ed25519" if algorithm == "EdDSA" else algorithm], algorithm)
    assert call(make_app(**token_settings), "GET", RISK, headers=bearer(token)).status_code == 200


@pytest.mark.parametrize(("changes", "reason"), [
    ({"exp": 1_000_000}, "expired"), ({"exp": None}, "must all be there"), ({"nbf": 4_000_000_000}, "not what this server expects"),
    ({"nbf": None}, "must all be there"), ({"aud": "https://other.example"}, "not what"), ({"aud": None}, "must all be there"),
    ({"iss": "https://other.example"}, "not what"), ({"iss": None}, "must all be there"), ({"exp": "tomorrow"}, "not what")])
def test_token_with_a_wrong_claim_gets_401(make_app, call, keys, token_settings, changes, reason):
    answer = call(make_app(**token_settings), "GET", RISK, headers=bearer(make_token(keys["ES256"], "ES256", **changes)))
    assert answer.status_code == 401
    assert reason in answer.json()["detail"]
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def unsigned_token():
    claims = {"iss": ISSUER, "aud": AUDIENCE, "nbf": 0, "exp": 4_000_000_000}
    return f"{part({'alg': 'none', 'kid': 'rsa'})}.{part(claims)}."


def test_unsigned_token_gets_401(make_app, call, token_settings):
    assert call(make_app(**token_settings), "GET", RISK, headers=bearer(unsigned_token())).status_code == 401


def test_token_signed_with_the_public_key_as_a_shared_secret_gets_401(make_app, call, keys, token_settings):
    secret = OctKey.import_key(json.dumps(keys["RS256"].as_dict(private=False)), {"kid": "rsa"})
    assert call(make_app(**token_settings), "GET", RISK, headers=bearer(make_token(secret, "HS256"))).status_code == 401


def test_token_of_another_key_or_without_key_id_gets_401(make_app, call, token_settings):
    for parameters in ({"kid": "ec"}, {"kid": "unknown"}):
        token = make_token(ECKey.generate_key("P-256", parameters), "ES256")
        assert call(make_app(**token_settings), "GET", RISK, headers=bearer(token)).status_code == 401


BROKEN_HEADERS = [{"alg": 1}, {"alg": "RS256", "kid": 1}, {"alg": ["RS256"]}, [], None,
                  {"alg": "RS256", "kid": "rsa", "crit": ["b64"], "b64": False}]


@pytest.mark.parametrize("token", ["", "a", "a.b.c", "....", "x" * 20_000,
                                   *(f"{part(header)}.e30.AA" for header in BROKEN_HEADERS)])
def test_broken_token_gets_401(make_app, call, token_settings, token):
    assert call(make_app(**token_settings), "GET", RISK, headers=bearer(token)).status_code == 401


def test_token_without_the_scope_gets_403(make_app, call, keys, token_settings):
    app = make_app(jwt_scope="predict", **token_settings)
    refused = call(app, "GET", RISK, headers=bearer(make_token(keys["ES256"], "ES256", scope="read predictions")))
    allowed = call(app, "GET", RISK, headers=bearer(make_token(keys["ES256"], "ES256", scope="read predict")))
    assert (refused.status_code, allowed.status_code) == (403, 200)
    assert 'error="insufficient_scope"' in refused.headers["www-authenticate"]


def test_secret_key_in_the_key_set_is_refused(tmp_path, keys):
    file = tmp_path / "jwks.json"
    for key in (keys["RS256"], OctKey.generate_key(256)):
        file.write_text(json.dumps({"keys": [key.as_dict(private=True)]}))
        with pytest.raises(ConfigError, match="expected public keys only"):
            build_authenticate(ServingSettings(jwks_file=file, jwt_issuer=ISSUER, jwt_audience=AUDIENCE))


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"keys": []}', '{"keys": [{"kty": "EC"}]}', '{"keys": 3}'])
def test_broken_key_set_is_refused(tmp_path, content):
    file = tmp_path / "jwks.json"
    file.write_text(content)
    with pytest.raises(ConfigError, match="not a JSON Web Key Set"):
        build_authenticate(ServingSettings(jwks_file=file, jwt_issuer=ISSUER, jwt_audience=AUDIENCE))


def test_without_authentication_another_machine_gets_403(make_app, call):
    app = make_app(auth="off", host="127.0.0.1", api_key_hashes=frozenset())
    assert call(app, "GET", RISK, headers={}).status_code == 200
    assert call(app, "GET", RISK, headers={}, client=("192.0.2.7", 4000)).status_code == 403


@pytest.mark.parametrize(("host", "status"), [
    ("127.0.0.1:8000", 200), ("localhost", 200), ("[::1]:8000", 200), ("elsewhere.example:8000", 403), ("127.0.0.1.elsewhere.example", 403),
    ("192.0.2.7", 403), ("[broken", 403), ("", 403),
])
def test_without_authentication_a_page_under_another_name_gets_403(make_app, call, host, status):
    app = make_app({"open_paths": ["/v1/predict"]}, auth="off", host="127.0.0.1", api_key_hashes=frozenset())
    answers = [call(app, "GET", RISK, headers={"Host": host}), call(app, "GET", "/v1/predict", headers={"Host": host})]
    assert [answer.status_code for answer in answers] == [status, 405 if status == 200 else 403]
    assert "elsewhere" not in answers[0].text


def test_probes_and_declared_paths_need_no_key(make_app, call):
    app = make_app({"open_paths": [RISK]})
    paths = ["/health/live", "/health/ready", "/metrics", RISK, "/openapi.json", "/model-card", "/v1/none"]
    assert [call(app, "GET", path, headers={}).status_code for path in paths] == [200, 200, 200, 200, 401, 401, 401]
