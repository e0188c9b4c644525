"""Who may answer an approval? Users of Airflow's FAB auth manager, known by their names as the policy lists them."""

from __future__ import annotations

from airflow.providers.fab.auth_manager.fab_auth_manager import FabAuthManager
from airflow.providers.fab.auth_manager.models import User


class FabUsersByName(FabAuthManager):
    """The FAB auth manager, asking the policy's approvers by user name.

    FAB's own user ids are row numbers, which no policy can list; its user names are unique.
    """

    def is_authorized_hitl_task(self, *, assigned_users: set[str], user: User) -> bool:
        """Whether this user is one of those the task asks."""
        return user.username in assigned_users
