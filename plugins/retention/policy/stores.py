"""What do we ourselves keep about people, how long, and how does it end? Every store with a period and an end."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from retention.clocks import add_months
from retention.policy.shape import Strict, contradiction


class StoreName(StrEnum):
    """Every place of ours that holds personal data or pseudonyms. A new one is a new line here, and in the policy."""

    CATALOGUE = "catalogue"
    FINDINGS = "findings"
    READINGS = "readings"
    RECORD_LOCATORS = "record_locators"
    STEPS = "steps"
    PREVIOUS_VALUES = "previous_values"
    LEGAL_HOLDS = "legal_holds"
    SUPPRESSION_LIST = "suppression_list"
    ERASURE_REGISTER = "erasure_register"
    APPROVALS = "approvals"
    AUDIT_LOG = "audit_log"
    EXPORTS = "exports"
    NOTICES = "notices"
    CASE_IDENTITIES = "case_identities"
    AIRFLOW_METADATA = "airflow_metadata"
    AIRFLOW_LOGS = "airflow_logs"
    LEDGER_BACKUPS = "ledger_backups"


TIDY = "ledger tidy"
"""Who ends a store that is a table of ours: the command of this name, once a night from the seal stage."""

UPKEEP = "airflow upkeep"
"""Who ends a store that Airflow keeps: the DAG of this name, every morning."""

KEPT_BY_AIRFLOW = frozenset({StoreName.AIRFLOW_METADATA, StoreName.AIRFLOW_LOGS})

STARTS_OF_TIDIED: Mapping[StoreName, str] = {
    StoreName.CATALOGUE: "system left the policy",
    StoreName.FINDINGS: "sweep sealed",
    StoreName.READINGS: "sweep sealed",
    StoreName.RECORD_LOCATORS: "step settled",
    StoreName.STEPS: "sweep sealed",
    StoreName.PREVIOUS_VALUES: "restriction ended",
    StoreName.LEGAL_HOLDS: "hold released",
    StoreName.ERASURE_REGISTER: "record erased",
}
"""The stores that are ended by `ledger tidy`, and the start point it counts from."""

WHILE_OPTED_OUT = "while the opt-out stands"


class StorePolicy(Strict):
    """One store of ours: how long from which start point, who ends it and how, and why."""

    period: Annotated[str, Field(pattern=rf"^(\d{{1,3}} (days|months|years)|{WHILE_OPTED_OUT})$")]
    starts_from: str = Field(min_length=4)
    ended_by: Literal[
        "ledger tidy", "airflow upkeep", "newer consent", "closing the case", "operator", "ledger administrator"
    ]
    end: str = Field(min_length=10)
    because: str = Field(min_length=10)

    def kept_since(self, today: date) -> date:
        """The first day that is still kept today; what is from before it goes."""
        if self.period == WHILE_OPTED_OUT:
            raise ValueError("what is kept while an opt-out stands has no first day")
        number, _, unit = self.period.partition(" ")
        if unit == "days":
            return today - timedelta(days=int(number))
        return add_months(today, -int(number) * (12 if unit == "years" else 1))


def _all_and_as_built(stores: dict[StoreName, StorePolicy]) -> dict[StoreName, StorePolicy]:
    if missing := [name.value for name in StoreName if name not in stores]:
        raise contradiction(f"no period for our own {', '.join(missing)}: add it with period, start, end and reason")
    for name, store in stores.items():
        start = STARTS_OF_TIDIED.get(name)
        if (store.ended_by == TIDY) != (start is not None):
            says = f"must be ended by {TIDY!r}" if start else f"cannot be ended by {TIDY!r}: say who does it"
            raise contradiction(says, name.value, "ended_by")
        if start not in (None, store.starts_from):
            raise contradiction(f"is counted from {start!r} and nothing else: write that", name.value, "starts_from")
        if store.ended_by == UPKEEP and name not in KEPT_BY_AIRFLOW:
            raise contradiction(f"is not kept by Airflow, so {UPKEEP!r} cannot end it", name.value, "ended_by")
        if store.period == WHILE_OPTED_OUT and name is not StoreName.SUPPRESSION_LIST:
            says = "only the suppression list is kept while the opt-out stands: give days, months or years"
            raise contradiction(says, name.value, "period")
    return stores


Stores = Annotated[dict[StoreName, StorePolicy], AfterValidator(_all_and_as_built)]
