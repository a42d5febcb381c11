"""Chat back ends, one file per kind."""
