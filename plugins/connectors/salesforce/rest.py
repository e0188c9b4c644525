"""How does one call reach the org, and what does its failure mean? The only place in this package that speaks HTTP.

Reads and effects are told apart here: a read is repeated and raises; an effect is sent once, and where it may have
happened without our knowing, `NoAnswer` says so. No text of the service leaves this module, only its error codes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests
from simple_salesforce.api import Salesforce

from connectors.salesforce import codes, soql
from connectors.salesforce.allowance import Allowance
from connectors.salesforce.patience import NoAnswer, patiently, retry_after
from connectors.salesforce.session import OrgSession
from retention.contract import AccessDenied, ConnectorError, Incomplete, Throttled, Unavailable, Warrant

MOST_PARTS = 25
MOST_QUERIES = 5  # of the parts of one composite call, collections counted too


class Rejected(ConnectorError):
    """The service understood the call and said no: a query or job that will not be better for repeating."""

    def __init__(self, message: str, status: int, code: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


_TOO_LONG = "{}: a statement was longer than the service takes in one sub-request"


class TooLong(ConnectorError):
    """A sub-request's address is longer than the service takes. `longest_statement` is smaller now: ask again."""


@dataclass(frozen=True)
class Answer:
    """What came back: a status with its decoded body (JSON), or its text (CSV)."""

    status: int
    body: Any
    text: str = ""
    request_id: str = ""
    vendor_time: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Part:
    """One sub-request of a composite call, as it is sent."""

    method: str
    path: str
    body: Any = None
    headers: Mapping[str, str] | None = None


