"""Misconfigurations that can be seen at start-up, each with an id."""
