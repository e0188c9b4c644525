"""What keeps anything from running at all (no ledger, no keys, no usable policy)? One family of errors, one handler."""

from __future__ import annotations


class Impediment(Exception):
    """Nothing was done. The text names what, where and the next step, and holds no personal data: it may be shown."""
