"""What does Airflow load for the intake? The app below its own address, and the form as a tab of the DAG's page."""

from __future__ import annotations

from typing import Any

from airflow.plugins_manager import AirflowPlugin

from intake.app import PREFIX, app


class RequestIntake(AirflowPlugin):
    """The form and the endpoint for requests of data subjects."""

    name = "request_intake"
    fastapi_apps: list[Any] = [  # noqa: RUF012 - as the base class declares it
        {"app": app, "url_prefix": PREFIX, "name": "Requests of data subjects"}
    ]
    external_views: list[Any] = [  # noqa: RUF012 - as the base class declares it
        {"name": "New request", "href": f"{PREFIX}/new", "destination": "dag", "url_route": "new_request"},
        {"name": "New complaint", "href": f"{PREFIX}/complaint", "destination": "dag", "url_route": "new_complaint"},
    ]
