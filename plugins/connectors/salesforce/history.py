"""What do old values say after a field was emptied? Field history keeps them for 18 months: its rows go one by one.

They can be deleted over SOAP only, with a permission of its own. Where it is missing the redaction is not complete, and
the step says so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from connectors.salesforce import codes, soap, soql
from connectors.salesforce.rest import Part, Rest
from connectors.salesforce.sight import short
from connectors.salesforce.standard import special
from retention.contract import Stopped, Warrant

_WHOLE_NAME = frozenset({"FirstName", "LastName", "Name"})


class FieldHistory:
    """Forgets old values of emptied fields."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    def forget(self, kind: str, emptied: Mapping[str, Sequence[str]], warrant: Warrant) -> set[str]:
        """Delete the history of these fields by record id; the short ids of records of which some stayed."""
        name, link = special(kind).history
        if not name or not emptied:
            return set()
        statement = soql.select(["Id", link, "Field"], name, soql.within(link, emptied))
        (answer,) = self._rest.composite([Part("GET", f"query?q={soql.in_url(statement)}")])
        if answer.status != 200:
            if codes.of_body(answer.body) in codes.UNREADABLE_QUERY:
                return set()  # no history is kept of this object, or none is shown to anybody
            raise self._rest.refusal(answer, f"query of {name}")
        fields = {short(key): frozenset(names) for key, names in emptied.items()}
        old: dict[str, str] = {}
        body: Any = answer.body
        while True:
            for row in body["records"]:
                owner = short(row[link])
                if row["Field"] in fields[owner] or (
                    row["Field"] == "Name" and not fields[owner].isdisjoint(_WHOLE_NAME)
                ):
                    old[row["Id"]] = owner
            if body["done"]:
                break
            body = self._rest.read("GET", body["nextRecordsUrl"]).body
        return self._delete(old, warrant)

    def _delete(self, old: Mapping[str, str], warrant: Warrant) -> set[str]:
        stayed: dict[str, bool] = defaultdict(bool)
        ids = list(old)
        for start in range(0, len(ids), soap.MOST_IDS):
            some = ids[start : start + soap.MOST_IDS]
            try:
                gone, _ = soap.told(self._rest, soap.DELETE, some, warrant)
            except Stopped:
                gone = None
            for one in some:
                stayed[old[one]] |= gone is None or short(one) not in gone
        return {owner for owner, some_stayed in stayed.items() if some_stayed}
