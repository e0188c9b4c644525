"""Which request may be sent again, and after what wait? The only place in this package that repeats anything.

A request that never left this machine may always be repeated. One that was sent is repeated only where it reads:
a POST or PATCH whose answer was lost may have taken effect.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import requests
from urllib3.exceptions import ConnectTimeoutError

from retention.contract import Throttled, Unavailable

ATTEMPTS = 4
FIRST_WAIT = 0.5
LONGEST_WAIT = 60.0  # seconds, all waits of one request together
TRANSIENT = frozenset({406, 420, 429, 500, 502, 503, 504})


class NoAnswer(Exception):
    """The request was sent and its answer lost, or the answer does not say whether it took effect."""


def patiently(
    send: Callable[[], requests.Response], *, who: str, repeatable: bool, pause: Callable[[float], None]
) -> requests.Response:
    """Send until an answer comes that waiting cannot better; whoever gets it judges the status.

    Raises `Unavailable` where nothing was sent or a read stays without answer, `NoAnswer` for all that may have acted.
    """
    waited = 0.0
    wait = FIRST_WAIT
    for attempt in range(1, ATTEMPTS + 1):
        response: requests.Response | None = None
        asked: float | None = None
        try:
            response = send()
        except requests.exceptions.SSLError:
            raise Unavailable(f"{who}: no trusted TLS connection; check the address and the CA bundle") from None
        except (requests.exceptions.RequestException, OSError) as error:
            # The exception's own text holds the URL; it goes no further.
            if not (repeatable or _never_sent(error)):
                raise NoAnswer(f"{who}: the answer was lost") from None
        else:
            if response.status_code not in TRANSIENT or not repeatable:
                return response
            asked = retry_after(response.headers)
        delay = wait if asked is None else asked
        if attempt == ATTEMPTS or waited + delay > LONGEST_WAIT:
            break
        pause(delay)
        waited += delay
        wait *= 2
    if response is None:
        raise Unavailable(f"{who} does not answer; try again later")
    if asked is not None and response.status_code in (429, 503):
        raise Throttled(f"{who} asks to wait", retry_after=asked)
    return response


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds the service asked to wait; its date form, which needs a clock, is not read."""
    try:
        return max(0.0, float(headers.get("Retry-After", "")))
    except ValueError:
        return None


def _never_sent(error: BaseException) -> bool:
    """Whether the connection was never made (refused, unresolved, timed out while connecting)."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    cause = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(cause, ConnectTimeoutError)
