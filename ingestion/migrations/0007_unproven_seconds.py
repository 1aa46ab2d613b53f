from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ingestion", "0006_relay_minutes_rejected_hours"),
    ]

    operations = [
        migrations.AddField(
            model_name="backfillrun",
            name="unproven_seconds",
            field=models.BigIntegerField(
                default=0,
                help_text="Seconds that were read by the kinds and authors that are known.",
            ),
        ),
    ]
