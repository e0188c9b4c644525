"""Do sets of rows and composite calls answer as the service's, and do faults and the call log fit them?"""

from __future__ import annotations

from typing import Any

import pytest
import requests
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import (
    SalesforceGeneralError,
    SalesforceRefusedRequest,
)
from simple_salesforce.format import format_soql

from tests.sandbox.conftest import Running
from tests.sandbox.salesforce_calls import DATA, NO_SUCH, VERSION, call, make


def test_collections_answer_each_row_in_order(emulator: Running, sf: Salesforce) -> None:
    made = make(sf, 2)
    records = [
        {"attributes": {"type": "Contact"}, "id": made[0], "Title": "Dr"},
        {"attributes": {"type": "Contact"}, "id": NO_SUCH, "Title": "Dr"},
        {"attributes": {"type": "Contact"}, "id": made[1], "Nope": 1},
    ]
    updated = call(emulator, "PATCH", "composite/sobjects", json={"allOrNone": False, "records": records}).json()
    assert [one["success"] for one in updated] == [True, False, False]
    assert [one["errors"][0]["statusCode"] for one in updated[1:]] == ["INVALID_CROSS_REFERENCE_KEY", "INVALID_FIELD"]
    both = {"ids": [made[1], NO_SUCH, made[0]], "fields": ["Title"]}
    read = call(emulator, "POST", "composite/sobjects/Contact", json=both).json()
    assert [row and (row["Id"], row["Title"]) for row in read] == [(made[1], None), None, (made[0], "Dr")]
    gone = call(emulator, "DELETE", "composite/sobjects", params={"ids": f"{made[0]},{made[0]}"}).json()
    assert [one["success"] for one in gone] == [True, False]
    assert gone[1]["errors"][0]["statusCode"] == "ENTITY_IS_DELETED"


def test_all_or_none_takes_back_the_rows_that_went_well(emulator: Running, sf: Salesforce) -> None:
    made = make(sf, 1)
    parameters = {"ids": f"{made[0]},{NO_SUCH}", "allOrNone": "true"}
    gone = call(emulator, "DELETE", "composite/sobjects", params=parameters).json()
    assert [one["errors"][0]["statusCode"] for one in gone] == [
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "INVALID_CROSS_REFERENCE_KEY",
    ]
    assert sf.Contact.get(made[0])["IsDeleted"] is False


def test_sets_have_their_largest_size(emulator: Running) -> None:
    too_many = call(emulator, "DELETE", "composite/sobjects", params={"ids": ",".join([NO_SUCH] * 201)})
    assert (too_many.status_code, too_many.json()[0]["errorCode"]) == (400, "EXCEEDED_ID_LIMIT")
    asked = {"ids": [NO_SUCH] * 2000, "fields": ["Id"]}
    assert call(emulator, "POST", "composite/sobjects/Contact", json=asked).json() == [None] * 2000
    asked["ids"].append(NO_SUCH)
    assert call(emulator, "POST", "composite/sobjects/Contact", json=asked).status_code == 400
    hidden = {"ids": [NO_SUCH], "fields": ["Nope"]}
    assert call(emulator, "POST", "composite/sobjects/Contact", json=hidden).json()[0]["errorCode"] == "INVALID_FIELD"


def part(reference: str, method: str, path: str, body: Any = None) -> dict[str, Any]:
    return {"referenceId": reference, "method": method, "url": f"{DATA}/{path}", "body": body}


def test_a_composite_call_counts_once_and_shows_its_parts(emulator: Running, sf: Salesforce) -> None:
    before = sf.query("SELECT Id FROM Contact")["totalSize"]
    emulator.control("DELETE", "calls")
    records = [{"attributes": {"type": "Contact"}, "id": "@{made.id}", "Title": "Dr"}]
    parts = [
        part("made", "POST", "sobjects/Contact", {"LastName": "Made"}),
        part("changed", "PATCH", "composite/sobjects", {"records": records}),
        part("read", "GET", "sobjects/Contact/@{made.id}?fields=Title"),
        part("wrong", "GET", "query?q=SELECT+Nope+FROM+Contact"),
    ]
    found = sf.restful("composite", method="POST", json={"compositeRequest": parts})["compositeResponse"]
    assert [one["httpStatusCode"] for one in found] == [201, 200, 200, 400]
    assert found[2]["body"]["Title"] == "Dr"
    assert found[3]["body"][0]["errorCode"] == "INVALID_FIELD"
    report = emulator.control("GET", "calls")
    assert report["counts"] == {"POST /services/data/v{version}/composite": 1}
    made = found[0]["body"]["id"]
    assert [(one["part_of"], one["effect"], made in one["ids"]) for one in report["calls"]] == [
        (None, True, True),
        (1, True, True),
        (1, True, True),
        (1, False, True),
        (1, False, False),
    ]
    assert sf.query("SELECT Id FROM Contact")["totalSize"] == before + 1


