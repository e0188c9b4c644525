"""Who may call? OAuth 2.0 tokens for one external client app, by client credentials or a signed assertion."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, unquote

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.salesforce.exchange import store_of
from sandbox.salesforce.own_rows import ORGANIZATION_ID, OWN_ROWS, USER_ID

_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
USERNAME = str(OWN_ROWS["User"][0]["Username"])


@dataclass
class Access:
    """The app's credentials and the tokens given out; they outlive a reset of the data."""

    instance_url: str
    client_id: str = field(default_factory=lambda: f"3MVG9{secrets.token_hex(20)}")
    client_secret: str = field(default_factory=lambda: secrets.token_hex(32).upper(), repr=False)
    _used_at: dict[str, datetime | None] = field(default_factory=dict, repr=False)

    def new_token(self) -> str:
        token = f"{ORGANIZATION_ID[:15]}!AQ{secrets.token_urlsafe(48)}"
        self._used_at[token] = None
        return token

    def admits(self, authorization: str | None, now: datetime, seconds: int | None) -> bool:
        """Whether the header carries a token of ours that was not left unused for too long."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() not in ("bearer", "oauth") or token.strip() not in self._used_at:
            return False
        token = token.strip()
        used_at = self._used_at[token]
        if seconds is not None and used_at is not None and now - used_at > timedelta(seconds=seconds):
            return False  # and kept: a reset of the org makes it good again
        self._used_at[token] = now
        return True

    def revoke(self, token: str) -> None:
        self._used_at.pop(token, None)

    def identity_url(self) -> str:
        return f"{self.instance_url}/id/{ORGANIZATION_ID}/{USER_ID}"

    async def token(self, request: Request) -> Response:
        """POST /services/oauth2/token"""
        given = dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))
        grant = given.get("grant_type", "")
        if grant == "client_credentials":
            refused = self._client_refused(request, given)
        elif grant == _JWT_GRANT:
            certificate = store_of(request).switches.app_certificate
            refused = self._assertion_refused(given.get("assertion", ""), certificate)
        elif grant in ("password", "refresh_token", "authorization_code"):
            refused = ("invalid_grant", "authentication failure")
        else:
            refused = ("unsupported_grant_type", "grant type not supported")
        if refused is not None:
            return JSONResponse({"error": refused[0], "error_description": refused[1]}, 400)
        return JSONResponse(
            {
                "access_token": self.new_token(),
                "scope": "api id",
                "instance_url": self.instance_url,
                "id": self.identity_url(),
                "token_type": "Bearer",
                "issued_at": str(int(time.time() * 1000)),
                "signature": secrets.token_urlsafe(32),
            },
            headers={"Cache-Control": "no-cache, no-store"},
        )

    async def revocation(self, request: Request) -> Response:
        """POST /services/oauth2/revoke"""
        given = dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
        self.revoke(given.get("token", ""))
        return Response(status_code=200)

    def _client_refused(self, request: Request, given: dict[str, str]) -> tuple[str, str] | None:
        client_id, client_secret = given.get("client_id", ""), given.get("client_secret", "")
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                name, _, word = base64.b64decode(encoded, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                return "invalid_client", "invalid client credentials"
            client_id, client_secret = unquote(name), unquote(word)
        if client_id != self.client_id:
            return "invalid_client_id", "client identifier invalid"
        if not secrets.compare_digest(client_secret.encode(), self.client_secret.encode()):
            return "invalid_client", "invalid client credentials"
        return None

    def _assertion_refused(self, assertion: str, certificate: str | None) -> tuple[str, str] | None:
        """Checks what the assertion says, and its signature where a certificate has been uploaded."""
        try:
            header, claims, signature = (_decoded(part) for part in assertion.split("."))
            head, said = json.loads(header), json.loads(claims)
            expires = float(said["exp"])
        except (ValueError, KeyError, TypeError):
            return "invalid_grant", "invalid assertion"
        if head.get("alg") != "RS256" or not signature:
            return "invalid_grant", "algorithm not supported"
        if certificate is not None and not _signed(assertion.rpartition(".")[0], signature, certificate):
            return "invalid_grant", "invalid assertion"
        if said.get("iss") != self.client_id:
            return "invalid_client_id", "client identifier invalid"
        if said.get("sub") != USERNAME:
            return "invalid_grant", "user hasn't approved this consumer"
        if not str(said.get("aud", "")).startswith("https://"):
            return "invalid_grant", "audience is invalid"
        if expires < time.time():
            return "invalid_grant", "assertion expired"
        return None


def _signed(text: str, signature: bytes, certificate: str) -> bool:
    """Whether the key behind the certificate signed the text (RS256)."""
    key = x509.load_pem_x509_certificate(certificate.encode()).public_key()
    if not isinstance(key, RSAPublicKey):
        return False
    try:
        key.verify(signature, text.encode(), PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
