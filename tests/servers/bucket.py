"""What lies in a bucket, every version of it? Read and written by a client of the tester's own."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError


class Bucket:
    """One bucket, emptied down to the last version."""

    def __init__(self, endpoint: str, name: str, access_key: str, secret_key: str) -> None:
        self.name = name
        self._used = True
        self.client: Any = boto3.session.Session().client(
            "s3",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            config=Config(s3={"addressing_style": "path"}, proxies={}),
        )

    def put(self, path: str, content: bytes, modified: datetime | None = None) -> None:
        self._used = True
        self.client.put_object(Bucket=self.name, Key=path, Body=content)

    def get(self, path: str) -> bytes:
        content: bytes = self.client.get_object(Bucket=self.name, Key=path)["Body"].read()
        return content

    def remove(self, path: str) -> None:
        which = [{"Key": key, "VersionId": version} for key, version in self.versions(path) if key == path]
        self._delete(which or [{"Key": path}])

    def versions(self, path: str = "") -> list[tuple[str, str]]:
        """Keys and ids of versions and markers; none where the server keeps none."""
        try:
            told = self.client.list_object_versions(Bucket=self.name, Prefix=path)
        except ClientError:
            return []
        return [(one["Key"], one["VersionId"]) for kind in ("Versions", "DeleteMarkers") for one in told.get(kind, [])]

    def files(self) -> dict[str, dict[str, Any]]:
        return {
            one["Key"]: {"modified": one["LastModified"], "content": self.get(one["Key"])}
            for one in self._listed()
            if not one["Key"].endswith("/")
        }

    def empty(self, *folders: str) -> None:
        """Leave nothing but folders, made as browsers of buckets make one; without it, an empty folder is none."""
        if not self._used:
            return
        versions = [{"Key": key, "VersionId": version} for key, version in self.versions()]
        self._delete(versions or [{"Key": one["Key"]} for one in self._listed()])
        for folder in folders:
            self.client.put_object(Bucket=self.name, Key=f"{folder}/", Body=b"")
        self._used = False

    def _listed(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.client.list_objects_v2(Bucket=self.name).get("Contents", [])
        return found

    def _delete(self, which: list[dict[str, str]]) -> None:
        for one in which:
            self.client.delete_object(Bucket=self.name, **one)
