"""One small server per vendor API, seeded with made-up people. Imports nothing of the product."""
