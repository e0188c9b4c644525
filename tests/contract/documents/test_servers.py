"""Does the connector keep every promise on each protocol, against the real server?"""

from __future__ import annotations

import pytest

from tests.contract.store_world import Site, StoreWorld
from tests.contract.suite import ConnectorContract
from tests.contract.world import World


class TestSmbOnSamba(ConnectorContract):
    @pytest.fixture
    def world(self, smb: Site) -> World:
        return StoreWorld(smb)


class TestSftpOnOpenSsh(ConnectorContract):
    @pytest.fixture
    def world(self, sftp: Site) -> World:
        return StoreWorld(sftp)


class TestWebDavOnApache(ConnectorContract):
    @pytest.fixture
    def world(self, webdav: Site) -> World:
        return StoreWorld(webdav)


class TestS3OnJuiceFs(ConnectorContract):
    @pytest.fixture
    def world(self, s3: Site) -> World:
        return StoreWorld(s3)


class TestLocalFolder(ConnectorContract):
    @pytest.fixture
    def world(self, local: Site) -> World:
        return StoreWorld(local)
