"""What happens when somebody presses Test in the connection form? The checks of `python -m retention doctor`."""

from __future__ import annotations

from typing import ClassVar

from airflow.sdk import BaseHook


class SystemHook(BaseHook):
    """Tests a connection to a system of one kind; reads only."""

    kind: ClassVar[str]
    conn_name_attr = "conn_id"

    def __init__(self, conn_id: str = "") -> None:
        super().__init__()
        self.conn_id = conn_id

    def test_connection(self) -> tuple[bool, str]:
        """Whether nothing is missing, and one line per check."""
        from orchestration import doctor

        checks = doctor.examine_as(self.kind, self.conn_id)
        return all(not check.lacking for check in checks), "; ".join(check.line for check in checks)


class SalesforceHook(SystemHook):
    """Salesforce."""

    kind = "salesforce"


class HubspotHook(SystemHook):
    """HubSpot."""

    kind = "hubspot"


class Microsoft365Hook(SystemHook):
    """Microsoft 365."""

    kind = "microsoft365"


class SftpHook(SystemHook):
    """A document server over SFTP."""

    kind = "sftp"


class SmbHook(SystemHook):
    """A Windows or Samba share."""

    kind = "smb"


class WebdavHook(SystemHook):
    """A WebDAV server."""

    kind = "webdav"


class S3Hook(SystemHook):
    """A bucket."""

    kind = "s3"
