"""Who may call, and with which token? The authority's discovery document and token endpoint, as msal uses them."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import jwt
from cryptography import x509

from sandbox.microsoft365.errors import Refused
from sandbox.microsoft365.exchange import Reply
from sandbox.microsoft365.tenant import CLIENT_ID, CLIENT_SECRET, TENANT, Tenant

AUDIENCE = "https://graph.microsoft.com"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_KEY = secrets.token_bytes(32)
_ALGORITHM = "HS256"


def discovery(origin: str) -> Reply:
    """GET /{tenant}/v2.0/.well-known/openid-configuration"""
    base = f"{origin}/{TENANT}"
    return Reply(
        200,
        {
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "jwks_uri": f"{base}/discovery/v2.0/keys",
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "issuer": f"{base}/v2.0",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
        },
    )


def issued(tenant: Tenant, origin: str, named: str, form: Mapping[str, str]) -> Reply:
    """POST /{tenant}/oauth2/v2.0/token, by secret or by signed assertion."""
    if named.casefold() != TENANT:
        return _error(400, "invalid_request", 90002, f"Tenant '{named}' not found.")
    if form.get("grant_type") != "client_credentials":
        return _error(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.")
    if form.get("client_id", "").casefold() != CLIENT_ID:
        return _error(400, "unauthorized_client", 700016, "Application was not found in the directory.")
    if "client_assertion" in form:
        problem = _assertion_fault(tenant, f"{origin}/{TENANT}/oauth2/v2.0/token", form)
        if problem:
            return _error(401, "invalid_client", 700027, problem)
    elif not secrets.compare_digest(form.get("client_secret", "").encode(), CLIENT_SECRET.encode()):
        return _error(401, "invalid_client", 7000215, "Invalid client secret provided.")
    audience, _, rest = form.get("scope", "").rpartition("/")
    if rest != ".default" or audience not in (AUDIENCE, origin):
        return _error(400, "invalid_scope", 70011, "The provided value for scope is not valid.")
    return Reply(200, _token(tenant, audience))


def check(tenant: Tenant, origin: str, authorization: str) -> frozenset[str]:
    """The roles of a caller; 401 for a token that is none, is over, or is for somebody else."""
    scheme, _, token = authorization.partition(" ")
    if scheme.casefold() != "bearer" or not token.strip():
        raise Refused(401, "InvalidAuthenticationToken", "Access token is empty.")
    try:
        claims = jwt.decode(
            token.strip(),
            _KEY,
            [_ALGORITHM],
            audience=[AUDIENCE, origin],
            options={"verify_exp": False, "verify_iat": False},
        )
    except jwt.InvalidAudienceError:
        raise Refused(401, "InvalidAuthenticationToken", "Access token validation failure. Invalid audience.") from None
    except jwt.InvalidTokenError:
        raise Refused(
            401, "InvalidAuthenticationToken", "CompactToken parsing failed with error code: 80049217"
        ) from None
    is_over = claims["exp"] <= tenant.now().timestamp() or claims["epoch"] != tenant.switches.revoked_tokens
    if is_over:
        raise Refused(401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.")
    return frozenset(claims["roles"]) & frozenset(tenant.switches.roles)


def _token(tenant: Tenant, audience: str) -> dict[str, Any]:
    now, seconds = tenant.now(), tenant.switches.token_seconds
    claims = {
        "aud": audience,
        "appid": CLIENT_ID,
        "tid": TENANT,
        "iat": int(now.timestamp()),
        "exp": int((now + timedelta(seconds=seconds)).timestamp()),
        "roles": tenant.switches.roles,
        "epoch": tenant.switches.revoked_tokens,
        "uti": uuid.uuid4().hex,
    }
    token = jwt.encode(claims, _KEY, _ALGORITHM)
    return {"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token}


def _assertion_fault(tenant: Tenant, endpoint: str, form: Mapping[str, str]) -> str:
    """What is wrong with a signed assertion; empty for nothing. Its times are the machine's, as msal writes them."""
    if form.get("client_assertion_type") != ASSERTION:
        return "The client assertion type is not supported."
    if tenant.switches.app_certificate is None:
        return "The certificate with identifier used to sign the client assertion is not registered on application."
    key: Any = x509.load_pem_x509_certificate(tenant.switches.app_certificate.encode()).public_key()
    try:
        claims = jwt.decode(form["client_assertion"], key, ["RS256", "PS256"], audience=endpoint)
    except jwt.InvalidTokenError:
        return "Client assertion failed signature validation."
    return "" if claims.get("iss") == claims.get("sub") == CLIENT_ID else "Client assertion names another application."


def _error(status: int, error: str, number: int, text: str) -> Reply:
    trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
    return Reply(
        status,
        {
            "error": error,
            "error_description": f"AADSTS{number}: {text} Trace ID: {trace} Correlation ID: {correlation}",
            "error_codes": [number],
            "timestamp": "2026-01-01 00:00:00Z",
            "trace_id": trace,
            "correlation_id": correlation,
        },
    )
