"""How does a task come to an org, and stay logged in? A session with manners, which renews its own login.

The login is a request of our own: the client library builds its login address as `*.salesforce.com`, which leaves out
other hosts. The session adds what the library lacks: a timeout, one re-login when the token expires, no redirects to
other hosts, and a CA bundle that the environment does not override.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase
from simple_salesforce.api import Salesforce

from connectors.salesforce import codes
from connectors.salesforce.login import ClientCredentials, Login
from connectors.salesforce.patience import patiently, retry_after
from retention.contract import AccessDenied, Incomplete, Throttled, Unavailable

API_VERSION = "68.0"
TIMEOUT = 120.0  # the service ends a call after 10 minutes; a page of 2,000 rows comes in seconds


def connect(
    login_url: str,
    client_id: str,
    client_secret: str,
    ca_bundle: str | None = None,
    version: str = API_VERSION,
    timeout: float = TIMEOUT,
    pause: Callable[[float], None] = time.sleep,
) -> Salesforce:
    """Log in at `login_url` (the org's My Domain) and give a client whose session renews its own login."""
    return log_in(ClientCredentials(login_url, client_id, client_secret, pause), ca_bundle, version, timeout)


def log_in(
    login: Login, ca_bundle: str | None = None, version: str = API_VERSION, timeout: float = TIMEOUT
) -> Salesforce:
    """A client whose session renews its own login, whichever way it logs in."""
    session = OrgSession(login, ca_bundle, timeout)
    session.log_in()
    return Salesforce(
        session_id=session.bearer.token, instance_url=session.bearer.instance_url, version=version, session=session
    )


def tenant_of(client: Salesforce) -> str:
    """The organization's id: the fingerprint by which a plan made for another org is refused."""
    session = client.session
    if isinstance(session, OrgSession) and session.bearer.organization:
        return session.bearer.organization
    address = f"{client.base_url}query"
    response = patiently(
        lambda: session.get(address, params={"q": "SELECT Id FROM Organization"}, headers=client.headers),
        who=f"Salesforce at {client.sf_instance}",
        repeatable=True,
        pause=time.sleep,
    )
    if response.status_code != 200:
        raise AccessDenied(f"Salesforce at {client.sf_instance}: the organization cannot be read; check the login")
    try:
        return str(response.json()["records"][0]["Id"])
    except (ValueError, KeyError, IndexError, TypeError):
        raise Incomplete(f"Salesforce at {client.sf_instance}: no organization in the answer") from None


class _Bearer(AuthBase):
    """Puts the current token on requests to the instance, and on no others. Replaces what the client library set."""

    def __init__(self) -> None:
        self.token = ""
        self.instance_url = ""
        self.organization = ""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self.token and urlsplit(request.url or "").netloc == urlsplit(self.instance_url).netloc:
            request.headers["Authorization"] = f"Bearer {self.token}"
        return request


class OrgSession(requests.Session):
    """A session with one org. Always has a timeout; repeats a call once after a new login; stays on its hosts."""

    def __init__(self, login: Login, ca_bundle: str | None, timeout: float) -> None:
        super().__init__()
        self._login = login
        self._ca_bundle = ca_bundle
        self._timeout = timeout
        self.bearer = _Bearer()
        # As the session's `auth` it also keeps a .netrc of the machine from replacing the header.
        self.auth = self.bearer

    def request(self, method: Any, url: Any, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs["timeout"] = kwargs.get("timeout") or self._timeout
        if self._ca_bundle is not None:
            # Given per request: REQUESTS_CA_BUNDLE in the environment beats the session's attribute.
            kwargs["verify"] = self._ca_bundle
        response = super().request(method, url, *args, **kwargs)
        if response.status_code == 401 and "auth" not in kwargs and _says_expired(response):
            self.log_in()
            response = super().request(method, url, *args, **kwargs)
        return response

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Follow only reads, only to the same host; any other redirect is given back as the answer it is."""
        target = super().get_redirect_target(resp)
        if target is None or resp.request.method not in ("GET", "HEAD"):
            return None
        here, there = urlsplit(resp.url), urlsplit(target)
        same = not there.netloc or (there.scheme, there.netloc) == (here.scheme, here.netloc)
        return target if same else None

    def log_in(self) -> None:
        """Fetch a new token. Raises a contract exception that names the credential at fault, never its value."""
        who = f"Salesforce at {self._login.host}"
        response = self._login.request_token(self)
        if response.status_code == 429:
            raise Throttled(f"{who}: too many logins; wait", retry_after=retry_after(response.headers))
        if response.status_code in (400, 401, 403):
            code = codes.of_body(_json(response))
            why = self._login.failures.get(code, f"the service answered {response.status_code} {code}")
            raise AccessDenied(f"{who}: login refused: {why}; check the connection's {self._login.checked}")
        if response.status_code != 200:
            raise Unavailable(f"{who}: login answered {response.status_code}; try again later")
        answer = _json(response)
        token, instance = (
            answer.get(key) if isinstance(answer, dict) else None for key in ("access_token", "instance_url")
        )
        if not isinstance(token, str) or not isinstance(instance, str):
            raise Incomplete(f"{who}: the login's answer holds no token")
        if not _trusted(instance, self._login):
            raise AccessDenied(f"{who}: the login names an instance on a foreign host; check the login address")
        self.bearer.instance_url = instance
        self.bearer.token = token
        self.bearer.organization = _organization(str(answer.get("id", "")))


def _trusted(instance_url: str, login: Login) -> bool:
    """The instance may be the login's own host or one of the same domain, and nothing but https."""
    parts = urlsplit(instance_url)
    if parts.scheme != "https" or not parts.hostname:
        return False
    if f"https://{parts.netloc}" == login.origin:
        return True
    ours, theirs = login.host.split("."), parts.hostname.split(".")
    return not ours[-1].isdigit() and len(theirs) > 1 and ours[-2:] == theirs[-2:]


def _organization(identity_url: str) -> str:
    """The org's id out of `https://login.salesforce.com/id/<org>/<user>`."""
    path = urlsplit(identity_url).path.strip("/").split("/")
    return path[1] if len(path) == 3 and path[0] == "id" and path[1].startswith("00D") else ""


def _says_expired(response: requests.Response) -> bool:
    return codes.of_body(_json(response)) == "INVALID_SESSION_ID"


def _json(response: requests.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None
