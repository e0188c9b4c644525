"""Whole stories on real components: a real Airflow, a real PostgreSQL, emulators over HTTP and SFTP."""
