"""What does a SOQL statement mean? Reading it, checking it against the schema, and running it on the stored rows."""
