"""O365 against an emulator: base URL, CA file, tenant, client id, secret on standard input; a JSON answer on output."""

import functools
import json
import sys

import O365.connection
from O365 import Account, MSGraphProtocol
from O365.utils.token import MemoryTokenBackend

base, ca, tenant, client_id, secret = json.load(sys.stdin)
# The library offers no setting for an authority that Microsoft's public cloud does not know.
O365.connection.ConfidentialClientApplication = functools.partial(
    O365.connection.ConfidentialClientApplication, instance_discovery=False, verify=ca
)
protocol = MSGraphProtocol()
protocol.service_url = f"{base}/v1.0/"
account = Account(
    (client_id, secret),
    auth_flow_type="credentials",
    tenant_id=tenant,
    protocol=protocol,
    verify_ssl=ca,
    token_backend=MemoryTokenBackend(),  # the default writes the token into a file of the working folder
)
account.con._msal_authority = f"{base}/{tenant}"
assert account.authenticate()
mailbox = account.mailbox(resource="sales@ours.example")
query = "receivedDateTime lt 2021-11-22T00:00:00Z"
found = list(mailbox.get_messages(limit=None, query=query, batch=5))
folders = sorted(one.name for one in mailbox.get_folders(limit=50))
deleted = found[0].delete()
left = list(mailbox.get_messages(limit=None, query=query, batch=5))
told = {"found": len(found), "sender": found[0].sender.address, "deleted": deleted, "left": len(left)}
print(json.dumps({**told, "folders": folders}))
