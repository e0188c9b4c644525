"""Microsoft's own SDK against an emulator: base URL, CA file, tenant, client id, secret on standard input."""

import asyncio
import json
import ssl
import sys
from urllib.parse import urlsplit

import httpx
from azure.identity.aio import ClientSecretCredential
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.users.item.messages.messages_request_builder import MessagesRequestBuilder
from msgraph_core import GraphClientFactory


async def main() -> None:
    base, ca, tenant, client_id, secret = json.load(sys.stdin)
    context = ssl.create_default_context(cafile=ca)
    credential = ClientSecretCredential(
        tenant,
        client_id,
        secret,
        authority=base,
        disable_instance_discovery=True,
        connection_verify=ca,
    )
    host = urlsplit(base)
    provider = AzureIdentityAuthenticationProvider(
        credential, scopes=["https://graph.microsoft.com/.default"], allowed_hosts=[host.hostname, host.netloc]
    )
    http = GraphClientFactory.create_with_default_middleware(client=httpx.AsyncClient(verify=context, trust_env=False))
    adapter = GraphRequestAdapter(provider, http)
    adapter.base_url = f"{base}/v1.0"
    graph = GraphServiceClient(request_adapter=adapter)
    messages = graph.users.by_user_id("sales@ours.example").messages
    asked = MessagesRequestBuilder.MessagesRequestBuilderGetQueryParameters(
        select=["id", "subject", "from"], search='"participants:ann@example.com"', top=50
    )
    found = await messages.get(request_configuration=RequestConfiguration(query_parameters=asked))
    one = messages.by_message_id(found.value[0].id)
    await one.permanent_delete.post()
    try:
        await one.get()
        missing = ""
    except ODataError as error:
        missing = f"{error.response_status_code} {error.error.code}"
    told = {"found": len(found.value), "sender": found.value[0].from_.email_address.address, "missing": missing}
    print(json.dumps(told))
    await credential.close()


asyncio.run(main())
