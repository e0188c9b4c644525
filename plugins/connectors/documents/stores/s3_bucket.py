"""How is an S3 bucket opened, and what do its errors mean? Login, versions or none, error codes sorted."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from connectors.documents.stores.store import Failed, Forbidden, Lost, Missing, StoreError
from retention.contract import AccessDenied

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SECONDS_TO_CONNECT = 20
SECONDS_TO_ANSWER = 60
MEANS: dict[str, type[StoreError]] = {
    **dict.fromkeys(("NoSuchKey", "NoSuchVersion", "404", "NotFound", "MethodNotAllowed", "405"), Missing),
    **dict.fromkeys(("AccessDenied", "403", "Forbidden", "AllAccessDisabled"), Forbidden),
    **dict.fromkeys(("InternalError", "ServiceUnavailable", "SlowDown", "500", "503", "RequestTimeout"), Lost),
}
_WRONG_LOGIN = frozenset({"InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied", "403", "ExpiredToken"})
_NO_VERSIONS = frozenset({"NotImplemented", "MethodNotAllowed", "501"})
# Their lines name addresses, and so paths.
for _noisy in ("boto3", "botocore", "urllib3"):
    logging.getLogger(_noisy).setLevel(logging.WARNING)


@dataclass(frozen=True)
class Bucket:
    """Which bucket, and how to log in. `endpoint`: of a server that is not Amazon's; `path_style`: no bucket host."""

    name: str
    prefix: str
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    endpoint: str = ""
    region: str = ""
    path_style: bool = False
    ca_bundle: str | None = None


@dataclass(frozen=True)
class Session:
    """A client, and whether the bucket keeps versions."""

    client: S3Client
    has_versions: bool


def open_bucket(bucket: Bucket, system: str) -> Session:
    """Log in: `AccessDenied` if that is refused, `Lost` if nobody answers."""
    try:
        client = boto3.session.Session().client(
            "s3",
            endpoint_url=bucket.endpoint or None,
            region_name=bucket.region or "us-east-1",
            aws_access_key_id=bucket.access_key,
            aws_secret_access_key=bucket.secret_key,
            verify=bucket.ca_bundle or True,
            config=Config(
                connect_timeout=SECONDS_TO_CONNECT,
                read_timeout=SECONDS_TO_ANSWER,
                retries={"total_max_attempts": 1},
                s3={"addressing_style": "path" if bucket.path_style else "auto"},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                proxies={},
                ignore_configured_endpoint_urls=True,  # type: ignore[call-arg]  # newer than its stubs
            ),
        )
        client.head_bucket(Bucket=bucket.name)
        return Session(client, _keeps_versions(client, bucket.name))
    except ClientError as error:
        code = _code(error)
        if code in _WRONG_LOGIN:
            raise AccessDenied(f"{system}: the server refused our keys; check them and the bucket") from None
        if MEANS.get(code) is Lost:
            raise Lost from None
        raise AccessDenied(f"{system}: there is no such bucket; check name and endpoint") from None
    except HTTPClientError:
        raise Lost from None
    except (BotoCoreError, ValueError):
        raise AccessDenied(f"{system}: the connection's endpoint, region or keys are no good") from None


def _keeps_versions(client: S3Client, bucket: str) -> bool:
    """Whether versions exist or may (`Suspended` stops making them and keeps those there are)."""
    try:
        return bool(client.get_bucket_versioning(Bucket=bucket).get("Status"))
    except ClientError as error:
        if _code(error) in _NO_VERSIONS:
            return False
        raise


@contextmanager
def sorted_errors() -> Iterator[None]:
    """What the server says becomes what it means; no text of its leaves."""
    try:
        yield
    except ClientError as error:
        raise MEANS.get(_code(error), Failed) from None
    except (BotoCoreError, HTTPClientError, OSError):
        raise Lost from None


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
