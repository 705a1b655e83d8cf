from django.db import migrations


class Migration(migrations.Migration):
    """Counts of a rate limit need no write-ahead log: a crash may lose them, and no request waits for a disk."""

    dependencies = [("api", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE api_allowance SET UNLOGGED", reverse_sql="ALTER TABLE api_allowance SET LOGGED"
        )
    ]
