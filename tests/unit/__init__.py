"""Does the pure core decide, plan and count as the policy says? No server, no database, milliseconds."""
