"""How is Apache started as a WebDAV server? By TLS, with a login, locks and a folder of its own user."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connectors.documents import Login
from sandbox import tls
from tests.servers.disk import Disk
from tests.servers.running import Served, free_port, needs, process, program

USER, PASSWORD = "retention", "made-up-for-tests"
OWNER = "www-data"
_MODULES = Path("/usr/lib/apache2/modules")
_LOADED = ["mpm_event", "authn_core", "authn_file", "authz_core", "authz_user", "auth_basic"]
_LOADED += ["dav", "dav_fs", "mime", "ssl", "setenvif"]
_CONF = """
ServerName localhost
ServerRoot {at}
PidFile {at}/apache.pid
DefaultRuntimeDir {at}
ErrorLog {at}/error.log
Listen 127.0.0.1:{port}
User {owner}
Group {owner}
StartServers 1
{modules}
TypesConfig /dev/null
SSLEngine on
SSLCertificateFile {certificate}
SSLCertificateKeyFile {key}
SSLSessionCache none
DavLockDB {at}/locks/db
DocumentRoot {at}/served
<Location />
Dav On
AuthType Basic
AuthName files
AuthUserFile {at}/users
Require valid-user
</Location>
"""


@contextmanager
def running(at: Path) -> Iterator[Served]:
    needs("apache2", "openssl", root=True)
    if not (_MODULES / "mod_dav.so").is_file():
        raise RuntimeError("apache2 is there and its modules are not where Debian puts them")
    port = free_port()
    certificates = tls.issue(at / "tls", "webdav")
    Disk(at / "locks", OWNER)
    served = Disk(at / "served", OWNER)
    hashed = subprocess.run(
        [program("openssl"), "passwd", "-apr1", "-stdin"], input=PASSWORD.encode(), check=True, capture_output=True
    ).stdout.decode()
    (at / "users").write_text(f"{USER}:{hashed}")
    modules = "\n".join(f"LoadModule {name}_module {_MODULES}/mod_{name}.so" for name in _LOADED)
    (at / "apache.conf").write_text(
        _CONF.format(
            at=at, port=port, owner=OWNER, modules=modules, certificate=certificates.certificate, key=certificates.key
        )
    )
    _let_in(at)
    command = [program("apache2"), "-f", str(at / "apache.conf"), "-D", "FOREGROUND"]
    login = Login("localhost", port, USER, PASSWORD, {"ca_bundle": str(certificates.ca), "root": "files"})
    files = Disk(served.root / "files", OWNER)
    with process(command, port, at / "apache.log"):
        yield Served("webdav", login, files)


def _let_in(at: Path) -> None:
    """The server's user must pass through the folders above; pytest makes them for their owner only."""
    for folder in (at, *at.parents):
        if folder.stat().st_mode & 0o001 == 0:
            folder.chmod(folder.stat().st_mode | 0o001)
