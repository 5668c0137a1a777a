"""Bollettino: a union's blog becomes themed e-mail digests and a public archive, in Wagtail."""

__version__ = "0.1.0"
