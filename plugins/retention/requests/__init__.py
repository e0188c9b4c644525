"""How is a subject's request taken in, answered within its time, and closed? The second selector of the one engine."""
