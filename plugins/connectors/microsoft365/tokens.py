"""With which token may a call go out? Client credentials through msal, kept in memory only.

msal asks Microsoft's public cloud about any authority it does not know, and `requests` lets REQUESTS_CA_BUNDLE beat the
CA bundle it was given. Both are shut off here: `instance_discovery=False`, and a session that trusts no environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msal  # type: ignore[import-untyped]
import requests
from msal.exceptions import MsalError  # type: ignore[import-untyped]

from retention.contract import AccessDenied, Unavailable

AUTHORITY = "https://login.microsoftonline.com"
TIMEOUT = 30.0
_WRONG = frozenset({"invalid_client", "unauthorized_client", "invalid_grant", "invalid_scope", "access_denied"})


class _Session(requests.Session):
    """Trusts the bundle it is given and no environment, and never waits for ever."""

    def __init__(self, ca_bundle: str | None) -> None:
        super().__init__()
        self.trust_env = False
        self.verify = ca_bundle or True

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **how: Any) -> requests.Response:
        how.setdefault("timeout", TIMEOUT)
        how.setdefault("allow_redirects", False)
        return super().request(method, url, *args, **how)


class Tokens:
    """The bearer tokens of one app registration in one tenant."""

    def __init__(
        self,
        who: str,
        *,
        tenant: str,
        client_id: str,
        credential: str | Mapping[str, Any],
        scope: str,
        authority: str = AUTHORITY,
        ca_bundle: str | None = None,
    ) -> None:
        if urlsplit(authority).scheme != "https" or not tenant or not client_id or not credential:
            raise AccessDenied(f"{who}: the connection needs tenant, client id, a credential and an https authority")
        self._who = who
        self._scopes = [scope]
        self._client_id = client_id
        self._credential = credential
        self._authority = f"{authority.rstrip('/')}/{tenant}"
        self._ca_bundle = ca_bundle
        self._app: Any = None

    def token(self) -> str:
        """A token that is good for some minutes yet, from memory where there is one."""
        try:
            if self._app is None:
                self._app = msal.ConfidentialClientApplication(
                    self._client_id,
                    client_credential=self._credential,
                    authority=self._authority,
                    instance_discovery=False,
                    http_client=_Session(self._ca_bundle),
                )
            answer = self._app.acquire_token_for_client(self._scopes)
        except requests.exceptions.SSLError:
            raise Unavailable(f"{self._who}: no trusted TLS connection to the authority; check the CA bundle") from None
        except (requests.RequestException, OSError):
            raise Unavailable(f"{self._who}: the authority does not answer; try again later") from None
        except (ValueError, MsalError):
            self._app = None
            raise AccessDenied(f"{self._who}: the authority or the credential is not usable; check both") from None
        if isinstance(answer, dict) and isinstance(answer.get("access_token"), str):
            return str(answer["access_token"])
        raise self._refusal(answer)

    def renew(self) -> None:
        """Forget the token: the service refused it, whatever its end says."""
        if self._app is not None:
            self._app.remove_tokens_for_client()

    def _refusal(self, answer: object) -> AccessDenied | Unavailable:
        """msal tells of refusals in a dictionary; its description names ids of the tenant and stays here."""
        error = answer.get("error") if isinstance(answer, dict) else None
        if error in _WRONG:
            return AccessDenied(f"{self._who}: no token ({error}); check tenant, client id and credential")
        return Unavailable(f"{self._who}: no token from the authority; try again later")
