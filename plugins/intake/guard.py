"""Who is calling, and may they? Airflow leaves a plugin's routes open: every route of ours takes a caller from here.

The only module that touches Airflow's internals for this. What changes something needs proof besides the cookie that a
browser sends by itself: a token in the header, or the form's own token and our own origin.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import urlsplit

from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag
from airflow.configuration import conf
from fastapi import Depends, HTTPException, Request

DAG = "subject_request"
COOKIE = "_token"
may_run = Depends(requires_access_dag("POST", DagAccessEntity.RUN, param_dag_id="nightly_retention"))
"""Whoever may start a night may also stop one."""
may_read = Depends(requires_access_dag("GET", DagAccessEntity.RUN, param_dag_id="nightly_retention"))
may_trigger = Depends(requires_access_dag("POST", DagAccessEntity.RUN, param_dag_id=DAG))


@dataclass(frozen=True, slots=True)
class Caller:
    """A user of Airflow who may trigger the DAG, and the token they came with."""

    name: str
    token: str = field(repr=False)
    by_header: bool

    def form_token(self) -> str:
        """What a form of this session carries, and another site cannot know."""
        key = conf.get_mandatory_value("api_auth", "jwt_secret").encode()
        return hmac.new(key, f"intake {self.token}".encode(), hashlib.sha256).hexdigest()


def _caller(request: Request, user: GetUserDep) -> Caller:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    by_header = scheme.casefold() == "bearer" and bool(given)
    return Caller(user.get_name(), given if by_header else request.cookies.get(COOKIE, ""), by_header)


CallerDep = Annotated[Caller, Depends(_caller)]


def refuse_forgery(request: Request, caller: Caller, form_token: str = "") -> None:
    """403 for a change that another site could have made this browser ask for."""
    if caller.by_header:
        return
    origin = urlsplit(request.headers.get("origin", "")).netloc
    same = origin == request.headers.get("host") or origin == urlsplit(conf.get("api", "base_url", fallback="")).netloc
    if not origin or not same or not hmac.compare_digest(form_token.encode(), caller.form_token().encode()):
        raise HTTPException(403, "This form was not sent from this page: open it again and send it from there.")
