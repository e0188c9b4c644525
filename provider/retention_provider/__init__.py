"""Connection types of the retention pipeline for Airflow's connection form. The work is done by its `plugins`."""
