"""The task queue inside PostgreSQL: plain SQL from the package pgmq, no extension.

The queue `celery` is made here by the owner, so that the application's role needs no right to create anything. The
messages hold task names and ids only.
"""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

QUEUE = "celery"
GRANTS = """
GRANT USAGE ON SCHEMA pgmq TO PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA pgmq TO PUBLIC;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA pgmq TO PUBLIC;
"""


def install(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    from pgmq.install import get_embedded_install_sql

    with editor.connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = 'pgmq'")
        if cursor.fetchone() is None:
            cursor.execute(get_embedded_install_sql())
        cursor.execute("SELECT 1 FROM pgmq.meta WHERE queue_name = %s", [QUEUE])
        if cursor.fetchone() is None:
            cursor.execute("SELECT pgmq.create(%s)", [QUEUE])
        cursor.execute(GRANTS)


class Migration(migrations.Migration):
    dependencies = [("common", "0001_initial")]
    operations = [migrations.RunPython(install, migrations.RunPython.noop)]
