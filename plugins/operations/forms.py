"""Which forms are on the operations page? Holds, the review queue, the kill switch, identities: each asked twice.

Every one of them calls what the command line calls, under the approver's database role, and names Airflow's user in the
audit log. Requests of data subjects have a form of their own (`intake`).
"""

from __future__ import annotations

from fastapi import APIRouter

from operations import forms_brake, forms_holds, forms_identities, forms_review

router = APIRouter()
for _form in (forms_holds, forms_review, forms_brake, forms_identities):
    router.include_router(_form.router)
