"""The document servers of these tests: one emulator a module for SFTP, and real servers once for the whole run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from connectors.documents import DocumentsConnector, Login
from tests.contract.documents_world import DocumentsWorld, Emulator, running
from tests.contract.store_world import Site
from tests.servers import apache, juicefs, openssh, samba, versioned
from tests.servers.disk import Disk
from tests.servers.running import Served
from tests.servers.samba import Shares


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with running() as emulator:
        yield emulator


@pytest.fixture
def world(emulator: Emulator) -> Iterator[DocumentsWorld]:
    world = DocumentsWorld(emulator)
    yield world
    world.close()


@pytest.fixture
def seeded(emulator: Emulator) -> Iterator[DocumentsConnector]:
    emulator.tell("POST", "reset")
    connector = emulator.connect()
    yield connector
    connector.close()


@pytest.fixture(scope="session")
def shares(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shares]:
    with samba.running(tmp_path_factory.mktemp("samba")) as shares:
        yield shares


@pytest.fixture(scope="session")
def smb(shares: Shares) -> Iterator[Site]:
    with closing(Site(shares.files)) as site:
        yield site


@pytest.fixture(scope="session")
def binned(shares: Shares) -> Iterator[Site]:
    with closing(Site(shares.binned)) as site:
        yield site


@pytest.fixture(scope="session")
def sftp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with openssh.running(tmp_path_factory.mktemp("openssh")) as served, closing(Site(served)) as site:
        yield site


@pytest.fixture(scope="session")
def webdav(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with apache.running(tmp_path_factory.mktemp("apache")) as served, closing(Site(served)) as site:
        yield site


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with juicefs.running(tmp_path_factory.mktemp("juicefs")) as served, closing(Site(served)) as site:
        yield site


@pytest.fixture(scope="session")
def versioned_s3() -> Iterator[Site]:
    with versioned.running() as served, closing(Site(served)) as site:
        yield site


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    root = tmp_path_factory.mktemp("local")
    served = Served("local", Login(extra={"root": str(root)}), Disk(root))
    with closing(Site(served)) as site:
        yield site
