"""What is linked with what? Associations, a thousand records a call, all pages of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from connectors.hubspot.client import MOST_ASSOCIATIONS, MOST_IDS, HubSpotClient
from connectors.hubspot.facts import Row
from connectors.hubspot.filters import portions
from retention.contract import Incomplete

CONTACTS = "contacts"


class Links:
    """Reads links, and what lies at their ends."""

    def __init__(self, client: HubSpotClient) -> None:
        self._client = client

    def of(self, origin: str, target: str, ids: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Ids of the linked records of a type, by id; who has none is left out."""
        linked: dict[str, list[str]] = defaultdict(list)
        to_read = [{"id": one} for one in ids]
        while to_read:
            following: list[dict[str, str]] = []
            for some in portions(to_read, MOST_ASSOCIATIONS):
                for result in self._client.linked(origin, target, some):
                    key = str((result.get("from") or {}).get("id") or "")
                    if not key:
                        raise Incomplete(
                            f"{self._client.who}: {target} of {origin}: an answer names nobody; read again"
                        )
                    linked[key] += [str(to["toObjectId"]) for to in result.get("to", ())]
                    after = ((result.get("paging") or {}).get("next") or {}).get("after")
                    if after:
                        following.append({"id": key, "after": str(after)})
            to_read = following
        return {key: list(dict.fromkeys(others)) for key, others in linked.items()}

    def rows(self, object_type: str, ids: Sequence[str], properties: Sequence[str]) -> dict[str, Row]:
        """Records by id, as far as they are there."""
        read: dict[str, Row] = {}
        for some in portions(ids, MOST_IDS):
            body = self._client.records(object_type, some, properties)
            read |= {str(row["id"]): row for row in body["results"]}
        return read


def ends(linked: Mapping[str, Sequence[str]]) -> list[str]:
    """All ids at the other ends, each once, in their order."""
    return sorted({other for others in linked.values() for other in others}, key=int)
