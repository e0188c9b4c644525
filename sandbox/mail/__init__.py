"""A mail server that keeps what it is given: the smallest part of RFC 5321 that a client insists on."""
