"""Pages and endpoints of ours inside Airflow, called as its users call them."""
