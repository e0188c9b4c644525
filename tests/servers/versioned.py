"""How is a bucket with versions had? From moto, whose server keeps versions, markers, locks and unfinished uploads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from moto.server import ThreadedMotoServer

from connectors.documents import Login
from tests.servers.bucket import Bucket
from tests.servers.running import HOST, Served, free_port

USER, PASSWORD = "retention-tests", "made-up-for-tests"
BUCKET = "documents"


@contextmanager
def running() -> Iterator[Served]:
    port = free_port()
    server = ThreadedMotoServer(ip_address=HOST, port=port, verbose=False)
    server.start()
    try:
        place = Bucket(f"http://{HOST}:{port}", BUCKET, USER, PASSWORD)
        place.client.create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True)
        extra = {"bucket": BUCKET, "scheme": "http", "path_style": True}
        yield Served("s3", Login(HOST, port, USER, PASSWORD, extra), place)
    finally:
        server.stop()
