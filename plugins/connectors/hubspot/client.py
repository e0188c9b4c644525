"""Which calls to the vendor does this package make? One method per call, with our patience and no surprises."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from typing import Any
from urllib.parse import urlsplit

import hubspot  # type: ignore[import-untyped]
import urllib3

from connectors.hubspot.answers import CONFLICT, Answer, listed, refusal
from connectors.hubspot.definitions import Definition, definitions_in
from connectors.hubspot.pace import Pace
from connectors.hubspot.patience import patiently
from connectors.hubspot.transport import Transport
from retention.contract import AccessDenied, ConnectorError, Incomplete, Warrant

BASE_URL = "https://api.hubapi.com"
TIMEOUT = 30.0
MOST_IDS = 100
MOST_IDS_WITH_HISTORY = 50
MOST_ASSOCIATIONS = 1_000
RELEASE = "2026-09"
"""The date-versioned release that knows the permanent delete of activities; v3 has it for contacts only."""

SCOPES: tuple[frozenset[str], ...] = (
    frozenset({"crm.objects.contacts.read"}),
    frozenset({"crm.objects.contacts.write"}),
    frozenset({"crm.schemas.contacts.read"}),
    frozenset({"crm.objects.deals.read"}),
    frozenset({"crm.objects.companies.read"}),
    frozenset({"tickets"}),
    frozenset({"communication_preferences.read_write", "communication_preferences.read"}),
    frozenset({"communication_preferences.read_write", "communication_preferences.write"}),
)
"""What the private app must be granted; of the scopes in one set, one is enough."""

MANY_OPT_OUTS = "communication_preferences.statuses.batch.write"
"""Granted with the largest edition only: opting out a hundred addresses in one call."""

_STATUSES = "/communication-preferences/v4/statuses"
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

Json = dict[str, Any]


def connect(
    token: str,
    base_url: str = BASE_URL,
    ca_bundle: str | None = None,
    timeout: float = TIMEOUT,
    pace: Pace | None = None,
) -> HubSpotClient:
    """Give a client on the account the private app's token belongs to; refuses a token that lacks a scope."""
    parts = urlsplit(base_url)
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)):
        raise ConnectorError("HubSpot: the host must be https://<host>; mend the connection")
    vendor = hubspot.HubSpot(
        access_token=token,
        host=base_url.rstrip("/"),
        # All repeating is done in `patience`; and a redirected POST would be sent to an address nobody checked.
        retry=urllib3.Retry(total=0, redirect=0, raise_on_redirect=False),
        **({"ssl_ca_cert": ca_bundle} if ca_bundle else {}),
    )
    return HubSpotClient(vendor, token, f"HubSpot at {parts.hostname}", timeout, pace or Pace())


