"""Which forms are on the operations page? Holds, the review queue and the kill switch: each asked twice, then done.

Every one of them calls what the command line calls, under the approver's database role, and names Airflow's user in the
audit log. Requests of data subjects have a form of their own (`intake`).
"""

from __future__ import annotations

from fastapi import APIRouter

from operations import forms_brake, forms_holds, forms_review

router = APIRouter()
for _form in (forms_holds, forms_review, forms_brake):
    router.include_router(_form.router)
