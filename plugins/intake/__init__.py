"""How do data subjects' requests come in through Airflow? A form on the DAG's page, and endpoints for the website."""
