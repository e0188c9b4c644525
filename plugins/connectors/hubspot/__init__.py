"""How are contacts in a HubSpot account, and what hangs on them, found, changed, purged and read back?"""

from connectors.hubspot.client import BASE_URL, HubSpotClient, connect
from connectors.hubspot.connector import HubSpotConnector
from connectors.hubspot.pace import Pace

__all__ = ["BASE_URL", "HubSpotClient", "HubSpotConnector", "Pace", "connect"]
