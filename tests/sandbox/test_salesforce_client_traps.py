"""Does the vendor's Python client show its known faults against the emulator? Section 1.2 of the facts, one by one.

The connector works round them; an emulator that hid them would prove nothing about that.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta

import jwt
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import (
    SalesforceExpiredSession,
    SalesforceGeneralError,
    SalesforceMalformedRequest,
    SalesforceOperationError,
    SalesforceRefusedRequest,
    SalesforceResourceNotFound,
)

from tests.sandbox.conftest import Running
from tests.sandbox.salesforce_calls import NO_SUCH, VERSION, Trusting, make, token


def test_trap_1_2_an_http_instance_becomes_https(emulator: Running) -> None:
    with Trusting(emulator.ca) as session:
        plain = emulator.base_url.replace("https://", "http://")
        sf = Salesforce(session_id=token(emulator), instance_url=plain, version=VERSION, session=session)
        assert sf.base_url.startswith("https://")
        assert sf.limits()["DailyApiRequests"]["Max"] == 100_000


def test_trap_1_2_nothing_is_repeated_by_the_client(emulator: Running, sf: Salesforce) -> None:
    emulator.control("POST", "faults", fault="status", status=503, path="*/query")
    with pytest.raises(SalesforceGeneralError) as caught:
        sf.query("SELECT Id FROM Contact LIMIT 1")
    assert caught.value.status == 503
    assert sf.query("SELECT Id FROM Contact LIMIT 1")["totalSize"] == 1


@pytest.mark.parametrize(
    ("status", "raised"),
    [
        (400, SalesforceMalformedRequest),
        (401, SalesforceExpiredSession),
        (403, SalesforceRefusedRequest),
        (404, SalesforceResourceNotFound),
        (500, SalesforceGeneralError),
    ],
)
def test_trap_1_2_a_status_becomes_its_exception(
    emulator: Running, sf: Salesforce, status: int, raised: type[Exception]
) -> None:
    emulator.control("POST", "faults", fault="status", status=status, path="*/jobs/ingest", times=4)
    with pytest.raises(raised):
        sf.bulk2.Contact.delete(records=[{"Id": NO_SUCH}])


def test_trap_1_2_a_bulk_handler_keeps_the_session_it_was_made_with(emulator: Running, sf: Salesforce) -> None:
    handler = sf.bulk2.Contact
    emulator.request("POST", "/services/oauth2/revoke", data={"token": sf.session_id})
    sf.session_id = token(emulator)
    with pytest.raises(SalesforceExpiredSession):
        handler.delete(records=[{"Id": NO_SUCH}])


def test_trap_1_2_deleting_a_job_raises_although_the_job_is_gone(emulator: Running, sf: Salesforce) -> None:
    job = sf.restful("jobs/ingest", method="POST", json={"object": "Contact", "operation": "delete"})["id"]
    sf.restful(f"jobs/ingest/{job}", method="PATCH", json={"state": "Aborted"})
    with pytest.raises((json.JSONDecodeError, requests.exceptions.JSONDecodeError)):
        sf.bulk2.Contact._client.delete_job(job, False)
    with pytest.raises(SalesforceResourceNotFound):
        sf.restful(f"jobs/ingest/{job}")


def test_trap_1_2_failed_rows_are_a_count_and_no_exception(emulator: Running, sf: Salesforce) -> None:
    (known,) = make(sf, 1)
    (told,) = sf.bulk2.Contact.delete(records=[{"Id": known}, {"Id": NO_SUCH}], wait=0)
    assert (told["numberRecordsProcessed"], told["numberRecordsFailed"]) == (2, 1)


@pytest.mark.parametrize("ended", ["Failed", "Aborted"])
def test_trap_1_2_a_job_that_ended_early_raises_and_leaves_rows_unprocessed(
    emulator: Running, sf: Salesforce, ended: str
) -> None:
    ids = make(sf, 3)
    emulator.control("POST", "switches", job_breaks_after=1, job_breaks_as=ended)
    with pytest.raises(SalesforceOperationError):
        sf.bulk2.Contact.hard_delete(records=[{"Id": one} for one in ids], wait=0)
    (job,) = [one for one in emulator.control("GET", "state")["jobs"] if one["operation"] == "hardDelete"]
    assert job["state"] == ended
    assert sf.query("SELECT Id FROM Contact WHERE LastName LIKE 'Made%'")["totalSize"] == 2
    assert sf.bulk2.Contact.get_unprocessed_records(job["id"]).split() == ['"Id"', f'"{ids[1]}"', f'"{ids[2]}"']


def test_an_assertion_is_accepted_only_from_the_key_whose_certificate_was_uploaded(emulator: Running) -> None:
    ours, other = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
    emulator.control("POST", "switches", app_certificate=certificate_of(ours))
    known = emulator.credentials
    claims = {"iss": known["client_id"], "sub": known["username"], "aud": "https://login.salesforce.com"}
    answers = []
    for key in (ours, other):
        assertion = jwt.encode({**claims, "exp": int(time.time()) + 60}, key, algorithm="RS256")
        given = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}
        answers.append(emulator.request("POST", "/services/oauth2/token", data=given))
    assert [answer.status_code for answer in answers] == [200, 400]
    assert answers[1].json() == {"error": "invalid_grant", "error_description": "invalid assertion"}


def certificate_of(key: rsa.RSAPrivateKey) -> str:
    """A self-signed certificate, as somebody uploads it to the app."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Integration")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()
