#!/usr/bin/env python
"""Django's command line for the Bollettino site."""

import os
import sys
from pathlib import Path


def main() -> None:
    # `site/` is a folder on sys.path, never a package: `site` is the name of a module of the
    # standard library.
    sys.path.insert(1, str(Path(__file__).resolve().parent / "site"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsroom.settings.embedded")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"Bollettino can't start: {error}")


if __name__ == "__main__":
    main()