class Rest:
    """Calls to one org through the client's session, with errors as the contract's exceptions."""

    def __init__(self, client: Salesforce, system: str, pause: Callable[[float], None], reserve: int = 0) -> None:
        self._client = client
        self._system = system
        self._pause = pause
        self._allowance = Allowance(system, reserve)
        self.longest_statement = soql.IN_COMPOSITE
        self.base_path = urlsplit(client.base_url).path.rstrip("/")

    def read(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, json: Any = None) -> Answer:
        """A call without effect, whatever its method: sent again where that may help, never a half answer."""
        try:
            answer = self._call(method, path, json, None, headers, None, repeatable=True)
        except NoAnswer:
            raise Incomplete(f"{self._system}: the answer broke off; read again") from None
        return answer

    def effect(
        self, method: str, path: str, warrant: Warrant | None, *, json: Any = None, csv: bytes | None = None
    ) -> Answer:
        """A call that changes something: sent once. `NoAnswer` where nobody knows whether it did.

        Without a warrant only what touches no record: uploading to a job that was not started, or ending one.
        """
        return self._call(method, path, json, csv, None, warrant, repeatable=False)

    def composite(self, parts: Sequence[Part], warrant: Warrant | None = None) -> list[Answer]:
        """Several sub-requests in one call (one against the allowance); an answer for each, in order.

        With a warrant it is an effect, without one it only reads.
        """
        if len(parts) > MOST_PARTS:
            raise ValueError(f"{len(parts)} sub-requests; the service takes {MOST_PARTS}")
        asked = {"allOrNone": False, "compositeRequest": [self._sent(n, part) for n, part in enumerate(parts)]}
        try:
            if warrant is None:
                outer = self.read("POST", "composite", json=asked)
            else:
                outer = self.effect("POST", "composite", warrant, json=asked)
        except Rejected as refusal:
            if refusal.status == 414 and self._can_ask_for_less():
                raise TooLong(_TOO_LONG.format(self._system)) from None
            raise
        given = outer.body.get("compositeResponse") if isinstance(outer.body, dict) else None
        by_reference = {one.get("referenceId"): one for one in given or () if isinstance(one, dict)}
        answers = [by_reference.get(f"part{number}") for number in range(len(parts))]
        if any(one is None or not isinstance(one.get("httpStatusCode"), int) for one in answers):
            if warrant is not None:
                raise NoAnswer(f"{self._system}: an answer lacks a part")
            raise Incomplete(f"{self._system}: an answer lacks a part; read again")
        if any(one is not None and one["httpStatusCode"] == 414 for one in answers) and self._can_ask_for_less():
            raise TooLong(_TOO_LONG.format(self._system))
        return [
            Answer(one["httpStatusCode"], one.get("body"), "", outer.request_id, outer.vendor_time)
            for one in answers
            if one is not None
        ]

    def _can_ask_for_less(self) -> bool:
        """What a sub-request's address may hold is not documented: start large, and remember a refusal."""
        was, self.longest_statement = self.longest_statement, soql.SAFE_URL
        return was > soql.SAFE_URL

    def soap(self, envelope: Callable[[str], str], warrant: Warrant) -> Answer:
        """A call of the SOAP API, for the few that have no REST form. `envelope` is built around the session's id."""
        self._allowance.must_leave_the_reserve()
        version = self.base_path.rpartition("v")[2]
        url = f"https://{self._client.sf_instance}/services/Soap/u/{version}"
        session = self._client.session

        def send() -> requests.Response:
            warrant.check()
            token = self._client.session_id if not isinstance(session, OrgSession) else session.bearer.token
            headers = {"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": '""', "Accept": "text/xml"}
            return session.request("POST", url, headers=headers, data=envelope(token).encode())

        response = patiently(send, who=self._system, repeatable=False, pause=self._pause)
        if response.status_code == 500 and "INVALID_SESSION_ID" in response.text and isinstance(session, OrgSession):
            session.log_in()
            response = patiently(send, who=self._system, repeatable=False, pause=self._pause)
        if response.status_code >= 500 and "Fault" not in response.text:
            raise NoAnswer(f"{self._system}: answered {response.status_code}")
        return Answer(response.status_code, None, response.text, vendor_time=response.headers.get("Date", ""))

    def refusal(self, answer: Answer, what: str) -> ConnectorError:
        """What a refused answer, or a refused part of one, means for the whole call: to be raised."""
        code = codes.of_body(answer.body)
        said = f"{self._system}: {what} answered {answer.status} {code}"
        if answer.status == 429 or code.upper() in codes.LIMIT_CODES:
            return Throttled(f"{said}: the allowance is used up; wait")
        if answer.status in (401, 403) and not codes.lacks_feature(code):
            return AccessDenied(f"{said}; check the user's login and permissions")
        if answer.status >= 500 or answer.status in (406, 420):
            return Unavailable(f"{said}; try again later")
        return Rejected(f"{said}; mend the policy's names or the user's access", answer.status, code)

    def _sent(self, number: int, part: Part) -> dict[str, Any]:
        sent: dict[str, Any] = {
            "method": part.method,
            "url": f"{self.base_path}/{part.path}",
            "referenceId": f"part{number}",
        }
        if part.body is not None:
            sent["body"] = part.body
        if part.headers:
            sent["httpHeaders"] = dict(part.headers)
        return sent

    def _call(
        self,
        method: str,
        path: str,
        json: Any,
        csv: bytes | None,
        headers: Mapping[str, str] | None,
        warrant: Warrant | None,
        *,
        repeatable: bool,
    ) -> Answer:
        self._allowance.must_leave_the_reserve()
        sent = {**self._headers(csv is not None), **(headers or {})}
        url = self._url(path)

        def send() -> requests.Response:
            if warrant is not None:
                warrant.check()
            return self._client.session.request(method, url, headers=sent, json=json, data=csv)

        try:
            response = patiently(
                send,
                who=self._system,
                repeatable=repeatable,
                pause=self._pause,
            )
        except Throttled as error:
            raise Throttled(self._named(error), error.retry_after) from None
        except (AccessDenied, Unavailable, Incomplete) as error:
            # A new login on the way knows the host, not the system.
            raise type(error)(self._named(error)) from None
        self._allowance.note(response.headers)
        return self._judged(response, path.partition("?")[0], repeatable)

    def _judged(self, response: requests.Response, what: str, repeatable: bool) -> Answer:
        status = response.status_code
        answer = Answer(
            status,
            _decoded(response),
            request_id=response.headers.get("X-Request-Id", ""),
            vendor_time=response.headers.get("Date", ""),
        )
        if 200 <= status < 300:
            if answer.body is None and response.content and "csv" not in response.headers.get("Content-Type", ""):
                # Half a JSON text, or a gateway's page that says nothing of the org.
                raise NoAnswer(f"{self._system}: the answer cannot be read")
            return Answer(status, answer.body, response.text, answer.request_id, answer.vendor_time, response.headers)
        if status >= 500 and not repeatable:
            raise NoAnswer(f"{self._system}: answered {status}")
        if status == 429:
            wait = retry_after(response.headers)
            raise Throttled(f"{self._system}: {what} answered 429: the allowance is used up; wait", wait)
        if 300 <= status < 400:
            raise Unavailable(f"{self._system}: {what} redirects to another host; check the instance's address")
        raise self.refusal(answer, what)

    def _headers(self, csv: bool) -> dict[str, str]:
        content = "text/csv; charset=UTF-8" if csv else "application/json"
        return {
            "Authorization": self._client.headers["Authorization"],
            "Content-Type": content,
            "Accept": "application/json, text/csv",
        }

    def _url(self, path: str) -> str:
        """A path below the API's base, or a whole one that the service gave: only ever on the instance's host."""
        root = f"https://{self._client.sf_instance}"
        if path.startswith(f"{self.base_path}/"):
            return root + path
        if path.startswith("/") or "://" in path:
            raise Incomplete(f"{self._system}: a next page lies outside the API; not followed")
        return f"{root}{self.base_path}/{path}"

    def _named(self, error: ConnectorError) -> str:
        text = str(error)
        return text if text.startswith(self._system) else f"{self._system}: {text}"


def _decoded(response: requests.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None
