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
        self.client: Any = boto3.session.Session().client(
            "s3",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            config=Config(s3={"addressing_style": "path"}, proxies={}),
        )

    def put(self, path: str, content: bytes, modified: datetime | None = None) -> None:
        self.client.put_object(Bucket=self.name, Key=path, Body=content)

    def get(self, path: str) -> bytes:
        content: bytes = self.client.get_object(Bucket=self.name, Key=path)["Body"].read()
        return content

    def remove(self, path: str) -> None:
        versions = self.versions(path)
        for version in versions:
            self.client.delete_object(Bucket=self.name, Key=path, VersionId=version)
        if not versions:
            self.client.delete_object(Bucket=self.name, Key=path)

    def versions(self, path: str = "") -> list[str]:
        """Ids of versions and markers; none where the server keeps none."""
        try:
            told = self.client.list_object_versions(Bucket=self.name, Prefix=path)
        except ClientError:
            return []
        return [one["VersionId"] for kind in ("Versions", "DeleteMarkers") for one in told.get(kind, [])]

    def files(self) -> dict[str, dict[str, Any]]:
        told = self.client.list_objects_v2(Bucket=self.name).get("Contents", [])
        return {
            one["Key"]: {"modified": one["LastModified"], "content": self.get(one["Key"])}
            for one in told
            if not one["Key"].endswith("/")
        }

    def empty(self, *folders: str) -> None:
        told = self.client.list_objects_v2(Bucket=self.name).get("Contents", [])
        hidden = self.client.list_object_versions(Bucket=self.name) if self.versions() else {}
        keys = {one["Key"] for one in told} | {
            one["Key"] for kind in ("Versions", "DeleteMarkers") for one in hidden.get(kind, [])
        }
        for key in keys:
            self.remove(key)
        for folder in folders:  # as browsers of buckets make one; without it, an empty folder is none
            self.client.put_object(Bucket=self.name, Key=f"{folder}/", Body=b"")
