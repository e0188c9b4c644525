"""How is personal data in a Salesforce org found, changed, erased and read back? See `SalesforceConnector`."""

from connectors.salesforce.connector import SalesforceConnector
from connectors.salesforce.login import JwtBearer
from connectors.salesforce.session import API_VERSION, connect, log_in, tenant_of

__all__ = ["API_VERSION", "JwtBearer", "SalesforceConnector", "connect", "log_in", "tenant_of"]
