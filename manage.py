#!/usr/bin/env python
"""Sekisho's command line."""

import os
import sys


def main() -> None:
    """This function will run the management command named on the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
