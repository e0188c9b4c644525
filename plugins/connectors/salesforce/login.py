"""By which flow is a token asked for? Client credentials, or a signed assertion (JWT bearer), at the org's My Domain.

The older flows are not offered: SOAP login does not exist any more in current versions, and the password flow is being
withdrawn. Secrets live in these values only and show in none of their forms.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Protocol
from urllib.parse import urlsplit

import jwt
import requests

from connectors.salesforce.patience import patiently
from retention.contract import AccessDenied, ConnectorError

PRODUCTION, SANDBOX = "https://login.salesforce.com", "https://test.salesforce.com"
LIFETIME = 180  # seconds an assertion is good for; the service takes no more than five minutes

_COMMON = {
    "invalid_client_id": "the client id is unknown to this org",
    "inactive_user": "the app's run-as user is inactive",
    "inactive_org": "the org is locked, closed or suspended",
    "invalid_request": "the address is no login address of an org (use its My Domain)",
    "rate_limit_exceeded": "too many logins; wait an hour",
}


class Login(Protocol):
    """One way to come to a token."""

    origin: str
    host: str
    checked: str
    """What in the connection holds the credentials."""
    failures: Mapping[str, str]
    """What each of the service's OAuth errors says of them."""

    def request_token(self, session: requests.Session) -> requests.Response: ...


class ClientCredentials:
    """The app's own secret; it acts as the run-as user that its administrator chose."""

    checked = "login and password"
    failures: Mapping[str, str] = _COMMON | {
        "invalid_client": "the client secret is wrong, or the client id unknown",
        "invalid_client_credentials": "the client secret is wrong",
        "invalid_grant": "the app has no run-as user for the client credentials flow, or may not use it here",
        "unsupported_grant_type": "the client credentials flow is not switched on for the app",
        "unauthorized_client": "the app may not use the client credentials flow",
    }

    def __init__(self, login_url: str, client_id: str, client_secret: str, pause: Callable[[float], None]) -> None:
        self.origin, self.host = _address(login_url)
        self._client_id = client_id
        self._client_secret = client_secret
        self._pause = pause

    def request_token(self, session: requests.Session) -> requests.Response:
        return _posted(
            session,
            self,
            {"grant_type": "client_credentials"},
            auth=(self._client_id, self._client_secret),
            pause=self._pause,
        )


class JwtBearer:
    """An assertion signed with a private key whose certificate the app holds; it names the user to act as."""

    checked = "login, consumer_key and private key"
    failures: Mapping[str, str] = _COMMON | {
        "invalid_client": "the app has no certificate, or another one than the private key's",
        "invalid_grant": "the user has not approved the app (let an administrator pre-authorize it), the key is not the"
        " one of the app's certificate, or this machine's clock is wrong",
        "invalid_app_access": "the user is not admitted to the app: give the user its permission set",
        "unsupported_grant_type": "the JWT bearer flow is not switched on for the app",
        "unauthorized_client": "the app may not use the JWT bearer flow",
    }

    def __init__(
        self,
        login_url: str,
        client_id: str,
        username: str,
        private_key: str,
        *,
        audience: str = "",
        pause: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.origin, self.host = _address(login_url)
        self._client_id = client_id
        self._username = username
        self._private_key = private_key
        is_sandbox = ".sandbox." in self.host or self.host == urlsplit(SANDBOX).hostname
        self._audience = audience or (SANDBOX if is_sandbox else PRODUCTION)
        self._pause = pause
        self._now = now

    def request_token(self, session: requests.Session) -> requests.Response:
        # A new assertion each time: one is good for minutes, a session for hours.
        grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
        return _posted(session, self, {"grant_type": grant, "assertion": self.assertion()}, None, self._pause)

    def assertion(self) -> str:
        """A new signed assertion, good for three minutes."""
        claims = {
            "iss": self._client_id,
            "sub": self._username,
            "aud": self._audience,
            "exp": int(self._now()) + LIFETIME,
        }
        try:
            return jwt.encode(claims, self._private_key, algorithm="RS256")
        except (ValueError, TypeError, jwt.PyJWTError):
            # The exception's own text may hold a part of the key.
            raise AccessDenied(
                f"Salesforce at {self.host}: the private key cannot be read; it must be RSA in PEM form, without a"
                " passphrase; mend the connection"
            ) from None


def _posted(
    session: requests.Session,
    login: Login,
    form: Mapping[str, str],
    auth: tuple[str, str] | None,
    pause: Callable[[float], None],
) -> requests.Response:
    return patiently(
        lambda: session.post(
            f"{login.origin}/services/oauth2/token",
            data=dict(form),
            auth=auth or _no_auth,
            headers={"Accept": "application/json"},
        ),
        who=f"Salesforce at {login.host}",
        repeatable=True,
        pause=pause,
    )


def _no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """No header: neither the session's old token nor a .netrc of the machine."""
    return request


def _address(login_url: str) -> tuple[str, str]:
    parts = urlsplit(login_url)
    if parts.scheme != "https" or not parts.hostname:
        raise ConnectorError("Salesforce: the login address must be https://<host>; mend the connection")
    return f"https://{parts.netloc}", parts.hostname
