"""What must a person do because no connector can, and within how many days? The needs, as values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from retention.vocabulary import Action, GapCode, Reason

READ_BY_HAND: Mapping[str, int] = {
    GapCode.ENCRYPTED.value: 28,
    GapCode.DAMAGED.value: 28,
    GapCode.TOO_LARGE.value: 28,
    GapCode.UNKNOWN_FORMAT.value: 28,
    GapCode.LINK_NOT_FOLLOWED.value: 28,
    GapCode.NO_DELETE_API.value: 28,  # stays as it is however often a person sees to it: asks again like the others
}
GIVE_ACCESS: Mapping[str, int] = {
    GapCode.FIELD_HIDDEN.value: 7,
    GapCode.KIND_HIDDEN.value: 7,
}
CLASSIFY: Mapping[str, int] = {GapCode.UNCLASSIFIED.value: 7}  # until it stands in the policy, no rule reaches it
ACT_BY_HAND: Mapping[str, int] = {
    Action.SUPPRESS.value: 2,  # marketing stops at once (Art. 21(3)); two days are what a person needs for it
    Action.ERASE.value: 28,
    Action.REDACT.value: 28,
    Action.RESTRICT.value: 7,
    Action.RELEASE.value: 7,
    Action.RECTIFY.value: 28,
}
LEFT_OVER: Mapping[str, int] = {
    Reason.OPT_OUT_STAYS.value: 28,  # ask the subject, who alone can consent again
    Reason.MAIL_NOT_STOPPED.value: 2,  # stop it in the system's own screen
}
"""What a step left over that was done otherwise, and only a person can finish."""
COPY, RECIPIENTS = "copy", "tell-recipients"
FOR_SUBJECTS: Mapping[str, int] = {
    COPY: 21,  # of what a system without a connector holds (Art. 15, 20)
    RECIPIENTS: 28,  # those the data was passed to (Art. 19)
}
"""What a subject's request asks of people, beside the actions."""
DAYS_TO_DO: Mapping[str, int] = {**READ_BY_HAND, **GIVE_ACCESS, **CLASSIFY, **ACT_BY_HAND, **LEFT_OVER, **FOR_SUBJECTS}
"""Days until a task is due, within the month the law gives (Art. 12(3)). A gap that the next reading may close by
itself (a page cut short, a file out of reach) is no task."""

QUIET_AFTER_READING = timedelta(days=182)
"""What a person has read by hand stays unreadable to us: the same gap asks again after half a year, or when it grew."""
QUIET_AFTER_DROP = timedelta(days=365)

PROOF = re.compile(r"[A-Za-z]{1,12}-[0-9]{1,4}(?:-[0-9]{1,6})?")
"""A reference like OPS-1234 or case-2026-17: no place for a name, an address or a telephone number."""


class DropReason(StrEnum):
    """Why a task is not done; no free text."""

    NOT_NEEDED = "not-needed"
    DUPLICATE = "duplicate"
    KEPT_BY_LAW = "kept-by-law"
    OUT_OF_SCOPE = "out-of-scope"
    DISPROPORTIONATE = "impossible-or-disproportionate"  # telling a recipient (Art. 19)


@dataclass(frozen=True, slots=True)
class Need:
    """Something that only a person can do: an action on one record, or what a gap asks for."""

    what: str
    kind: str
    detail: str = ""
    record_key: bytes | None = None
    reasons: tuple[str, ...] = ()
    items: int = 1
    owner: str = ""
