"""Which calls to the vendor does this package make? The official client, with a timeout, our patience and no surprises.

The answers are taken raw: the client's models know neither HTML bodies nor half batches. Paths for which it has no
method go through its own transport, so that host, token, CA bundle and connections are the same for all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from http.client import IncompleteRead
from typing import Any
from urllib.parse import urlsplit

import hubspot  # type: ignore[import-untyped]
import urllib3
from hubspot.crm.associations.v4 import ApiException as AssociationsException  # type: ignore[import-untyped]
from hubspot.crm.contacts import ApiException as ContactsException  # type: ignore[import-untyped]
from hubspot.crm.deals import ApiException as DealsException  # type: ignore[import-untyped]
from hubspot.crm.properties import ApiException as PropertiesException  # type: ignore[import-untyped]
from urllib3 import exceptions as http

from connectors.hubspot.answers import Answer, listed, refusal
from connectors.hubspot.pace import Pace
from connectors.hubspot.patience import Lost, patiently
from retention.contract import AccessDenied, ConnectorError, Incomplete, Warrant

BASE_URL = "https://api.hubapi.com"
TIMEOUT = 30.0
CONNECT_TIMEOUT = 10.0
MOST_IDS = 100
MOST_ASSOCIATIONS = 1_000

SCOPES: tuple[frozenset[str], ...] = (
    frozenset({"crm.objects.contacts.read"}),
    frozenset({"crm.objects.contacts.write"}),
    frozenset({"crm.schemas.contacts.read"}),
    frozenset({"crm.objects.deals.read"}),
    frozenset({"communication_preferences.read_write", "communication_preferences.write"}),
)
"""What the private app must be granted; of the scopes in one set, one is enough."""

_REFUSED = (ContactsException, DealsException, AssociationsException, PropertiesException)
_NEVER_SENT = (http.NewConnectionError, http.ConnectTimeoutError, http.LocationValueError)
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
    """The account behind one token: `tenant` is its id. One method per call; all but the last three only read.

    Reading methods give the parsed body or raise a contract exception. The others give the answer for any status that
    concerns the record, and raise `NoAnswer` where the call may have taken effect. They ask their warrant at the very
    last moment, after any wait for the allowance and before every repetition; its `Stopped` means nothing was done.
    """

    def __init__(self, vendor: Any, token: str, who: str, timeout: float, pace: Pace) -> None:
        self._who = who
        self._pace = pace
        self._timeout = (min(CONNECT_TIMEOUT, timeout), timeout)
        # Every access to the vendor's attributes builds another object with connections of its own: keep these.
        contacts, crm = vendor.crm.contacts, vendor.crm
        self._contacts, self._batch, self._search = contacts.basic_api, contacts.batch_api, contacts.search_api
        self._deals = crm.deals.batch_api
        self._associations = crm.associations.v4.batch_api
        self._properties = crm.properties.core_api
        self._raw = self._contacts.api_client
        self.tenant, self.scopes = self._token_info(token)

    def named(self, system: str) -> HubSpotClient:
        """The same client, whose errors name this system."""
        other = copy(self)
        other._who = system
        return other

    @property
    def who(self) -> str:
        return self._who

    def properties(self) -> dict[str, str]:
        """Type of every contact property this token may see, by name."""
        body = self._read("properties of contacts", self._properties.get_all, "contacts")
        types = {row["name"]: str(row.get("type", "")) for row in listed(body.get("results")) if "name" in row}
        if not types:
            raise Incomplete(f"{self._who}: properties of contacts: the answer holds none; read again later")
        return types

    def search(self, request: Mapping[str, Any]) -> Json:
        """One page of contacts."""
        body = self._read("search of contacts", self._search.do_search, dict(request), search=True)
        if not isinstance(body.get("results"), list) or not isinstance(body.get("total"), int):
            raise Incomplete(f"{self._who}: search of contacts: the answer cannot be read; search again")
        return body

    def some_contacts(self, limit: int) -> list[str]:
        """Ids of a few contacts that are there, whichever."""
        body = self._read("list of contacts", self._contacts.get_page, limit=limit)
        return [str(row["id"]) for row in self._results("list of contacts", body)]

    def contacts(self, ids: Sequence[str], properties: Sequence[str], *, archived: bool = False) -> Json:
        """Up to 100 contacts; archived ones only on request. What is not there is named in `errors`."""
        view: dict[str, Any] = {"archived": "true"} if archived else {}
        body = self._read("batch read of contacts", self._batch.read, _reading(ids, properties), **view)
        self._results("batch read of contacts", body)
        return body

    def deals(self, ids: Sequence[str], properties: Sequence[str]) -> list[Json]:
        """Up to 100 deals, as far as they are there."""
        body = self._read("batch read of deals", self._deals.read, _reading(ids, properties))
        return self._results("batch read of deals", body)

    def deals_of(self, contacts: Sequence[Mapping[str, str]]) -> list[Json]:
        """Associations of up to 1,000 contacts (`{"id", "after"?}`) with deals."""
        request = {"inputs": list(contacts)}
        body = self._read("deals of contacts", self._associations.get_page, "contacts", "deals", request)
        return self._results("deals of contacts", body)

    def update(self, inputs: Sequence[Json], warrant: Warrant) -> Answer:
        """Set properties of up to 100 contacts."""
        return self._write("batch update of contacts", warrant, self._batch.update, {"inputs": list(inputs)})

    def purge(self, contact: str, warrant: Warrant) -> Answer:
        """Delete one contact for good. By its numeric id only: an unknown address would be blocklisted."""
        return self._write("permanent delete of a contact", warrant, self._contacts.purge, {"objectId": contact})

    def unsubscribe(self, address: str, warrant: Warrant) -> Answer:
        """Opt one address out of all e-mail. The service takes it in the path only; its own transport logs no path
        above debug level, and no error of ours holds one."""
        return self._write(
            "opt-out of all e-mail",
            warrant,
            self._raw.call_api,
            "/communication-preferences/v4/statuses/{address}/unsubscribe-all",
            "POST",
            {"address": address},
            [("channel", "EMAIL"), ("verbose", "true")],
            {"Accept": "application/json"},
            auth_settings=["oauth2"],
        )

    def _token_info(self, token: str) -> tuple[str, frozenset[str]]:
        what = "check of the token"
        path = "/oauth/v2/private-apps/get/access-token-info"
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        send = self._sender(
            self._raw.call_api, path, "POST", {}, [], headers, body={"tokenKey": token}, auth_settings=["oauth2"]
        )
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

    def _read(
        self, what: str, method: Callable[..., Any], *arguments: Any, search: bool = False, **options: Any
    ) -> Json:
        send = self._sender(method, *arguments, **options)
        answer = patiently(send, who=self._who, what=what, pace=self._pace, repeatable=True, search=search)
        return self._body(what, answer)

    def _write(
        self, what: str, warrant: Warrant, method: Callable[..., Any], *arguments: Any, **options: Any
    ) -> Answer:
        call = self._sender(method, *arguments, **options)

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

    def _sender(self, method: Callable[..., Any], *arguments: Any, **options: Any) -> Callable[[], Answer]:
        def send() -> Answer:
            try:
                response = method(*arguments, _preload_content=False, _request_timeout=self._timeout, **options)
                return _answer(response.status, response.headers, response.data)
            except _REFUSED as refused:
                return _answer(refused.status, refused.headers, refused.body)
            except UnicodeDecodeError as undecoded:
                # The client decodes error bodies as UTF-8 while handling its own exception, which has the status.
                cause = undecoded.__context__
                if not isinstance(cause, _REFUSED):
                    raise
                return _answer(cause.status, cause.headers, b"")
            except http.HTTPError as error:
                raise _lost(error) from None

        return send


def _answer(status: Any, headers: Any, content: bytes | str | None) -> Answer:
    names = {str(name).lower(): str(value) for name, value in (headers or {}).items()}
    return Answer(int(status), names, content or b"")


def _lost(error: http.HTTPError) -> Lost:
    cause = getattr(error, "reason", None)
    cause = cause if isinstance(cause, BaseException) else error
    return Lost(
        sent=not isinstance(cause, _NEVER_SENT),
        halfway=any(isinstance(argument, IncompleteRead) for argument in cause.args),
        untrusted=isinstance(cause, http.SSLError),
    )


def _reading(ids: Sequence[str], properties: Sequence[str]) -> Json:
    return {"inputs": [{"id": one} for one in ids], "properties": list(properties), "propertiesWithHistory": []}
