"""How does HubSpot answer? An account in memory behind the vendor's CRM v3, associations v4 and preferences paths."""

from __future__ import annotations

from sandbox.clock import Clock
from sandbox.server import Options, listen, serve_http
from sandbox.tls import issue


def serve(options: Options) -> None:
    """Run the emulator in the foreground; plain HTTP unless a TLS directory is given."""
    from sandbox.hubspot.account import HUB_ID, TOKEN, Account
    from sandbox.hubspot.app import build
    from sandbox.population import build as people

    population = people(seed=options.seed, scale=options.scale, as_of=options.as_of)
    tls = issue(options.tls_dir, options.name) if options.tls_dir else None
    app = build(Account(lambda: population.hubspot, Clock(options.as_of)))
    credentials = {"token": TOKEN, "tenant": str(HUB_ID)}
    serve_http(app, listen(options.port), name=options.name, credentials=credentials, tls=tls)
