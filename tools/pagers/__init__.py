"""Pager back ends, one file per kind."""
