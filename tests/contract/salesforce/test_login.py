"""Does a signed assertion log in where the connection has a private key, and does a refusal say what is wrong?"""

from __future__ import annotations

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from connectors.salesforce import JwtBearer, log_in, tenant_of
from retention.contract import AccessDenied, ConnectorError
from tests.contract.salesforce_world import Emulator, no_pause

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()


def bearer(emulator: Emulator, **other: str) -> JwtBearer:
    known = {"client_id": emulator.credentials["client_id"], "username": emulator.credentials["username"]} | other
    return JwtBearer(emulator.base_url, known["client_id"], known["username"], PEM, pause=no_pause)


def test_a_signed_assertion_logs_in_and_a_lost_session_is_renewed_by_a_new_one(emulator: Emulator) -> None:
    client = log_in(bearer(emulator), emulator.ca)
    assert tenant_of(client) == emulator.credentials["tenant"]
    first = client.session.bearer.token
    emulator.tell("faults", fault="status", status=401, times=1)
    assert client.session.get(f"{client.base_url}limits").status_code == 200
    assert client.session.bearer.token != first


@pytest.mark.parametrize(
    ("wrong", "culprit"),
    [
        ({"client_id": "another-app"}, "client id is unknown"),
        ({"username": "nobody@sandbox.example"}, "user has not approved the app"),
    ],
)
def test_a_refused_assertion_says_what_to_mend_and_shows_nothing_of_the_key(
    emulator: Emulator, wrong: dict[str, str], culprit: str
) -> None:
    with pytest.raises(AccessDenied, match=culprit) as denied:
        log_in(bearer(emulator, **wrong), emulator.ca)
    assert "consumer_key and private key" in str(denied.value)
    assert not any(line in str(denied.value) for line in PEM.splitlines()[1:-1])


def test_a_key_that_is_none_is_refused_before_anything_is_sent() -> None:
    login = JwtBearer("https://acme.my.salesforce.test", "app", "user@example.com", "no key", pause=no_pause)
    with pytest.raises(AccessDenied, match="private key cannot be read") as denied:
        log_in(login)
    assert "no key" not in str(denied.value)


def test_a_login_address_without_tls_is_refused() -> None:
    with pytest.raises(ConnectorError, match="https"):
        JwtBearer("http://acme.my.salesforce.test", "app", "user@example.com", PEM)


@pytest.mark.parametrize(
    ("host", "audience", "expected"),
    [
        ("acme.my.salesforce.test", "", "https://login.salesforce.com"),
        ("acme--uat.sandbox.my.salesforce.test", "", "https://test.salesforce.com"),
        ("acme.my.salesforce.test", "https://portal.example.com", "https://portal.example.com"),
    ],
)
def test_the_assertion_names_app_user_and_audience_and_is_good_for_minutes(
    host: str, audience: str, expected: str
) -> None:
    login = JwtBearer(f"https://{host}", "app", "user@example.com", PEM, audience=audience, now=lambda: 1_000.0)
    claims = jwt.decode(
        login.assertion(), KEY.public_key(), ["RS256"], audience=expected, options={"verify_exp": False}
    )
    assert claims == {"iss": "app", "sub": "user@example.com", "aud": expected, "exp": 1_180}
