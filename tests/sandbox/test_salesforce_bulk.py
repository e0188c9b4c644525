"""Do bulk jobs of the emulator run, fail and answer as the service's do?"""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import (
    SalesforceMalformedRequest,
    SalesforceOperationError,
)

from tests.sandbox.conftest import Running
from tests.sandbox.salesforce_calls import NO_SUCH, call, load, make


def test_hard_deleted_rows_are_gone_from_query_all(emulator: Running, sf: Salesforce, tmp_path: Any) -> None:
    made = make(sf, 3)
    path = tmp_path / "ids.csv"
    path.write_text("Id\n" + "\n".join(made) + "\n")
    (result,) = sf.bulk2.Contact.hard_delete(str(path), wait=0.01)
    assert (result["numberRecordsProcessed"], result["numberRecordsFailed"]) == (3, 0)
    assert sf.query("SELECT Id FROM Contact WHERE LastName LIKE 'Made%'", include_deleted=True)["totalSize"] == 0
    again = load(sf, "hardDelete", f"Id\n{made[0]}\n")
    assert again["info"]["state"] == "JobComplete"
    assert again["failed"][0]["sf__Error"] == "ENTITY_IS_DELETED:entity is deleted:--"


def test_a_job_completes_although_rows_failed_and_each_row_is_in_one_file(sf: Salesforce) -> None:
    made = make(sf, 2)
    blocked = sf.query("SELECT ContactId FROM Case WHERE ContactId != null LIMIT 1")["records"][0]["ContactId"]
    done = load(sf, "delete", f"Id\n{made[0]}\n{blocked}\nnonsense\n{NO_SUCH}\n{made[0]}\n")
    assert done["info"]["state"] == "JobComplete"
    assert (done["info"]["numberRecordsProcessed"], done["info"]["numberRecordsFailed"]) == (5, 4)
    assert done["successful"] == [made[0]]
    assert [(row["Id"], row["sf__Error"].partition(":")[0]) for row in done["failed"]] == [
        (blocked, "DELETE_FAILED"),
        ("nonsense", "MALFORMED_ID"),
        (NO_SUCH, "INVALID_CROSS_REFERENCE_KEY"),
        (made[0], "ENTITY_IS_DELETED"),
    ]


def test_bulk_update_and_upsert_write_what_is_given_and_empty_what_is_marked(sf: Salesforce) -> None:
    (one,) = make(sf, 1)
    load(sf, "update", f"Id;Title;Email\r\n{one};Dr;#N/A\r\n", columnDelimiter="SEMICOLON", lineEnding="CRLF")
    row = sf.Contact.get(one)
    assert (row["Title"], row["Email"], row["LastName"]) == ("Dr", None, "Made00000")
    upserted = load(sf, "upsert", f"Id,LastName\n{one},Again\n,New\n", externalIdFieldName="Id")
    assert upserted["successful"][0] == one
    assert sf.Contact.get(upserted["successful"][1])["LastName"] == "New"


@pytest.mark.parametrize(
    ("operation", "content", "words"),
    [
        ("delete", "Id,LastName\n003010000000001AAA,x\n", "must contain only ids"),
        ("update", "Id,Nope\n003010000000001AAA,x\n", "Field name not found : Nope"),
        ("update", "Id,Title\r\n003010000000001AAA,x\r\n", "LineEnding is invalid"),
    ],
)
def test_a_file_that_cannot_be_read_fails_the_job_and_leaves_its_rows(
    sf: Salesforce, operation: str, content: str, words: str
) -> None:
    failed = load(sf, operation, content)
    assert failed["info"]["state"] == "Failed"
    assert words in failed["info"]["errorMessage"]
    assert failed["successful"] == failed["failed"] == []


def test_a_job_without_the_permission_is_refused_at_creation(emulator: Running, sf: Salesforce) -> None:
    emulator.control("POST", "switches", hard_delete_permission=False)
    with pytest.raises(SalesforceMalformedRequest) as caught:
        load(sf, "hardDelete", "Id\n")
    assert caught.value.content[0]["errorCode"] == "FeatureNotEnabled"


