"""May the pipeline touch real systems? What is still missing before live mode, as a whole and for one system."""

from __future__ import annotations

from retention.store import policy_approvals, sweeps, tenants
from retention.store.database import Connection
from retention.store.desk import Desk


def missing(desk: Desk, db: Connection, system: str = "") -> list[str]:
    """What has to be mended before live mode (for a system); nothing if it may be switched on.

    That every guard has its limits is seen to by the policy itself: one that lacks any cannot be loaded.
    """
    lacking = []
    if sweeps.on_embedded_server(db):
        lacking.append("the ledger is on the embedded server: connect a PostgreSQL of your own")
    if policy_approvals.in_force(db, desk.policy.digest) is None:
        lacking.append("nobody approved this policy: see `policy effect` and `policy approve`")
    if system and tenants.known(db, system) is None:
        lacking.append(f"{system} was never read: let a dry sweep read it first, and look at its plan")
    mail = desk.policy.systems[system].mail if system else None
    if mail is not None and mail.transactions.declared_on is None:
        lacking.append(
            f"{system}: nobody declared where mail about transactions and evidence lies: the data-protection officer"
            " names its folders and categories in systems.yaml under mail.transactions, with `declared_on`"
        )
    return lacking
