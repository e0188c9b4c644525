"""The local stack for demo and tests: an embedded PostgreSQL, the emulators and a real Airflow, all on loopback."""