def test_a_job_runs_for_as_many_looks_as_asked_and_takes_one_upload(emulator: Running, sf: Salesforce) -> None:
    emulator.control("POST", "switches", polls_before_complete=2)
    (one,) = [sf.Contact.create({"LastName": "Made"})["id"]]
    job = sf.restful("jobs/ingest", method="POST", json={"object": "Contact", "operation": "delete"})["id"]
    headers = {"Content-Type": "text/csv"}
    # A generator makes requests send a chunked body, without a length.
    assert call(emulator, "PUT", f"jobs/ingest/{job}/batches", data=iter([b"Id\n", one.encode()]), headers=headers).ok
    second = call(emulator, "PUT", f"jobs/ingest/{job}/batches", data="Id\n", headers=headers)
    assert (second.status_code, second.json()[0]["errorCode"]) == (400, "INVALIDJOBSTATE")
    assert call(emulator, "GET", f"jobs/ingest/{job}/successfulResults").json()[0]["errorCode"] == "JOB_NOT_COMPLETE"
    closed = sf.restful(f"jobs/ingest/{job}", method="PATCH", json={"state": "UploadComplete"})
    assert closed["state"] == "UploadComplete"
    states = [sf.restful(f"jobs/ingest/{job}")["state"] for _ in range(3)]
    assert states == ["InProgress", "InProgress", "JobComplete"]
    assert call(emulator, "DELETE", f"jobs/ingest/{job}").status_code == 204
    assert call(emulator, "GET", f"jobs/ingest/{job}").status_code == 404


def test_an_aborted_job_has_touched_nothing(emulator: Running, sf: Salesforce) -> None:
    (one,) = make(sf, 1)
    job = sf.restful("jobs/ingest", method="POST", json={"object": "Contact", "operation": "delete"})["id"]
    call(emulator, "PUT", f"jobs/ingest/{job}/batches", data=f"Id\n{one}\n", headers={"Content-Type": "text/csv"})
    sf.restful(f"jobs/ingest/{job}", method="PATCH", json={"state": "Aborted"})
    assert call(emulator, "GET", f"jobs/ingest/{job}/unprocessedRecords").text == f'"Id"\n"{one}"\n'
    assert sf.Contact.get(one)["IsDeleted"] is False
    with pytest.raises(SalesforceMalformedRequest):
        sf.restful(f"jobs/ingest/{job}", method="PATCH", json={"state": "UploadComplete"})


def test_a_bulk_query_pages_by_locator(sf: Salesforce) -> None:
    make(sf, 5)
    statement = "SELECT Id, LastName, Account.Name, DoNotCall FROM Contact WHERE LastName LIKE 'Made%' ORDER BY Id"
    pages = [
        list(csv.DictReader(io.StringIO(page))) for page in sf.bulk2.Contact.query(statement, max_records=2, wait=0)
    ]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert {key: pages[0][0][key] for key in ("LastName", "Account.Name", "DoNotCall")} == {
        "LastName": "Made00000",
        "Account.Name": "",
        "DoNotCall": "false",
    }


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("SELECT COUNT() FROM Contact", "FEATURENOTENABLED"),
        ("SELECT Id FROM Contact OFFSET 5", "FEATURENOTENABLED"),
        ("SELECT MailingAddress FROM Contact", "FUNCTIONALITY_NOT_ENABLED"),
        ("SELECT Nope FROM Contact", "INVALID_FIELD"),
    ],
)
def test_what_bulk_queries_cannot_do_is_refused(sf: Salesforce, statement: str, code: str) -> None:
    with pytest.raises(SalesforceMalformedRequest) as caught:
        list(sf.bulk2.Contact.query(statement))
    assert caught.value.content[0]["errorCode"] == code


def test_a_job_that_failed_raises_in_the_client(sf: Salesforce, tmp_path: Any) -> None:
    path = tmp_path / "wrong.csv"
    path.write_text("Id,Nope\n003010000000001AAA,x\n")
    with pytest.raises(SalesforceOperationError, match="Field name not found : Nope"):
        sf.bulk2.Contact.update(str(path), wait=0.01)
