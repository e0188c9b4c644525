"""What do people see and do in a browser? A real Airflow, a real Chromium, pictures for the documentation."""
