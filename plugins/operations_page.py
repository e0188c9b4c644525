"""What does Airflow load for the operations page? The app below its own address, and ways to it."""

from __future__ import annotations

from typing import Any

from airflow.plugins_manager import AirflowPlugin

from operations.app import PREFIX, app
from operations.plan_link import PlanLink


class OperationsPage(AirflowPlugin):
    """What the ledger knows, for operators and the data-protection officer."""

    name = "retention_operations"
    fastapi_apps: list[Any] = [  # noqa: RUF012 - as the base class declares it
        {"app": app, "url_prefix": PREFIX, "name": "Retention operations"}
    ]
    external_views: list[Any] = [  # noqa: RUF012 - as the base class declares it
        {"name": "Retention", "href": f"{PREFIX}/", "destination": "nav", "url_route": "retention"},
        {
            "name": "Plan",
            "href": f"{PREFIX}/runs/{{DAG_ID}}/{{RUN_ID}}",
            "destination": "dag_run",
            "url_route": "retention_plan",
        },
    ]
    operator_extra_links: list[Any] = [PlanLink()]  # noqa: RUF012 - as the base class declares it
