"""Which rows does every org have, whoever its customers are? The organization itself and the integration user."""

from __future__ import annotations

from typing import Any

from sandbox.salesforce.ids import made_id

FOUNDED = "2012-01-09T09:00:00.000+0000"
USER_ID = made_id("005", 1)
ORGANIZATION_ID = made_id("00D", 1)
OWN_RIGHTS = "UserPermissionAccess"
HARD_DELETE_RIGHT = "PermissionsBulkApiHardDelete"
OWN_ROWS: dict[str, list[dict[str, Any]]] = {
    "User": [
        {
            "Id": USER_ID,
            "Username": "integration@sandbox.example",
            "FirstName": "Integration",
            "LastName": "User",
            "Email": "integration@sandbox.example",
            "IsActive": True,
            "TimeZoneSidKey": "Europe/London",
            "UserType": "Standard",
            "CreatedDate": FOUNDED,
        }
    ],
    OWN_RIGHTS: [{"Id": made_id("0up", 1), HARD_DELETE_RIGHT: True}],
    "Organization": [
        {
            "Id": ORGANIZATION_ID,
            "Name": "Sandbox Example Ltd",
            "IsSandbox": True,
            "OrganizationType": "Enterprise Edition",
            "InstanceName": "SB1",
            "TimeZoneSidKey": "Europe/London",
            "CreatedDate": FOUNDED,
        }
    ],
}
