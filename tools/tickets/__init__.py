"""Ticket back ends, one file per kind."""
