"""How is personal data in a Salesforce org found, changed, erased and read back? See `SalesforceConnector`."""

from connectors.salesforce.connector import SalesforceConnector
from connectors.salesforce.session import connect, tenant_of

__all__ = ["SalesforceConnector", "connect", "tenant_of"]
