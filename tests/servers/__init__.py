"""Real document servers for tests: one module a server, each started on loopback and ended by its own process id."""
