"""How is what somebody typed into "Trigger DAG" removed from Airflow? By a database role for two of its tables only.

Tasks have no rights to Airflow's own database, so a connection of its own names that role.
"""

from __future__ import annotations

from orchestration import wiring
from retention.store import airflow_traces, database

METADATA = "retention_airflow_database"


def forget(dag_id: str) -> int:
    """Remove what was typed in for a DAG and is no id of a request; returns how many records were emptied."""
    conn = wiring.connection(METADATA, "Airflow's own database, with rights to the tables dag_run and log only")
    options = {name: str(value) for name, value in conn.extra_dejson.items()}
    engine = database.connect_to(
        conn.host or "", conn.port or 5432, conn.schema or "", conn.login, conn.password, options
    )
    try:
        with engine.begin() as db:
            return airflow_traces.forget(db, dag_id)
    finally:
        engine.dispose()
