"""Delivery broken on purpose, with real parts: `make test-faults`, or `python -m tests.faults`."""
