"""The core on a real PostgreSQL."""
