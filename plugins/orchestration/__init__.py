"""Airflow glue: builds objects from connections, runs the core inside tasks, carries ids and counts only."""
