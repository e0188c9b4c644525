"""How does Salesforce answer? An org in memory behind the vendor's REST, composite and Bulk 2.0 interfaces."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.clock import Clock
from sandbox.server import Options, base_url, listen, serve_http
from sandbox.tls import issue


def serve(options: Options) -> None:
    """Run the emulator in the foreground. Always with TLS: the vendor's Python client speaks nothing else."""
    from sandbox.population import build as people
    from sandbox.salesforce.access import USERNAME, Access
    from sandbox.salesforce.app import build
    from sandbox.salesforce.own_rows import ORGANIZATION_ID
    from sandbox.salesforce.store import OrgStore

    population = people(seed=options.seed, scale=options.scale, as_of=options.as_of)

    def seed() -> Mapping[str, list[dict[str, Any]]]:
        return population.salesforce

    directory = options.tls_dir or Path(tempfile.mkdtemp(prefix="sandbox-tls-"))
    tls = issue(directory, options.name)
    sock = listen(options.port)
    access = Access(base_url(sock, tls))
    credentials = {
        "client_id": access.client_id,
        "client_secret": access.client_secret,
        "token": access.new_token(),
        "tenant": ORGANIZATION_ID,
        "username": USERNAME,
        "instance_url": access.instance_url,
    }
    app = build(OrgStore(seed, Clock(options.as_of)), access)
    serve_http(app, sock, name=options.name, credentials=credentials, tls=tls)
