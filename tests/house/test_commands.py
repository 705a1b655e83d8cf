"""Every command of ours says what it does when it is asked."""

from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import get_commands, load_command_class

OWN = {config.name for config in apps.get_app_configs() if settings.BASE_DIR / config.name == Path(config.path)}
COMMANDS = sorted((name, app) for name, app in get_commands().items() if app in OWN)


@pytest.mark.parametrize(("name", "app"), COMMANDS, ids=[name for name, _app in COMMANDS])
def test_command_explains_itself(name, app):
    told = load_command_class(app, name).create_parser("manage.py", name).format_help()
    assert f"manage.py {name}" in told
    assert len(told.split("\n\n")) > 2, "no sentence between the usage and the options"
