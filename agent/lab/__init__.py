"""A whole miniature production on loopback: a service, its traffic, its tracker and its people."""
