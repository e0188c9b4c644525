"""How is personal data on a document server found, taken out, restricted and read back? See `SftpDocuments`."""

from connectors.documents.connector import SftpDocuments

__all__ = ["SftpDocuments"]