def test_a_composite_call_with_all_or_none_takes_everything_back(emulator: Running, sf: Salesforce) -> None:
    before = emulator.control("GET", "state")["objects"]
    parts = [
        part("made", "POST", "sobjects/Contact", {"LastName": "Made"}),
        part("wrong", "DELETE", f"sobjects/Contact/{NO_SUCH}"),
    ]
    asked = {"allOrNone": True, "compositeRequest": parts}
    found = sf.restful("composite", method="POST", json=asked)["compositeResponse"]
    assert [one["body"][0]["errorCode"] for one in found] == ["PROCESSING_HALTED", "NOT_FOUND"]
    assert emulator.control("GET", "state")["objects"] == before


def test_a_composite_call_has_its_limits(emulator: Running) -> None:
    def status(parts: list[dict[str, Any]]) -> int:
        return call(emulator, "POST", "composite", json={"compositeRequest": parts}).status_code

    assert status([part(f"r{n}", "GET", "limits") for n in range(25)]) == 200
    assert status([part(f"r{n}", "GET", "limits") for n in range(26)]) == 400
    queries = [part(f"r{n}", "GET", "query?q=SELECT+COUNT()+FROM+Contact") for n in range(6)]
    assert (status(queries[:5]), status(queries)) == (200, 400)
    mixed = [*queries[:5], part("c", "DELETE", f"composite/sobjects?ids={NO_SUCH}")]
    assert status(mixed) == 400
    emulator.control("POST", "switches", collections_count_as_queries=False)
    assert status(mixed) == 200


def test_parts_of_a_batch_count_one_by_one(emulator: Running, sf: Salesforce) -> None:
    used = sf.limits()["DailyApiRequests"]["Remaining"]
    parts = [{"method": "GET", "url": f"v{VERSION}/limits"}, {"method": "GET", "url": f"v{VERSION}/nope"}]
    found = sf.restful("composite/batch", method="POST", json={"batchRequests": parts})
    assert (found["hasErrors"], [one["statusCode"] for one in found["results"]]) == (True, [200, 404])
    assert sf.limits()["DailyApiRequests"]["Remaining"] == used - 3


# --- faults in the vendor's form, and the call log


@pytest.mark.parametrize(
    ("status", "raised", "code"),
    [
        (403, SalesforceRefusedRequest, "REQUEST_LIMIT_EXCEEDED"),
        (500, SalesforceGeneralError, "UNKNOWN_EXCEPTION"),
        (503, SalesforceGeneralError, "SERVER_UNAVAILABLE"),
    ],
)
def test_a_fault_answers_in_the_vendors_form(
    emulator: Running, sf: Salesforce, status: int, raised: type[SalesforceGeneralError], code: str
) -> None:
    emulator.control("POST", "faults", fault="status", status=status, method="GET", path="*/query")
    with pytest.raises(raised) as caught:
        sf.query("SELECT Id FROM Contact")
    assert caught.value.content[0]["errorCode"] == code
    assert sf.query("SELECT Id FROM Contact LIMIT 1")["totalSize"] == 1


def test_a_lost_answer_leaves_the_rows_deleted(emulator: Running, sf: Salesforce) -> None:
    (one,) = make(sf, 1)
    emulator.control("POST", "faults", fault="timeout_after_effect", method="DELETE")
    with pytest.raises(requests.ConnectionError):
        sf.Contact.delete(one)
    last = emulator.control("GET", "calls")["calls"][-1]
    assert (last["ids"], last["effect"], last["status"]) == ([one], True, None)
    assert one in emulator.control("GET", "state")["bin"]


def test_a_claimed_success_leaves_the_job_and_its_rows_as_they_were(emulator: Running, sf: Salesforce) -> None:
    (one,) = make(sf, 1)
    job = sf.restful("jobs/ingest", method="POST", json={"object": "Contact", "operation": "hardDelete"})["id"]
    call(emulator, "PUT", f"jobs/ingest/{job}/batches", data=f"Id\n{one}\n", headers={"Content-Type": "text/csv"})
    emulator.control("POST", "faults", fault="success_without_effect", method="PATCH")
    closed = sf.restful(f"jobs/ingest/{job}", method="PATCH", json={"state": "UploadComplete"})
    assert closed["state"] == "UploadComplete"
    assert sf.restful(f"jobs/ingest/{job}")["state"] == "Open"
    assert sf.Contact.get(one)["Id"] == one


def test_the_call_log_names_the_rows_a_call_read_by_name_or_changed(emulator: Running, sf: Salesforce) -> None:
    made = make(sf, 2)
    emulator.control("DELETE", "calls")
    sf.query(format_soql("SELECT Id FROM Contact WHERE Id IN {}", made))
    sf.Contact.get(made[0])
    sf.Contact.update(made[1], {"Title": "Dr"})
    logged = emulator.control("GET", "calls")["calls"]
    assert [(one["template"].rpartition("}/")[2], one["ids"], one["effect"]) for one in logged] == [
        ("query", made, False),
        ("{record_id}", [made[0]], False),
        ("{record_id}", [made[1]], True),
    ]


def test_the_state_after_a_reset_is_byte_for_byte_the_seed(emulator: Running, sf: Salesforce) -> None:
    def state() -> bytes:
        found: bytes = emulator.request("GET", "/_sandbox/state").content
        return found

    before = state()
    make(sf, 2)
    assert state() != before
    emulator.control("POST", "reset")
    assert state() == before
