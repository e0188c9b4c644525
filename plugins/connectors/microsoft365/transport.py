"""How does one request get to Graph, and what became of it? One host, one token, one TLS context, no environment.

httpx takes an `ssl.SSLContext`, so no environment variable decides whom we trust. Links from answers are followed to
the configured host only: a page that points elsewhere would carry the token there.
"""

from __future__ import annotations

import ssl
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx

from connectors.microsoft365.answers import UNAUTHORIZED, Answer
from retention.contract import AccessDenied, Incomplete

BASE_URL = "https://graph.microsoft.com/v1.0"
TIMEOUT = httpx.Timeout(60.0, connect=10.0)
IMMUTABLE = 'IdType="ImmutableId"'
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


class Bearer(Protocol):
    """Gives tokens; see `tokens.Tokens`."""

    def token(self) -> str: ...

    def renew(self) -> None: ...


class Lost(Exception):
    """No answer, or half of one, came. Carries nothing of the call."""

    def __init__(self, *, sent: bool, untrusted: bool = False) -> None:
        super().__init__("no answer")
        self.sent = sent
        self.untrusted = untrusted


def client(ca_bundle: str | None = None) -> httpx.Client:
    """An HTTP client that trusts the given bundle, or the system's, and reads no environment."""
    context = ssl.create_default_context(cafile=ca_bundle)
    return httpx.Client(verify=context, trust_env=False, follow_redirects=False, timeout=TIMEOUT)


class Transport:
    """Sends single requests; repeats one only after a refused token, and that once."""

    def __init__(
        self,
        http: httpx.Client,
        tokens: Bearer,
        who: str,
        base_url: str = BASE_URL,
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        base = urlsplit(base_url.rstrip("/"))
        if base.scheme != "https" or not base.hostname:
            raise AccessDenied(f"{who}: the connection's host must be an https address")
        self.who = who
        self._http = http
        self._tokens = tokens
        self._base = base
        self._new_id = new_id

    def send(self, verb: str, path: str, *, prefer: str = IMMUTABLE, body: Mapping[str, Any] | None = None) -> Answer:
        """One request below the service's root; `Lost` if no whole answer came."""
        answer = self._once(verb, path, prefer, body)
        if answer.status != UNAUTHORIZED:
            return answer
        self.renew()
        return self._once(verb, path, prefer, body)

    def token(self) -> str:
        """The token that the next request would carry."""
        return self._tokens.token()

    def renew(self) -> None:
        """Let the next request get a new token."""
        self._tokens.renew()

    def below(self, link: object) -> str:
        """Path and query of a link below the service's root; refused where it leads to another host."""
        try:
            at = urlsplit(link if isinstance(link, str) else "")
            same = (at.scheme, at.hostname, at.port or 443) == ("https", self._base.hostname, self._base.port or 443)
        except ValueError:
            same = False
        if not same or not at.path.startswith(f"{self._base.path}/") or at.username or ".." in at.path:
            raise Incomplete(f"{self.who}: a page points to another host and was not followed; see the proxy before it")
        path = at.path.removeprefix(self._base.path)
        return f"{path}?{at.query}" if at.query else path

    def _once(self, verb: str, path: str, prefer: str, body: Mapping[str, Any] | None) -> Answer:
        headers = {
            "Authorization": f"Bearer {self._tokens.token()}",
            "Accept": "application/json",
            "Prefer": prefer,
            "client-request-id": self._new_id(),
        }
        url = f"{self._base.geturl()}{path}"
        try:
            response = self._http.request(verb, url, headers=headers, json=body)
        except _NEVER_SENT as error:
            raise Lost(sent=False, untrusted=_is_untrusted(error)) from None
        except (httpx.HTTPError, httpx.InvalidURL):
            raise Lost(sent=True) from None
        names = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, names, response.content)


def _is_untrusted(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False
