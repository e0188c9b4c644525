"""How does Microsoft 365 answer? A tenant in memory behind Graph's mail, contact, calendar and mailbox-item paths."""

from __future__ import annotations

import tempfile
from pathlib import Path

from sandbox.clock import Clock
from sandbox.server import Options, listen, serve_http
from sandbox.tls import issue


def serve(options: Options) -> None:
    """Run the emulator in the foreground; always over TLS, since msal takes no authority without it."""
    from sandbox.microsoft365.app import build
    from sandbox.microsoft365.seed import fill
    from sandbox.microsoft365.tenant import CLIENT_ID, CLIENT_SECRET, TENANT, Tenant
    from sandbox.population import build as people

    population = people(seed=options.seed, scale=options.scale, as_of=options.as_of)
    tenant = Tenant(lambda empty: fill(empty, population.mail), Clock(options.as_of))
    tls = issue(options.tls_dir or Path(tempfile.mkdtemp(prefix="sandbox-tls-")), options.name)
    credentials = {"tenant": TENANT, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    serve_http(build(tenant), listen(options.port), name=options.name, credentials=credentials, tls=tls, dated=False)
