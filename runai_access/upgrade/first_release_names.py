"""The names in a database of the first release that have changed since."""

# The migrations that a database of the first release has applied, by app.
REQUIRED_MIGRATIONS = [
    ("accessrules", "0008_creation_of_holders"),
    ("accounts", "0003_groups"),
    ("api", "0002_idempotency_key"),
    ("applications", "0008_search_in_its_own_table"),
    ("audit", "0005_result_of_action"),
    ("ui", "0001_table_preference"),
]
INITIAL_MIGRATIONS = [
    ("accessrules", "0001_access_rules"),
    ("accounts", "0001_initial"),
    ("api", "0001_initial"),
    ("applications", "0001_initial"),
    ("audit", "0001_initial"),
    ("ui", "0001_initial"),
]

TABLES = {"audit_leaving": "audit_pendingarchival"}
COLUMNS = [
    ("accessrules_subject", "folded_name", "normalized_name"),
    ("accessrules_accessrule", "holder_created_at", "application_created_at"),
    ("accounts_user", "temporary_until", "temporary_password_until"),
    ("api_idempotencykey", "made_id", "result_id"),
    ("audit_auditevent", "once_key", "deduplication_key"),
    ("ui_tablepreference", "person_id", "user_id"),
]

# Models with constraints or indexes that SQLite renames only by rebuilding the table.
REBUILT_IN_SQLITE = [
    ("accessrules", "Subject"),
    ("accessrules", "Scope"),
    ("accessrules", "GroupMembership"),
    ("accounts", "SignInNetwork"),
    ("api", "IdempotencyKey"),
    ("ui", "TablePreference"),
]

# PostgreSQL renames each in place: table (with its new name), old name, new name.
CONSTRAINTS = [
    ("accessrules_groupmembership", "membership_not_of_itself", "membership_not_self"),
    ("accessrules_scope", "scope_path_is_as_long_as_deep", "scope_path_matches_depth"),
    ("accessrules_scope", "scope_stands_below_its_parent_type", "scope_parent_type_matches"),
    ("accessrules_subject", "subject_named", "subject_name_not_empty"),
    ("accounts_signinnetwork", "sign_in_network_once", "sign_in_network_unique"),
    ("api_idempotencykey", "idempotency_key_once", "idempotency_key_unique"),
    (
        "audit_auditevent",
        "audit_auditevent_once_key_key",
        "audit_auditevent_deduplication_key_key",
    ),
    ("audit_pendingarchival", "audit_leaving_pkey", "audit_pendingarchival_pkey"),
    (
        "ui_tablepreference",
        "ui_tablepreference_person_id_69263c04_fk_accounts_",
        "ui_tablepreference_user_id_39b4953a_fk_accounts_user_subject_id",
    ),
]
INDEXES = {
    "access_rule_unique_among_living": "access_rule_unique_unless_deleted",
    "subject_name_unique_among_living": "subject_name_unique_unless_retired",
    "audit_auditevent_once_key_e0e22668_like": "audit_auditevent_deduplication_key_5f6b26af_like",
    "ui_tablepreference_person_id_69263c04": "ui_tablepreference_user_id_39b4953a",
}

SQLITE_TRIGGERS = [
    "access_rule_changed",
    "access_rule_made",
    "access_rule_role_name_changed",
    "access_rule_scope_name_changed",
    "access_rule_subject_name_changed",
    "access_rule_subject_type_changed",
    "application_changed_rule",
    "application_gained_rule",
    "application_gone",
    "application_lost_rule",
    "application_made",
    "application_redated",
    "application_reworded",
    "application_role_renamed",
    "application_scope_renamed",
    "application_switched",
    "application_took_over_rule",
    "audit_archive_kept_delete",
    "audit_archive_kept_replace",
    "audit_archive_kept_update",
    "audit_auditevent_kept_delete",
    "audit_auditevent_kept_replace",
    "audit_auditevent_kept_update",
    "audit_auditevent_noted",
    "audit_seal_kept_delete",
    "audit_seal_kept_replace",
    "audit_seal_kept_update",
]
# Dropping a function with CASCADE drops its triggers, too.
POSTGRESQL_FUNCTIONS = [
    "access_rule_copies",
    "access_rule_role_name_changed",
    "access_rule_scope_name_changed",
    "access_rule_subject_name_changed",
    "access_rule_subject_type_changed",
    "application_dated",
    "application_gone",
    "application_made",
    "application_role_renamed",
    "application_rule_dated",
    "application_rules_changed",
    "application_scope_renamed",
    "application_switched",
    "application_worded",
    "applications_emptied",
    "audit_event_leaves",
    "audit_note_new",
    "audit_refuse",
    "audit_seal_leaves",
]
