"""The operator's home inside the Airflow UI: is everything all right, what waits for me, what is due?"""
