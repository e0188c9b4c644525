"""Who can sign in after the installation? `python -m orchestration.first_users FILE` makes the users of a JSON file.

The file is a list of {"username", "role", "email", "password"}. A user who is there already is left as they are, so
passwords changed since and roles given since stay.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder

WANTED = {"username", "role", "email", "password"}


class UsersUnusable(Exception):
    """The file of first users cannot be used; the text says what is wrong, never a password."""


def read(file: Path) -> list[dict[str, str]]:
    """The users wanted."""
    try:
        users = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise UsersUnusable(f"{file.name} cannot be read as JSON: see docs/production.md") from None
    for number, user in enumerate(users, start=1):
        if lacking := sorted(WANTED - {name for name, value in user.items() if value}):
            raise UsersUnusable(f"{file.name}: user {number} lacks {', '.join(lacking)}")
    return list(users)


def make(users: list[dict[str, str]], security: Any) -> list[str]:
    """Add those who are not there yet; returns their user names."""
    made = []
    for user in users:
        if security.find_user(user["username"]):
            continue
        role = security.find_role(user["role"])
        if role is None:
            raise UsersUnusable(f"Airflow has no role {user['role']!r}: use Admin, Op, User, Viewer or one of your own")
        name = user["username"]
        if not security.add_user(name, name, user["role"], user["email"], role, user["password"]):
            raise UsersUnusable(f"Airflow refused the user {name!r}: another has the same e-mail address")
        made.append(name)
    return made


def main(file: str) -> int:
    """Make the users of a file; 1 with a clear line if it cannot be used."""
    try:
        users = read(Path(file))
        with get_application_builder() as builder:
            builder.sm.sync_roles()
            made = make(users, builder.sm)
    except UsersUnusable as error:
        print(error, file=sys.stderr)
        return 1
    print(f"users made: {', '.join(made) or 'none, all are there'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
