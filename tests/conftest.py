"""Shared by every test: the network is off but for loopback (pytest-socket, see pyproject)."""
