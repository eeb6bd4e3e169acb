"""Index the names of subjects by two characters, on PostgreSQL."""

from django.db import migrations

from runai_access.db.bigrams import bigram_function, bigram_index


class Migration(migrations.Migration):
    atomic = False
    brief_because = "The index is created concurrently."
    dependencies = [("accessrules", "0006_index_of_rules_by_id")]

    operations = [
        bigram_function(),
        bigram_index("accessrules_subject", "normalized_name", "subject_by_bigrams"),
    ]
