"""How does a call get to the vendor and what becomes of its answer? The official client's transport, read raw.

The client's models know neither HTML bodies nor half batches, so its methods are asked for the answer as it came.
What it has no method for goes through its own transport, so that host, token, CA bundle and connections are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http.client import IncompleteRead
from typing import Any

from hubspot.communication_preferences import ApiException as PreferencesException  # type: ignore[import-untyped]
from hubspot.crm.associations.v4 import ApiException as AssociationsException  # type: ignore[import-untyped]
from hubspot.crm.contacts import ApiException as ContactsException  # type: ignore[import-untyped]
from hubspot.crm.objects import ApiException as ObjectsException  # type: ignore[import-untyped]
from hubspot.crm.properties import ApiException as PropertiesException  # type: ignore[import-untyped]
from urllib3 import exceptions as http

from connectors.hubspot.answers import Answer
from connectors.hubspot.patience import Lost

CONNECT_TIMEOUT = 10.0

_REFUSED = (
    ContactsException,
    ObjectsException,
    AssociationsException,
    PropertiesException,
    PreferencesException,
)
_NEVER_SENT = (http.NewConnectionError, http.ConnectTimeoutError, http.LocationValueError)


class Transport:
    """Sends calls by the vendor's client, with a timeout."""

    def __init__(self, api_client: Any, timeout: float) -> None:
        self._raw = api_client
        self._timeout = (min(CONNECT_TIMEOUT, timeout), timeout)

    def by_method(self, method: Callable[..., Any], *arguments: Any, **options: Any) -> Callable[[], Answer]:
        """A call by one of the client's methods, to be sent as often as it is called."""

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

    def by_path(
        self,
        verb: str,
        path: str,
        parts: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Callable[[], Answer]:
        """A call for which the client has no method. Parts are quoted into the path; no error of ours holds one."""
        headers = {"Accept": "application/json"} | ({"Content-Type": "application/json"} if body is not None else {})
        options = {"body": dict(body)} if body is not None else {}
        arguments = (path, verb, dict(parts or {}), list((query or {}).items()), headers)
        return self.by_method(self._raw.call_api, *arguments, auth_settings=["oauth2"], **options)


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
