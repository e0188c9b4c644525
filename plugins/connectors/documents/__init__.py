"""How is personal data on a document server found, taken out, restricted and read back? See `DocumentsConnector`."""

from connectors.documents.connector import DocumentsConnector
from connectors.documents.opening import Login, open_store

__all__ = ["DocumentsConnector", "Login", "open_store"]
