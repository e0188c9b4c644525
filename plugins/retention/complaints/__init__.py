"""What becomes of a complaint about how personal data is used? Taken in, acknowledged, answered, closed."""
