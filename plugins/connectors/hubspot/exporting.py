"""What does the account hold about one person, for that person? Properties, their former values, and subscriptions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from connectors.hubspot.client import MOST_IDS_WITH_HISTORY, HubSpotClient
from connectors.hubspot.facts import Row, addresses_of, is_filled, properties_of, version_of
from connectors.hubspot.filters import may_be_address, portions
from connectors.hubspot.records import Records, is_merged
from retention.vocabulary import Document, RecordKind, RecordRef

TOLD_OF_A_STATUS = ("subscriptionName", "status", "timestamp", "legalBasis", "legalBasisExplanation")


def export(
    client: HubSpotClient, system: str, kind: RecordKind, records: Records, batch: Sequence[RecordRef]
) -> Iterator[Document]:
    """Every property the token may see, as JSON; what was never filled is left out."""
    names = sorted(client.definitions(records.object_type))
    for refs in portions(batch, MOST_IDS_WITH_HISTORY):
        live = records.with_history((ref.key for ref in refs), names)
        for ref in refs:
            row = live.get(ref.key)
            if row is None or is_merged(ref.key, row):
                continue
            content = {
                "id": ref.key,
                "createdAt": row.get("createdAt"),
                "properties": {name: value for name, value in properties_of(row).items() if is_filled(value)},
                "formerValues": _former(row),
                **_subscriptions(client, kind, row),
            }
            text = json.dumps(content, ensure_ascii=False, sort_keys=True, indent=1)
            here = RecordRef(system, ref.kind, ref.key, version_of(row))
            yield Document(here, "application/json", text.encode())


def _former(row: Row) -> dict[str, Any]:
    """Values a property had before the one it has."""
    history = row.get("propertiesWithHistory")
    kept = history if isinstance(history, dict) else {}
    return {name: versions[1:] for name, versions in kept.items() if isinstance(versions, list) and versions[1:]}


def _subscriptions(client: HubSpotClient, kind: RecordKind, row: Row) -> dict[str, Any]:
    """What each of the record's own addresses wants, per kind of mail."""
    addresses = [one for one in addresses_of(kind, properties_of(row)) if may_be_address(one)]
    if not addresses:
        return {}
    found = {
        address: [
            {name: status[name] for name in TOLD_OF_A_STATUS if is_filled(status.get(name))}
            for status in client.statuses(address)
        ]
        for address in addresses
    }
    return {"subscriptions": found}