class HubSpotClient:
    """The account behind one token: `tenant` is its id. `object_type` is the vendor's plural: contacts, notes, deals.

    Reading methods give the parsed body or raise a contract exception. The others give the answer for any status that
    concerns the record, and raise `NoAnswer` where the call may have taken effect. They ask their warrant at the very
    last moment, after any wait for the allowance and before every repetition; its `Stopped` means nothing was done.
    """

    def __init__(self, vendor: Any, token: str, who: str, timeout: float, pace: Pace) -> None:
        self._who = who
        self._pace = pace
        # Every access to the vendor's attributes builds another object with connections of its own: keep these.
        objects, crm = vendor.crm.objects, vendor.crm
        self._objects, self._batch, self._search = objects.basic_api, objects.batch_api, objects.search_api
        self._contacts = crm.contacts.basic_api
        self._associations = crm.associations.v4.batch_api
        self._properties = crm.properties.core_api
        self._definitions = vendor.communication_preferences.definition_api
        self._send = Transport(self._contacts.api_client, timeout)
        self.tenant, self.scopes = self._token_info(token)

    def named(self, system: str) -> HubSpotClient:
        """The same client, whose errors name this system."""
        other = copy(self)
        other._who = system
        return other

    @property
    def who(self) -> str:
        return self._who

    # --- Reading ---

    def definitions(self, object_type: str) -> Mapping[str, Definition]:
        """Every property of a type this token may see, by name."""
        what = f"properties of {object_type}"
        found = definitions_in(self._read(what, self._send.by_method(self._properties.get_all, object_type)))
        if not found:
            raise Incomplete(f"{self._who}: {what}: the answer holds none; read again later")
        return found

    def subscription_types(self) -> list[Json]:
        """Every kind of mail an address can subscribe to."""
        what = "kinds of mail"
        body = self._read(what, self._send.by_method(self._definitions.get_page))
        found = body.get("subscriptionDefinitions")
        if not isinstance(found, list):
            raise Incomplete(f"{self._who}: {what}: the answer holds none; read again later")
        return [one for one in found if isinstance(one, dict)]

    def search(self, object_type: str, request: Mapping[str, Any]) -> Json:
        """One page of records."""
        what = f"search of {object_type}"
        body = self._read(what, self._send.by_method(self._search.do_search, object_type, dict(request)), search=True)
        if not isinstance(body.get("results"), list) or not isinstance(body.get("total"), int):
            raise Incomplete(f"{self._who}: {what}: the answer cannot be read; search again")
        return body

    def some(self, object_type: str, limit: int) -> list[str]:
        """Ids of a few records that are there, whichever."""
        what = f"list of {object_type}"
        body = self._read(what, self._send.by_method(self._objects.get_page, object_type, limit=limit))
        return [str(row["id"]) for row in self._results(what, body)]

    def records(
        self,
        object_type: str,
        ids: Sequence[str],
        properties: Sequence[str],
        *,
        archived: bool = False,
        history: Sequence[str] = (),
    ) -> Json:
        """Up to 100 records, 50 with history; archived ones only on request. Absent ones are named in `errors`."""
        what = f"batch read of {object_type}"
        view: dict[str, Any] = {"archived": "true"} if archived else {}
        request = {
            "inputs": [{"id": one} for one in ids],
            "properties": list(properties),
            "propertiesWithHistory": list(history),
        }
        body = self._read(what, self._send.by_method(self._batch.read, object_type, request, **view))
        self._results(what, body)
        return body

    def linked(self, origin: str, target: str, inputs: Sequence[Mapping[str, str]]) -> list[Json]:
        """What up to 1,000 records of one type (`{"id", "after"?}`) are linked with of another."""
        what = f"{target} of {origin}"
        request = {"inputs": list(inputs)}
        body = self._read(what, self._send.by_method(self._associations.get_page, origin, target, request))
        return self._results(what, body)

    def statuses(self, address: str) -> list[Json]:
        """What an address wants, per kind of mail."""
        what = "subscriptions of an address"
        path, query = f"{_STATUSES}/{{address}}", {"channel": "EMAIL"}
        return self._results(what, self._read(what, self._send.by_path("GET", path, {"address": address}, query)))

    # --- Changing ---

    def update(self, object_type: str, inputs: Sequence[Json], warrant: Warrant) -> Answer:
        """Set properties of up to 100 records."""
        send = self._send.by_method(self._batch.update, object_type, {"inputs": list(inputs)})
        return self._write(f"batch update of {object_type}", warrant, send)

    def purge(self, object_type: str, key: str, warrant: Warrant) -> Answer:
        """Delete one record for good. By its numeric id only: an unknown address would be blocklisted."""
        what = f"permanent delete of one of {object_type}"
        if object_type == "contacts":
            return self._write(what, warrant, self._send.by_method(self._contacts.purge, {"objectId": key}))
        path = f"/crm/objects/{RELEASE}/{object_type}/gdpr-delete"
        return self._write(what, warrant, self._send.by_path("POST", path, body={"objectId": key}))

    def unlink(self, origin: str, target: str, key: str, others: Sequence[str], warrant: Warrant) -> Answer:
        """Undo the links of one record with some of another type."""
        inputs = [{"from": {"id": key}, "to": [{"id": other} for other in others]}]
        send = self._send.by_method(self._associations.archive, origin, target, {"inputs": inputs})
        return self._write(f"links of {origin} with {target}", warrant, send)

    def unsubscribe(self, address: str, warrant: Warrant) -> Answer:
        """Opt one address out of all e-mail. The service takes it in the path only; its own transport logs no path
        above debug level, and no error of ours holds one."""
        path, query = f"{_STATUSES}/{{address}}/unsubscribe-all", {"channel": "EMAIL", "verbose": "true"}
        send = self._send.by_path("POST", path, {"address": address}, query)
        return self._write("opt-out of all e-mail", warrant, send)

    def unsubscribe_many(self, addresses: Sequence[str], warrant: Warrant) -> Answer:
        """Opt up to 100 addresses out of all e-mail; for an account with the largest edition."""
        path, query = f"{_STATUSES}/batch/unsubscribe-all", {"channel": "EMAIL", "verbose": "true"}
        send = self._send.by_path("POST", path, query=query, body={"inputs": list(addresses)})
        return self._write("opt-outs of all e-mail", warrant, send)

    def create_property(self, object_type: str, name: str, label: str, warrant: Warrant) -> None:
        """Make a yes/no property of our own; one that is there already is as good."""
        definition = {
            "name": name,
            "label": label,
            "type": "bool",
            "fieldType": "booleancheckbox",
            "groupName": "contactinformation" if object_type == "contacts" else object_type.removesuffix("s"),
            "description": "Set while a restriction of processing (Art. 18 GDPR) is in force. Do not edit by hand.",
            "options": [
                {"label": "True", "value": "true", "displayOrder": 0, "hidden": False},
                {"label": "False", "value": "false", "displayOrder": 1, "hidden": False},
            ],
        }
        what = f"new property of {object_type}"
        answer = self._write(what, warrant, self._send.by_method(self._properties.create, object_type, definition))
        if not 200 <= answer.status < 300 and answer.status != CONFLICT:
            raise refusal(self._who, what, answer)

    # --- How ---

    def _token_info(self, token: str) -> tuple[str, frozenset[str]]:
        what = "check of the token"
        path = "/oauth/v2/private-apps/get/access-token-info"
        send = self._send.by_path("POST", path, body={"tokenKey": token})
        answer = patiently(send, who=self._who, what=what, pace=self._pace, repeatable=True)
        if answer.status in (400, 404):
            raise AccessDenied(f"{self._who}: {what}: it is no token of a private app; renew it in the connection")
        body = self._body(what, answer)
        hub, granted = body.get("hubId"), frozenset(s for s in listed(body.get("scopes")) if isinstance(s, str))
        if not isinstance(hub, int | str) or not str(hub).isdigit():
            raise Incomplete(f"{self._who}: {what}: the answer names no account; try again later")
        missing = [" or ".join(sorted(needed)) for needed in SCOPES if not needed & granted]
        if missing:
            raise AccessDenied(
                f"{self._who}: the private app lacks the scope {', '.join(missing)}; grant it in the account's settings"
            )
        return str(hub), granted

    def _read(self, what: str, send: Callable[[], Answer], *, search: bool = False) -> Json:
        answer = patiently(send, who=self._who, what=what, pace=self._pace, repeatable=True, search=search)
        return self._body(what, answer)

    def _write(self, what: str, warrant: Warrant, call: Callable[[], Answer]) -> Answer:
        def send() -> Answer:
            warrant.check()
            return call()

        answer = patiently(send, who=self._who, what=what, pace=self._pace, repeatable=False)
        if answer.status in (401, 403):
            raise refusal(self._who, what, answer)
        return answer

    def _body(self, what: str, answer: Answer) -> Json:
        if not 200 <= answer.status < 300:
            raise refusal(self._who, what, answer)
        body = answer.body()
        if not body:
            raise Incomplete(f"{self._who}: {what}: the answer is no JSON object; read again later")
        return body

    def _results(self, what: str, body: Json) -> list[Json]:
        results = body.get("results")
        if not isinstance(results, list):
            raise Incomplete(f"{self._who}: {what}: the answer holds no results; read again later")
        return results
