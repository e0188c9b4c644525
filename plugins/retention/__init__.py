"""The core: what is kept, for how long, and why. Knows no Airflow and no vendor."""
