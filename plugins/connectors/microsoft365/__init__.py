"""Microsoft 365 through Graph: mail, contacts and calendar of the mailboxes of one tenant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from connectors.documents.reader import Reader
from connectors.microsoft365.connector import PAGE, Microsoft365Connector
from connectors.microsoft365.graph import Graph
from connectors.microsoft365.pace import Pace
from connectors.microsoft365.scope import Scope
from connectors.microsoft365.tokens import AUTHORITY, Tokens
from connectors.microsoft365.transport import BASE_URL, Transport, client

__all__ = ["AUTHORITY", "BASE_URL", "Microsoft365Connector", "Pace", "Scope", "connect"]


def connect(
    system: str,
    *,
    tenant: str,
    client_id: str,
    credential: str | Mapping[str, Any],
    scope: Scope,
    base_url: str = BASE_URL,
    authority: str = AUTHORITY,
    ca_bundle: str | None = None,
    pace: Pace | None = None,
    page_size: int = PAGE,
) -> Microsoft365Connector:
    """A connector that gets its token with its first call."""
    where = urlsplit(base_url)
    tokens = Tokens(
        system,
        tenant=tenant,
        client_id=client_id,
        credential=credential,
        scope=f"{where.scheme}://{where.netloc}/.default",
        authority=authority,
        ca_bundle=ca_bundle,
    )
    transport = Transport(client(ca_bundle), tokens, system, base_url)
    graph = Graph(transport, pace if pace is not None else Pace())
    return Microsoft365Connector(graph, Reader(), system, tenant, scope, page_size=page_size)
