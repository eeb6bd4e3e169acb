"""Index the searched texts of applications by two characters, on PostgreSQL."""

from django.db import migrations

from runai_access.db.bigrams import bigram_index


class Migration(migrations.Migration):
    atomic = False
    brief_because = "The index is created concurrently."
    dependencies = [
        ("accessrules", "0007_index_of_two_characters"),
        ("applications", "0019_secrets_stored_during_the_copy"),
    ]

    operations = [bigram_index("applications_search", "text", "applications_search_bigrams")]
