"""Does every DAG load, tell its story and gate destruction?"""
