"""Does a web address answer with success? The health check of services whose image has no curl; exit code 0 or 1."""

from __future__ import annotations

import sys
import urllib.error
import urllib.request


def main(address: str) -> int:
    """0 if the address answers 2xx within five seconds."""
    if not address.startswith(("http://localhost:", "http://127.0.0.1:")):
        print("only services of this container are asked", file=sys.stderr)
        return 2
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - http on loopback, checked above
            return 0 if 200 <= answer.status < 300 else 1
    except (urllib.error.URLError, OSError) as error:
        print(f"{address} does not answer: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
