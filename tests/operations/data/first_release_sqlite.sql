-- A database of the first release (SQLite); its secret key is in tests/operations/test_upgrade.py. Never edited.
CREATE TABLE "django_migrations" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "app" varchar(255) NOT NULL, "name" varchar(255) NOT NULL, "applied" datetime NOT NULL);
CREATE TABLE "accessrules_role" ("id" integer unsigned NOT NULL PRIMARY KEY CHECK ("id" >= 0), "name" varchar(100) NOT NULL UNIQUE, "description" text NOT NULL, "assignable" bool NOT NULL, "permissions" text NOT NULL CHECK ((JSON_VALID("permissions") OR "permissions" IS NULL)), "created_by" varchar(255) NOT NULL, "created_at" datetime NOT NULL, "updated_at" datetime NOT NULL);
CREATE TABLE "accessrules_scope" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "type" varchar(16) NOT NULL, "uid" varchar(64) NOT NULL, "name" varchar(255) NOT NULL, "parent_type" varchar(16) NOT NULL, "depth" smallint unsigned NOT NULL CHECK ("depth" >= 0), "path" varchar(80) NOT NULL UNIQUE, "created_by" varchar(255) NOT NULL, "created_at" datetime NOT NULL, "updated_at" datetime NOT NULL, "parent_id" bigint NULL REFERENCES "accessrules_scope" ("id") DEFERRABLE INITIALLY DEFERRED, CONSTRAINT "scope_id_unique" UNIQUE ("type", "uid"), CONSTRAINT "scope_name_unique_in_parent" UNIQUE ("parent_id", "name"), CONSTRAINT "scope_stands_below_its_parent_type" CHECK ((("depth" = 0 AND "parent_id" IS NULL AND "parent_type" = '' AND "type" = 'system') OR ("depth" = 1 AND "parent_id" IS NOT NULL AND "parent_type" = 'system' AND "type" = 'tenant') OR ("depth" = 2 AND "parent_id" IS NOT NULL AND "parent_type" = 'tenant' AND "type" = 'cluster') OR ("depth" = 3 AND "parent_id" IS NOT NULL AND "parent_type" = 'cluster' AND "type" = 'department') OR ("depth" = 4 AND "parent_id" IS NOT NULL AND "parent_type" = 'department' AND "type" = 'project'))), CONSTRAINT "scope_path_is_as_long_as_deep" CHECK (LENGTH("path") = (("depth" + 1) * 16)));
CREATE TABLE "accessrules_groupmembership" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "group_id" char(32) NOT NULL REFERENCES "accessrules_subject" ("id") DEFERRABLE INITIALLY DEFERRED, "member_id" char(32) NOT NULL REFERENCES "accessrules_subject" ("id") DEFERRABLE INITIALLY DEFERRED, CONSTRAINT "membership_unique" UNIQUE ("group_id", "member_id"), CONSTRAINT "membership_not_of_itself" CHECK (NOT ("group_id" = ("member_id"))));
CREATE TABLE "accessrules_subject" ("id" char(32) NOT NULL PRIMARY KEY, "type" varchar(8) NOT NULL, "name" varchar(255) NOT NULL, "enabled" bool NOT NULL, "retired_at" datetime NULL, "folded_name" text NOT NULL, CONSTRAINT "subject_type_known" CHECK ("type" IN ('user', 'app', 'group')), CONSTRAINT "subject_named" CHECK (LENGTH("name") >= 1), CONSTRAINT "subject_retired_is_disabled" CHECK (("retired_at" IS NULL OR NOT "enabled")));
CREATE TABLE "accessrules_accessrule" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "created_by" varchar(255) NOT NULL, "created_at" datetime NOT NULL, "updated_at" datetime NOT NULL, "deleted_at" datetime NULL, "role_id" integer NOT NULL REFERENCES "accessrules_role" ("id") DEFERRABLE INITIALLY DEFERRED, "scope_id" bigint NOT NULL REFERENCES "accessrules_scope" ("id") DEFERRABLE INITIALLY DEFERRED, "role_name" text DEFAULT '' NOT NULL, "scope_name" text DEFAULT '' NOT NULL, "subject_name" text DEFAULT '' NOT NULL, "subject_type" varchar(8) DEFAULT '' NOT NULL, "subject_id" char(32) NOT NULL REFERENCES "accessrules_subject" ("id") DEFERRABLE INITIALLY DEFERRED, "holder_created_at" datetime NULL, CONSTRAINT "access_rule_deleted_after_created" CHECK (("deleted_at" IS NULL OR "deleted_at" >= ("created_at"))));
CREATE TABLE "accounts_user" ("password" varchar(128) NOT NULL, "last_login" datetime NULL, "subject_id" char(32) NOT NULL PRIMARY KEY REFERENCES "accessrules_subject" ("id") DEFERRABLE INITIALLY DEFERRED, "email" varchar(255) NOT NULL UNIQUE, "created_by" varchar(255) NOT NULL, "created_at" datetime NOT NULL, "search_text" text NOT NULL, "sessions_id" char(32) NOT NULL, "submission" char(32) NULL, "temporary_until" datetime NULL, "updated_at" datetime NOT NULL);
CREATE TABLE "accounts_signinnetwork" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "network" varchar(43) NOT NULL, "last_seen" datetime NOT NULL, "user_id" char(32) NOT NULL REFERENCES "accounts_user" ("subject_id") DEFERRABLE INITIALLY DEFERRED, CONSTRAINT "sign_in_network_once" UNIQUE ("user_id", "network"));
CREATE TABLE "api_attemptcount" ("key" varchar(64) NOT NULL PRIMARY KEY, "count" integer unsigned NOT NULL CHECK ("count" >= 0), "expires_at" datetime NOT NULL);
CREATE TABLE "api_idempotencykey" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "caller" char(32) NOT NULL, "key" varchar(255) NOT NULL, "fingerprint" varchar(64) NOT NULL, "made_id" varchar(64) NOT NULL, "created_at" datetime NOT NULL, CONSTRAINT "idempotency_key_once" UNIQUE ("caller", "key"));
CREATE TABLE "applications_revokedtoken" ("jti" char(32) NOT NULL PRIMARY KEY, "expires_at" datetime NOT NULL);
CREATE TABLE "applications_signingkey" ("kid" varchar(64) NOT NULL PRIMARY KEY, "encrypted_private_key" BLOB NOT NULL, "public_jwk" text NOT NULL CHECK ((JSON_VALID("public_jwk") OR "public_jwk" IS NULL)), "created_at" datetime NOT NULL, "signs_from" datetime NOT NULL);
CREATE TABLE "applications_application" ("subject_id" char(32) NOT NULL PRIMARY KEY REFERENCES "accessrules_subject" ("id") DEFERRABLE INITIALLY DEFERRED, "secret_hash" varchar(128) NOT NULL, "credential_id" char(32) NOT NULL, "submission" char(32) NULL, "created_by" varchar(255) NOT NULL, "created_at" datetime NOT NULL, "last_login" datetime NULL, "token_lifetime" integer unsigned NULL CHECK ("token_lifetime" >= 0), "search_text" text NOT NULL, "first_rule" text NULL, "is_enabled" bool NOT NULL, "updated_at" datetime NOT NULL, CONSTRAINT "application_secret_only_as_argon2id" CHECK (("secret_hash" = '' OR "secret_hash" LIKE '$argon2id$%' ESCAPE '\')));
CREATE TABLE applications_search (
        id integer NOT NULL PRIMARY KEY, application_id char(32) NOT NULL UNIQUE
    );
CREATE VIRTUAL TABLE applications_search_index USING fts5 (
        text, content='', columnsize=0, tokenize='trigram case_sensitive 1'
    );
CREATE TABLE "audit_archive" ("first_seal" bigint NOT NULL, "last_seal" bigint NOT NULL PRIMARY KEY, "events" bigint NOT NULL, "head" varchar(64) NOT NULL, "file_name" varchar(255) NOT NULL, "file_sha256" varchar(64) NOT NULL, "made_at" datetime NOT NULL, "key_id" varchar(16) NOT NULL, "hash" varchar(64) NOT NULL);
CREATE TABLE "audit_leaving" ("event_id" bigint NOT NULL PRIMARY KEY);
CREATE TABLE "audit_seal" ("number" bigint NOT NULL PRIMARY KEY, "sealed_at" datetime NOT NULL, "newest" datetime NOT NULL, "event_ids" text NOT NULL, "previous" varchar(64) NOT NULL, "digest" varchar(64) NOT NULL, "key_id" varchar(16) NOT NULL, "hash" varchar(64) NOT NULL);
CREATE TABLE "audit_unsealed" ("event_id" bigint NOT NULL PRIMARY KEY);
CREATE TABLE "audit_auditevent" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "time" datetime NOT NULL, "subject_type" varchar(16) NOT NULL, "subject_name" varchar(255) NOT NULL, "action" varchar(32) NOT NULL, "entity_type" varchar(32) NOT NULL, "entity_id" varchar(64) NOT NULL, "entity_name" varchar(600) NOT NULL, "result" varchar(16) NOT NULL, "reason" varchar(600) NOT NULL, "changes" text NOT NULL CHECK ((JSON_VALID("changes") OR "changes" IS NULL)), "source_ip" char(39) NULL, "http_method" varchar(8) NOT NULL, "path" varchar(600) NOT NULL, "request_id" char(32) NULL, "once_key" varchar(64) NULL UNIQUE, "tag" varchar(64) DEFAULT '' NOT NULL, "subject_id" char(32) NULL, CONSTRAINT "audit_result_known" CHECK ("result" IN ('Succeeded', 'Failed')));
CREATE TABLE "django_content_type" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "app_label" varchar(100) NOT NULL, "model" varchar(100) NOT NULL);
CREATE TABLE "auth_group_permissions" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "group_id" integer NOT NULL REFERENCES "auth_group" ("id") DEFERRABLE INITIALLY DEFERRED, "permission_id" integer NOT NULL REFERENCES "auth_permission" ("id") DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE "auth_permission" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "content_type_id" integer NOT NULL REFERENCES "django_content_type" ("id") DEFERRABLE INITIALLY DEFERRED, "codename" varchar(100) NOT NULL, "name" varchar(255) NOT NULL);
CREATE TABLE "auth_group" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "name" varchar(150) NOT NULL UNIQUE);
CREATE TABLE "django_session" ("session_key" varchar(40) NOT NULL PRIMARY KEY, "session_data" text NOT NULL, "expire_date" datetime NOT NULL);
CREATE TABLE "ui_tablepreference" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "table" varchar(40) NOT NULL, "columns" text NOT NULL CHECK ((JSON_VALID("columns") OR "columns" IS NULL)), "page_size" smallint unsigned NOT NULL CHECK ("page_size" >= 0), "density" varchar(12) NOT NULL, "person_id" char(32) NOT NULL REFERENCES "accounts_user" ("subject_id") DEFERRABLE INITIALLY DEFERRED, CONSTRAINT "table_preference_unique" UNIQUE ("person_id", "table"), CONSTRAINT "table_preference_page_size_known" CHECK ("page_size" IN (20, 50, 100)), CONSTRAINT "table_preference_density_known" CHECK ("density" IN ('comfortable', 'compact')));
INSERT INTO "django_migrations" VALUES
(1, 'accessrules', '0001_initial', '2026-11-29 18:04:07.614588'),
(2, 'accessrules', '0002_folded_names', '2026-11-29 18:04:07.661474'),
(3, 'accessrules', '0003_holders', '2026-11-29 18:04:07.726046'),
(4, 'accessrules', '0004_orders', '2026-11-29 18:04:07.909873'),
(5, 'accessrules', '0005_scope_in_role_index', '2026-11-29 18:04:07.945650'),
(6, 'accessrules', '0006_wider_indexes', '2026-11-29 18:04:08.097844'),
(7, 'accessrules', '0007_indexes_tell_more', '2026-11-29 18:04:08.425075'),
(8, 'accessrules', '0008_creation_of_holders', '2026-11-29 18:04:08.482922'),
(9, 'accounts', '0001_initial', '2026-11-29 18:04:08.509240'),
(10, 'accounts', '0002_temporary_passwords', '2026-11-29 18:04:08.653671'),
(11, 'accounts', '0003_groups', '2026-11-29 18:04:08.665240'),
(12, 'accounts', '0004_sign_in_networks', '2026-11-29 18:04:08.700372'),
(13, 'api', '0001_initial', '2026-11-29 18:04:08.716869'),
(14, 'api', '0002_idempotency_key', '2026-11-29 18:04:08.736332'),
(15, 'applications', '0001_initial', '2026-11-29 18:04:08.784564'),
(16, 'applications', '0002_token_life', '2026-11-29 18:04:08.953438'),
(17, 'applications', '0003_search_text', '2026-11-29 18:04:09.015435'),
(18, 'applications', '0004_orders', '2026-11-29 18:04:09.235032'),
(19, 'applications', '0005_search', '2026-11-29 18:04:09.285943'),
(20, 'applications', '0006_search_text_ends', '2026-11-29 18:04:09.301434'),
(21, 'applications', '0007_creation_in_indexes', '2026-11-29 18:04:09.395187'),
(22, 'applications', '0008_search_in_its_own_table', '2026-11-29 18:04:09.429541'),
(23, 'audit', '0001_initial', '2026-11-29 18:04:09.448336'),
(24, 'audit', '0002_seals', '2026-11-29 18:04:09.513259'),
(25, 'audit', '0003_guards', '2026-11-29 18:04:09.560674'),
(26, 'audit', '0004_indexes', '2026-11-29 18:04:09.615202'),
(27, 'audit', '0005_result_of_action', '2026-11-29 18:04:09.630959'),
(28, 'contenttypes', '0001_initial', '2026-11-29 18:04:09.650556'),
(29, 'contenttypes', '0002_remove_content_type_name', '2026-11-29 18:04:09.718430'),
(30, 'auth', '0001_initial', '2026-11-29 18:04:09.780475'),
(31, 'auth', '0002_alter_permission_name_max_length', '2026-11-29 18:04:09.815725'),
(32, 'auth', '0003_alter_user_email_max_length', '2026-11-29 18:04:09.834255'),
(33, 'auth', '0004_alter_user_username_opts', '2026-11-29 18:04:09.847810'),
(34, 'auth', '0005_alter_user_last_login_null', '2026-11-29 18:04:09.871431'),
(35, 'auth', '0006_require_contenttypes_0002', '2026-11-29 18:04:09.884467'),
(36, 'auth', '0007_alter_validators_add_error_messages', '2026-11-29 18:04:09.906304'),
(37, 'auth', '0008_alter_user_username_max_length', '2026-11-29 18:04:09.919632'),
(38, 'auth', '0009_alter_user_last_name_max_length', '2026-11-29 18:04:09.931560'),
(39, 'auth', '0010_alter_group_name_max_length', '2026-11-29 18:04:09.958169'),
(40, 'auth', '0011_update_proxy_permissions', '2026-11-29 18:04:10.025581'),
(41, 'auth', '0012_alter_user_first_name_max_length', '2026-11-29 18:04:10.035451'),
(42, 'sessions', '0001_initial', '2026-11-29 18:04:10.068368'),
(43, 'ui', '0001_table_preference', '2026-11-29 18:04:10.106943');
INSERT INTO "accessrules_role" VALUES
(1, 'System administrator', 'Runs the whole platform: organization structure, hardware, people, applications, access rules and general settings. Give it to very few people.', 1, '{"department": "crud", "project": "crud", "cluster": "crud", "cluster-config": "crud", "nodepools": "crud", "settings": "crud", "users": "crud", "groups": "crud", "apps": "crud", "access_rules": "crud", "jobs": "crud", "workloads": "crud", "workspaces": "crud", "trainings": "crud", "inferences": "crud", "environments": "crud", "pvc-assets": "crud", "git-assets": "crud", "host-path-assets": "crud", "nfs-assets": "crud", "s3-assets": "crud", "cm-volume-assets": "crud", "secret-volume-assets": "crud", "compute-resources": "crud", "templates": "crud", "credentials": "crud", "policies": "crud", "datavolumes": "crud", "datavolumes/sharedscopes": "crud", "storage-class-configuration": "crud", "personal-apps": "rd", "tenant": "r", "nodes": "r", "roles": "r", "dashboards-overview": "r", "dashboards-analytics": "r", "dashboards-consumption": "r", "events-history": "r"}', 'Run:ai', '2026-11-29 18:04:10.425949', '2026-11-29 18:04:10.425958'),
(3, 'Editor', 'Maintains departments and projects with their workloads and assets in the granted scope and may manage access rules there; sees the dashboards.', 1, '{"department": "crud", "project": "crud", "access_rules": "crud", "jobs": "crud", "workloads": "crud", "workspaces": "crud", "trainings": "crud", "environments": "crud", "pvc-assets": "crud", "git-assets": "crud", "host-path-assets": "crud", "nfs-assets": "crud", "s3-assets": "crud", "cm-volume-assets": "crud", "secret-volume-assets": "crud", "compute-resources": "crud", "templates": "crud", "credentials": "crud", "policies": "crud", "datavolumes": "crud", "datavolumes/sharedscopes": "crud", "tenant": "r", "cluster": "r", "nodepools": "r", "nodes": "r", "users": "r", "groups": "r", "apps": "r", "roles": "r", "dashboards-overview": "r", "dashboards-analytics": "r", "dashboards-consumption": "r", "inferences": "r", "storage-class-configuration": "r"}', 'Run:ai', '2026-11-29 18:04:10.427648', '2026-11-29 18:04:10.427650'),
(5, 'L1 researcher', 'Submits and manages workloads in the granted projects and also creates the workload assets they use; sees the dashboards.', 1, '{"jobs": "crud", "workloads": "crud", "workspaces": "crud", "trainings": "crud", "environments": "crud", "pvc-assets": "crud", "git-assets": "crud", "host-path-assets": "crud", "nfs-assets": "crud", "s3-assets": "crud", "cm-volume-assets": "crud", "secret-volume-assets": "crud", "compute-resources": "crud", "templates": "crud", "credentials": "crud", "datavolumes": "crud", "tenant": "r", "project": "r", "cluster": "r", "nodepools": "r", "dashboards-overview": "r", "dashboards-analytics": "r", "dashboards-consumption": "r", "inferences": "r", "policies": "r", "storage-class-configuration": "r"}', 'Run:ai', '2026-11-29 18:04:10.452314', '2026-11-29 18:04:10.452321'),
(7, 'Viewer', 'Looks at departments, projects and everything under them, and at the dashboards; changes nothing.', 1, '{"tenant": "r", "department": "r", "project": "r", "cluster": "r", "nodepools": "r", "nodes": "r", "dashboards-overview": "r", "dashboards-analytics": "r", "dashboards-consumption": "r", "jobs": "r", "workloads": "r", "workspaces": "r", "trainings": "r", "inferences": "r", "environments": "r", "pvc-assets": "r", "git-assets": "r", "host-path-assets": "r", "nfs-assets": "r", "s3-assets": "r", "cm-volume-assets": "r", "secret-volume-assets": "r", "compute-resources": "r", "templates": "r", "credentials": "r", "policies": "r", "datavolumes": "r", "storage-class-configuration": "r"}', 'Run:ai', '2026-11-29 18:04:10.453990', '2026-11-29 18:04:10.453992');
INSERT INTO "accessrules_scope" VALUES
(1, 'system', 'system', 'system', '', 0, '0000000000000000', 'system', '2026-11-29 18:04:10.475666', '2026-11-29 18:04:10.475670', NULL),
(2, 'tenant', '1001', 'acme', 'system', 1, '00000000000000000000000000000001', 'system', '2026-11-29 18:04:10.493200', '2026-11-29 18:04:10.493205', 1),
(3, 'cluster', '96004b5a-82dc-4cf7-b2e7-b95201e7e30d', 'east', 'tenant', 2, '000000000000000000000000000000018760617458843722', 'maker@acme.example', '2026-11-29 18:04:10.714614', '2026-11-29 18:04:10.714619', 2),
(4, 'department', '9b75579e-e36f-44f2-bf6a-c7a7b338ce46', 'Zürich', 'cluster', 3, '0000000000000000000000000000000187606174588437229367909165231082', 'maker@acme.example', '2026-11-29 18:04:10.728303', '2026-11-29 18:04:10.728312', 3),
(5, 'department', '7674e4be-a5fb-4778-ad97-1cdd0f1e01fe', 'Zürich', 'cluster', 3, '0000000000000000000000000000000187606174588437221910567731943993', 'maker@acme.example', '2026-11-29 18:04:10.736309', '2026-11-29 18:04:10.736316', 3),
(6, 'department', '716d676b-c7b1-4a70-98f2-00084f932e98', 'vision', 'cluster', 3, '0000000000000000000000000000000187606174588437220024157897643495', 'maker@acme.example', '2026-11-29 18:04:10.744764', '2026-11-29 18:04:10.744772', 3),
(7, 'project', 'de6d2f41-8d4f-4149-b4a4-38e0585337e7', 'vision-train', 'department', 4, '00000000000000000000000000000001876061745884372200241578976434958695861458774860', 'maker@acme.example', '2026-11-29 18:04:10.754502', '2026-11-29 18:04:10.754510', 6);
INSERT INTO "accessrules_groupmembership" VALUES
(1, 'eadfbf221d8c4e42a4c511941378b7c7', '8752e59b02a04c18b71bf0435cb8d565'),
(2, 'eadfbf221d8c4e42a4c511941378b7c7', 'fe7de0031d8f41688602a1b4d950b578');
INSERT INTO "accessrules_subject" VALUES
('8752e59b02a04c18b71bf0435cb8d565', 'user', 'ada@acme.example', 1, NULL, 'ada@acme.example'),
('fe7de0031d8f41688602a1b4d950b578', 'user', 'rosa@İstanbul.example', 1, NULL, 'rosa@i̇stanbul.example'),
('eadfbf221d8c4e42a4c511941378b7c7', 'group', 'Zürich', 1, NULL, 'zürich'),
('4f8a618346b2423cbe1ad52eca2c4ddf', 'group', 'Zürich', 1, NULL, 'zürich'),
('fc76c46fe9b3489d89908f722b567c7f', 'group', 'TEAM', 0, '2026-11-29 18:04:11.132139', 'team'),
('1fc187d02a8e4366a8104987d3dd0f8f', 'group', 'ＴＥＡＭ', 1, NULL, 'ｔｅａｍ'),
('20a10c5b0dd341a89d33a3bdbf21c92a', 'app', 'nightly', 1, NULL, 'nightly'),
('cb63f9fb50c14f2497df1f40876824c0', 'app', 'idle', 0, NULL, 'idle'),
('1f81ba92b30447178f569292fd2516cb', 'app', 'crawl', 1, NULL, 'crawl'),
('1abfc8cd99d24ea685065b8388a01b5d', 'app', 'retired-one', 0, '2026-11-29 18:04:11.424381', 'retired-one');
INSERT INTO "accessrules_accessrule" VALUES
(1, 'maker@acme.example', '2026-11-29 18:04:11.001207', '2026-11-29 18:04:11.001215', NULL, 1, 2, 'System administrator', 'acme', 'ada@acme.example', 'user', '8752e59b02a04c18b71bf0435cb8d565', NULL),
(2, 'maker@acme.example', '2026-11-29 18:04:11.036920', '2026-11-29 18:04:11.036926', NULL, 7, 3, 'Viewer', 'east', 'rosa@i̇stanbul.example', 'user', 'fe7de0031d8f41688602a1b4d950b578', NULL),
(3, 'maker@acme.example', '2026-11-29 18:04:11.137305', '2026-11-29 18:04:11.137311', NULL, 7, 6, 'Viewer', 'vision', 'zürich', 'group', 'eadfbf221d8c4e42a4c511941378b7c7', NULL),
(4, 'maker@acme.example', '2026-11-29 18:04:11.148941', '2026-11-29 18:04:11.148947', NULL, 3, 3, 'Editor', 'east', 'ｔｅａｍ', 'group', '1fc187d02a8e4366a8104987d3dd0f8f', NULL),
(5, 'maker@acme.example', '2026-11-29 18:04:11.283298', '2026-11-29 18:04:11.283303', NULL, 5, 3, 'L1 researcher', 'east', 'nightly', 'app', '20a10c5b0dd341a89d33a3bdbf21c92a', '2026-11-29 18:04:11.276351'),
(6, 'maker@acme.example', '2026-11-29 18:04:11.296706', '2026-11-29 18:04:11.296713', NULL, 7, 6, 'Viewer', 'vision', 'nightly', 'app', '20a10c5b0dd341a89d33a3bdbf21c92a', '2026-11-29 18:04:11.276351'),
(7, 'maker@acme.example', '2026-11-29 18:04:11.361024', '2026-11-29 18:04:11.361031', NULL, 7, 3, 'Viewer', 'east', 'crawl', 'app', '1f81ba92b30447178f569292fd2516cb', '2026-11-29 18:04:11.348230'),
(8, 'maker@acme.example', '2026-11-29 18:04:11.372942', '2026-11-29 18:04:11.372948', '2026-11-29 18:04:11.380361', 3, 3, 'Editor', 'east', 'nightly', 'app', '20a10c5b0dd341a89d33a3bdbf21c92a', '2026-11-29 18:04:11.276351');
INSERT INTO "accounts_user" VALUES
('argon2$argon2id$v=19$m=19456,t=2,p=1$SXA1OVdqM2JRSXJEODF6QnJCbTBrUA$hHNuOF3cf7PP7rbVwBUGCS5BUh35koY3nZ7qZBjhLDs', NULL, '8752e59b02a04c18b71bf0435cb8d565', 'ada@acme.example', 'maker@acme.example', '2026-11-29 18:04:10.765475', 'ada@acme.example
maker@acme.example', '73a6555e9bae44ccb61d9227ed8ea75d', NULL, NULL, '2026-11-29 18:04:10.765482'),
('!VI1uUDm5VzpFP24PbhKAM9cW8RpJQGhiZAaTGSb6', NULL, 'fe7de0031d8f41688602a1b4d950b578', 'rosa@İstanbul.example', 'maker@acme.example', '2026-11-29 18:04:11.028343', 'rosa@i̇stanbul.example
maker@acme.example', '4498f07285d34571b8e66c487d9ce109', 'ae09d15f8ed2402b942ef07537197bda', '2026-12-02 18:04:11.048511', '2026-11-29 18:04:11.028353');
INSERT INTO "accounts_signinnetwork" VALUES
(1, '192.0.2.1', '2026-11-29 18:04:11.057841', '8752e59b02a04c18b71bf0435cb8d565');
INSERT INTO "api_attemptcount" VALUES
('kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk', 3, '2026-11-29 18:04:11.432724');
INSERT INTO "api_idempotencykey" VALUES
(1, '8752e59b02a04c18b71bf0435cb8d565', 'once-only', 'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff', '20a10c5b-0dd3-41a8-9d33-a3bdbf21c92a', '2026-11-29 18:04:11.428980');
INSERT INTO "applications_revokedtoken" VALUES
('49991dcffce340efb2f02fd51994d160', '2026-11-29 18:04:11.448182');
INSERT INTO "applications_signingkey" VALUES
('key-1', X'0001736563726574', '{"kty": "EC"}', '2026-11-29 18:04:11.456445', '2026-11-29 18:04:11.456459');
INSERT INTO "applications_application" VALUES
('20a10c5b0dd341a89d33a3bdbf21c92a', '$argon2id$v=19$m=19456,t=2,p=1$FSGvgSsMpIPXyTN6VsqYag$1y6R/HAJGWPXT2/UF27VGJR8T5MZylOLzsYXYw247s0', '57ee5d12f11e426397a82c69edb8149e', NULL, 'maker@acme.example', '2026-11-29 18:04:11.276351', NULL, NULL, 'nightly
maker@acme.example
', 'L1 researcher in east', 1, '2026-11-29 18:04:11.276361'),
('cb63f9fb50c14f2497df1f40876824c0', '', 'bed648fd13bc44bf8b6ab3b0d4e1048c', NULL, 'maker@acme.example', '2026-11-29 18:04:11.320227', NULL, NULL, 'idle
maker@acme.example
', NULL, 0, '2026-11-29 18:04:11.320236'),
('1f81ba92b30447178f569292fd2516cb', '', 'e698c969f9e8465da31a9ec25d4e28f0', NULL, 'rosa@İstanbul.example', '2026-11-29 18:04:11.348230', '2026-11-29 18:04:11.348100', 60, 'crawl
rosa@i̇stanbul.example
', 'Viewer in east', 1, '2026-11-29 18:04:11.348233');
INSERT INTO "applications_search" VALUES
(1, '20a10c5b0dd341a89d33a3bdbf21c92a'),
(2, 'cb63f9fb50c14f2497df1f40876824c0'),
(3, '1f81ba92b30447178f569292fd2516cb');
INSERT INTO "audit_archive" VALUES
(1, 1, 2, '0360052183b8d200da852f4fe749cf0599f1f25ce08547a23cb7e27722e29496', 'audit-000000000001-000000000001.jsonl', 'cc984364c9b5ee38d0bb6cb6f75c97d90c41c7cac75ab1f3fbc2836214540eff', '2026-11-29 18:04:11.540844', 'e6f76142ce17d6e4', '2ab6167112349efa62c0e6720edd73fcedff466a3115b4497e2c565d7d80efbb');
INSERT INTO "audit_seal" VALUES
(2, '2026-11-29 18:04:11.593854', '2026-11-29 18:04:11.580492', '3-5', '0360052183b8d200da852f4fe749cf0599f1f25ce08547a23cb7e27722e29496', 'b009a3c31bf53cdbc580c77f5359f5c195c7b277810a459403f6deec45ed9a91', 'e6f76142ce17d6e4', 'de1539d277157caae21f23446b38422ee7d6357aadcb895056ae9ec348cba8f1');
INSERT INTO "audit_unsealed" VALUES
(6);
INSERT INTO "audit_auditevent" VALUES
(3, '2026-11-29 18:04:11.541333', 'system', 'system', 'archive', 'audit', '1', 'audit-000000000001-000000000001.jsonl', 'Succeeded', '', '{"events": [2, 0]}', NULL, '', '', NULL, NULL, '1e3e853bd0765d8ca33d4ed9e8397706260e0cf7480a99a4cc4c52ffe01bb24a', NULL),
(4, '2026-11-29 18:04:11.576283', 'user', 'ada@acme.example', 'create', 'application', '20a10c5b-0dd3-41a8-9d33-a3bdbf21c92a', 'nightly', 'Succeeded', '', '{"name": ["", "nightly"]}', '192.0.2.1', 'POST', '/applications/new', '9fbf8a53b16e4197bac07394d3210e3f', NULL, 'b458bbf4fa79225bca49395b44e109fbfb82f3fe00d07ccaf212e82116853f52', '8752e59b02a04c18b71bf0435cb8d565'),
(5, '2026-11-29 18:04:11.580492', 'app', 'nightly', 'sign-in', 'application', '', 'nightly', 'Failed', 'wrong secret', '{}', NULL, '', '', NULL, 'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd', 'e9e3c0e64e25aee4ad81b2df09cb4bcee223fb84c0f9fded2331ffea25806a47', NULL),
(6, '2026-11-29 18:04:11.606317', 'user', 'ada@acme.example', 'delete', 'access rule', '8', 'nightly', 'Succeeded', '', '{}', NULL, '', '', NULL, NULL, 'faf4fd417fecdd0b369928baf045638b20794531f1ae93ee94b5bcc2b8100f98', '8752e59b02a04c18b71bf0435cb8d565');
INSERT INTO "django_content_type" VALUES
(1, 'accessrules', 'subject'),
(2, 'accounts', 'group'),
(3, 'contenttypes', 'contenttype'),
(4, 'auth', 'permission'),
(5, 'auth', 'group'),
(6, 'sessions', 'session'),
(7, 'api', 'attemptcount'),
(8, 'api', 'idempotencykey'),
(9, 'ui', 'tablepreference'),
(10, 'audit', 'auditevent'),
(11, 'audit', 'archive'),
(12, 'audit', 'leaving'),
(13, 'audit', 'seal'),
(14, 'audit', 'unsealed'),
(15, 'accessrules', 'role'),
(16, 'accessrules', 'scope'),
(17, 'accessrules', 'groupmembership'),
(18, 'accessrules', 'accessrule'),
(19, 'accounts', 'user'),
(20, 'accounts', 'signinnetwork'),
(21, 'applications', 'signingkey'),
(22, 'applications', 'application'),
(23, 'applications', 'revokedtoken');
INSERT INTO "auth_permission" VALUES
(1, 3, 'add_contenttype', 'Can add content type'),
(2, 3, 'change_contenttype', 'Can change content type'),
(3, 3, 'delete_contenttype', 'Can delete content type'),
(4, 3, 'view_contenttype', 'Can view content type'),
(5, 4, 'add_permission', 'Can add permission'),
(6, 4, 'change_permission', 'Can change permission'),
(7, 4, 'delete_permission', 'Can delete permission'),
(8, 4, 'view_permission', 'Can view permission'),
(9, 5, 'add_group', 'Can add group'),
(10, 5, 'change_group', 'Can change group'),
(11, 5, 'delete_group', 'Can delete group'),
(12, 5, 'view_group', 'Can view group'),
(13, 6, 'add_session', 'Can add session'),
(14, 6, 'change_session', 'Can change session'),
(15, 6, 'delete_session', 'Can delete session'),
(16, 6, 'view_session', 'Can view session'),
(17, 7, 'add_attemptcount', 'Can add attempt count'),
(18, 7, 'change_attemptcount', 'Can change attempt count'),
(19, 7, 'delete_attemptcount', 'Can delete attempt count'),
(20, 7, 'view_attemptcount', 'Can view attempt count'),
(21, 8, 'add_idempotencykey', 'Can add idempotency key'),
(22, 8, 'change_idempotencykey', 'Can change idempotency key'),
(23, 8, 'delete_idempotencykey', 'Can delete idempotency key'),
(24, 8, 'view_idempotencykey', 'Can view idempotency key'),
(25, 9, 'add_tablepreference', 'Can add table preference'),
(26, 9, 'change_tablepreference', 'Can change table preference'),
(27, 9, 'delete_tablepreference', 'Can delete table preference'),
(28, 9, 'view_tablepreference', 'Can view table preference'),
(29, 10, 'add_auditevent', 'Can add audit event'),
(30, 10, 'change_auditevent', 'Can change audit event'),
(31, 10, 'delete_auditevent', 'Can delete audit event'),
(32, 10, 'view_auditevent', 'Can view audit event'),
(33, 11, 'add_archive', 'Can add archive'),
(34, 11, 'change_archive', 'Can change archive'),
(35, 11, 'delete_archive', 'Can delete archive'),
(36, 11, 'view_archive', 'Can view archive'),
(37, 12, 'add_leaving', 'Can add leaving'),
(38, 12, 'change_leaving', 'Can change leaving'),
(39, 12, 'delete_leaving', 'Can delete leaving'),
(40, 12, 'view_leaving', 'Can view leaving'),
(41, 13, 'add_seal', 'Can add seal'),
(42, 13, 'change_seal', 'Can change seal'),
(43, 13, 'delete_seal', 'Can delete seal'),
(44, 13, 'view_seal', 'Can view seal'),
(45, 14, 'add_unsealed', 'Can add unsealed'),
(46, 14, 'change_unsealed', 'Can change unsealed'),
(47, 14, 'delete_unsealed', 'Can delete unsealed'),
(48, 14, 'view_unsealed', 'Can view unsealed'),
(49, 15, 'add_role', 'Can add role'),
(50, 15, 'change_role', 'Can change role'),
(51, 15, 'delete_role', 'Can delete role'),
(52, 15, 'view_role', 'Can view role'),
(53, 16, 'add_scope', 'Can add scope'),
(54, 16, 'change_scope', 'Can change scope'),
(55, 16, 'delete_scope', 'Can delete scope'),
(56, 16, 'view_scope', 'Can view scope'),
(57, 1, 'add_subject', 'Can add subject'),
(58, 1, 'change_subject', 'Can change subject'),
(59, 1, 'delete_subject', 'Can delete subject'),
(60, 1, 'view_subject', 'Can view subject'),
(61, 17, 'add_groupmembership', 'Can add group membership'),
(62, 17, 'change_groupmembership', 'Can change group membership'),
(63, 17, 'delete_groupmembership', 'Can delete group membership'),
(64, 17, 'view_groupmembership', 'Can view group membership'),
(65, 18, 'add_accessrule', 'Can add access rule'),
(66, 18, 'change_accessrule', 'Can change access rule'),
(67, 18, 'delete_accessrule', 'Can delete access rule'),
(68, 18, 'view_accessrule', 'Can view access rule'),
(69, 19, 'add_user', 'Can add user'),
(70, 19, 'change_user', 'Can change user'),
(71, 19, 'delete_user', 'Can delete user'),
(72, 19, 'view_user', 'Can view user'),
(73, 2, 'add_group', 'Can add group'),
(74, 2, 'change_group', 'Can change group'),
(75, 2, 'delete_group', 'Can delete group'),
(76, 2, 'view_group', 'Can view group'),
(77, 20, 'add_signinnetwork', 'Can add sign in network'),
(78, 20, 'change_signinnetwork', 'Can change sign in network'),
(79, 20, 'delete_signinnetwork', 'Can delete sign in network'),
(80, 20, 'view_signinnetwork', 'Can view sign in network'),
(81, 21, 'add_signingkey', 'Can add signing key'),
(82, 21, 'change_signingkey', 'Can change signing key'),
(83, 21, 'delete_signingkey', 'Can delete signing key'),
(84, 21, 'view_signingkey', 'Can view signing key'),
(85, 22, 'add_application', 'Can add application'),
(86, 22, 'change_application', 'Can change application'),
(87, 22, 'delete_application', 'Can delete application'),
(88, 22, 'view_application', 'Can view application'),
(89, 23, 'add_revokedtoken', 'Can add revoked token'),
(90, 23, 'change_revokedtoken', 'Can change revoked token'),
(91, 23, 'delete_revokedtoken', 'Can delete revoked token'),
(92, 23, 'view_revokedtoken', 'Can view revoked token');
INSERT INTO "django_session" VALUES
('1xt9590tjk5ej7oinf86viyznpwkwiem', 'eyJhIjoiYiJ9:1xXjFz:sJ8JK9QHkDgtLOwk2BvMG3-nnlktN51evuY95_7breQ', '2026-11-30 06:04:11.469677');
INSERT INTO "ui_tablepreference" VALUES
(1, 'applications', '["name", "status"]', 50, 'compact', '8752e59b02a04c18b71bf0435cb8d565');
INSERT INTO applications_search_index (rowid, text)
    SELECT id, search_text FROM applications_search JOIN applications_application ON subject_id = application_id;
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES ('accessrules_scope', 7);
INSERT INTO sqlite_sequence VALUES ('accessrules_groupmembership', 2);
INSERT INTO sqlite_sequence VALUES ('django_migrations', 43);
INSERT INTO sqlite_sequence VALUES ('accessrules_accessrule', 8);
INSERT INTO sqlite_sequence VALUES ('audit_auditevent', 6);
INSERT INTO sqlite_sequence VALUES ('django_content_type', 23);
INSERT INTO sqlite_sequence VALUES ('auth_permission', 92);
INSERT INTO sqlite_sequence VALUES ('auth_group', 0);
INSERT INTO sqlite_sequence VALUES ('accounts_signinnetwork', 1);
INSERT INTO sqlite_sequence VALUES ('api_idempotencykey', 1);
INSERT INTO sqlite_sequence VALUES ('ui_tablepreference', 1);
CREATE UNIQUE INDEX "scope_one_system_one_account" ON "accessrules_scope" ("type") WHERE "type" IN ('system', 'tenant');
CREATE INDEX "accessrules_scope_parent_id_7870e405" ON "accessrules_scope" ("parent_id");
CREATE INDEX "accessrules_groupmembership_group_id_27de5766" ON "accessrules_groupmembership" ("group_id");
CREATE INDEX "accessrules_groupmembership_member_id_a7a116f2" ON "accessrules_groupmembership" ("member_id");
CREATE UNIQUE INDEX "subject_name_unique_among_living" ON "accessrules_subject" ("type", "name") WHERE "retired_at" IS NULL;
CREATE INDEX "subject_by_name" ON "accessrules_subject" (("folded_name"), "id");
CREATE UNIQUE INDEX "access_rule_unique_among_living" ON "accessrules_accessrule" ("subject_id", "role_id", "scope_id") WHERE "deleted_at" IS NULL;
CREATE INDEX "access_rule_of_subject" ON "accessrules_accessrule" ("subject_id", "deleted_at", "scope_id", "role_id");
CREATE INDEX "access_rule_in_scope" ON "accessrules_accessrule" ("scope_id", "deleted_at", ("subject_name"), "subject_id", "id", "role_id", "subject_type");
CREATE INDEX "access_rule_by_subject" ON "accessrules_accessrule" (("subject_name"), "id", "scope_id") WHERE "deleted_at" IS NULL;
CREATE INDEX "access_rule_by_type" ON "accessrules_accessrule" (("subject_type"), "id", "scope_id") WHERE "deleted_at" IS NULL;
CREATE INDEX "access_rule_by_role" ON "accessrules_accessrule" (("role_name"), "id", "scope_id") WHERE "deleted_at" IS NULL;
CREATE INDEX "access_rule_by_scope" ON "accessrules_accessrule" (("scope_name"), "id", "scope_id") WHERE "deleted_at" IS NULL;
CREATE INDEX "access_rule_by_authorizer" ON "accessrules_accessrule" (("created_by"), "id", "scope_id") WHERE "deleted_at" IS NULL;
CREATE INDEX "access_rule_by_creation" ON "accessrules_accessrule" ("created_at", "id", "scope_id") WHERE "deleted_at" IS NULL;
CREATE INDEX "access_rule_by_update" ON "accessrules_accessrule" ("updated_at", "id", "scope_id") WHERE "deleted_at" IS NULL;
CREATE INDEX "access_rule_of_role" ON "accessrules_accessrule" ("role_id", "deleted_at", "holder_created_at", "subject_id", "scope_id", "subject_type", "id");
CREATE INDEX "access_rule_of_scope" ON "accessrules_accessrule" ("scope_id", "deleted_at", "holder_created_at", "subject_id");
CREATE INDEX "accounts_user_last_login_d2299baa" ON "accounts_user" ("last_login");
CREATE INDEX "accounts_user_created_at_04bd66b9" ON "accounts_user" ("created_at");
CREATE INDEX "accounts_user_updated_at_fb8ec463" ON "accounts_user" ("updated_at");
CREATE INDEX "accounts_signinnetwork_last_seen_6e011983" ON "accounts_signinnetwork" ("last_seen");
CREATE INDEX "accounts_signinnetwork_user_id_aabadc7d" ON "accounts_signinnetwork" ("user_id");
CREATE INDEX "api_attemptcount_expires_at_88865394" ON "api_attemptcount" ("expires_at");
CREATE INDEX "api_idempotencykey_created_at_bf12046a" ON "api_idempotencykey" ("created_at");
CREATE INDEX "applications_revokedtoken_expires_at_266a3a7e" ON "applications_revokedtoken" ("expires_at");
CREATE INDEX "application_by_name" ON "applications_application" (("search_text"), "subject_id");
CREATE INDEX "application_by_first_rule" ON "applications_application" (("first_rule"), "subject_id");
CREATE INDEX "application_by_creator" ON "applications_application" (("created_by"), "subject_id");
CREATE INDEX "application_by_creation" ON "applications_application" ("created_at", "subject_id");
CREATE INDEX "application_by_update" ON "applications_application" ("updated_at", "subject_id", "created_at");
CREATE INDEX "application_by_login" ON "applications_application" ("last_login", "subject_id", "created_at");
CREATE INDEX "application_by_status" ON "applications_application" ("is_enabled", "subject_id", "created_at");
CREATE INDEX "audit_auditevent_time_ec28f263" ON "audit_auditevent" ("time");
CREATE INDEX "audit_entity_time" ON "audit_auditevent" ("entity_type", "entity_id", "time");
CREATE INDEX "audit_entity_type_time" ON "audit_auditevent" ("entity_type", "time");
CREATE INDEX "audit_entity_name_time" ON "audit_auditevent" ("entity_name", "time");
CREATE INDEX "audit_subject_time" ON "audit_auditevent" ("subject_id", "time");
CREATE INDEX "audit_subject_name_time" ON "audit_auditevent" ("subject_name", "time");
CREATE INDEX "audit_result_time" ON "audit_auditevent" ("result", "time");
CREATE INDEX "audit_source_ip_time" ON "audit_auditevent" ("source_ip", "time");
CREATE INDEX "audit_action_time" ON "audit_auditevent" ("action", "time", "result");
CREATE UNIQUE INDEX "django_content_type_app_label_model_76bd3d3b_uniq" ON "django_content_type" ("app_label", "model");
CREATE UNIQUE INDEX "auth_group_permissions_group_id_permission_id_0cd325b0_uniq" ON "auth_group_permissions" ("group_id", "permission_id");
CREATE INDEX "auth_group_permissions_group_id_b120cbf9" ON "auth_group_permissions" ("group_id");
CREATE INDEX "auth_group_permissions_permission_id_84c5c92e" ON "auth_group_permissions" ("permission_id");
CREATE UNIQUE INDEX "auth_permission_content_type_id_codename_01ab375a_uniq" ON "auth_permission" ("content_type_id", "codename");
CREATE INDEX "auth_permission_content_type_id_2f476e4b" ON "auth_permission" ("content_type_id");
CREATE INDEX "django_session_expire_date_a5c62663" ON "django_session" ("expire_date");
CREATE INDEX "ui_tablepreference_person_id_69263c04" ON "ui_tablepreference" ("person_id");
CREATE TRIGGER audit_auditevent_kept_update
    BEFORE UPDATE ON audit_auditevent
    BEGIN SELECT RAISE(ABORT, 'The audit record is only ever added to.'); END;
CREATE TRIGGER audit_auditevent_kept_delete
    BEFORE DELETE ON audit_auditevent
    WHEN NOT EXISTS (SELECT 1 FROM audit_leaving WHERE event_id = OLD.id)
    BEGIN SELECT RAISE(ABORT, 'The audit record is only ever added to.'); END;
CREATE TRIGGER audit_auditevent_kept_replace
    BEFORE INSERT ON audit_auditevent
    WHEN EXISTS (SELECT 1 FROM audit_auditevent WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'The audit record is only ever added to.'); END;
CREATE TRIGGER audit_auditevent_noted
    AFTER INSERT ON audit_auditevent
    BEGIN INSERT INTO audit_unsealed (event_id) VALUES (NEW.id); END;
CREATE TRIGGER audit_seal_kept_update
    BEFORE UPDATE ON audit_seal
    BEGIN SELECT RAISE(ABORT, 'The audit record is only ever added to.'); END;
CREATE TRIGGER audit_seal_kept_delete
    BEFORE DELETE ON audit_seal
    WHEN NOT EXISTS (SELECT 1 FROM audit_archive WHERE last_seal >= OLD.number)
    BEGIN SELECT RAISE(ABORT, 'The audit record is only ever added to.'); END;
CREATE TRIGGER audit_seal_kept_replace
    BEFORE INSERT ON audit_seal
    WHEN EXISTS (SELECT 1 FROM audit_seal WHERE number = NEW.number)
    BEGIN SELECT RAISE(ABORT, 'The audit record is only ever added to.'); END;
CREATE TRIGGER audit_archive_kept_update
    BEFORE UPDATE ON audit_archive
    BEGIN SELECT RAISE(ABORT, 'The audit record is only ever added to.'); END;
CREATE TRIGGER audit_archive_kept_delete
    BEFORE DELETE ON audit_archive
    BEGIN SELECT RAISE(ABORT, 'The audit record is only ever added to.'); END;
CREATE TRIGGER audit_archive_kept_replace
    BEFORE INSERT ON audit_archive
    WHEN EXISTS (SELECT 1 FROM audit_archive WHERE last_seal = NEW.last_seal)
    BEGIN SELECT RAISE(ABORT, 'The audit record is only ever added to.'); END;
CREATE TRIGGER access_rule_made AFTER INSERT ON accessrules_accessrule BEGIN
    UPDATE accessrules_accessrule SET subject_type = (SELECT type FROM accessrules_subject WHERE id = NEW.subject_id), subject_name = (SELECT folded_name FROM accessrules_subject WHERE id = NEW.subject_id), role_name = (SELECT name FROM accessrules_role WHERE id = NEW.role_id), scope_name = (SELECT name FROM accessrules_scope WHERE id = NEW.scope_id) WHERE id = NEW.id;
    END;
CREATE TRIGGER access_rule_changed AFTER UPDATE OF subject_id, role_id, scope_id
    ON accessrules_accessrule BEGIN
    UPDATE accessrules_accessrule SET subject_type = (SELECT type FROM accessrules_subject WHERE id = NEW.subject_id), subject_name = (SELECT folded_name FROM accessrules_subject WHERE id = NEW.subject_id), role_name = (SELECT name FROM accessrules_role WHERE id = NEW.role_id), scope_name = (SELECT name FROM accessrules_scope WHERE id = NEW.scope_id) WHERE id = NEW.id;
    END;
CREATE TRIGGER access_rule_subject_type_changed AFTER UPDATE OF type ON accessrules_subject
    WHEN OLD.type IS NOT NEW.type BEGIN
    UPDATE accessrules_accessrule SET subject_type = NEW.type WHERE subject_id = NEW.id;
    END;
CREATE TRIGGER access_rule_subject_name_changed AFTER UPDATE OF folded_name ON accessrules_subject
    WHEN OLD.folded_name IS NOT NEW.folded_name BEGIN
    UPDATE accessrules_accessrule SET subject_name = NEW.folded_name WHERE subject_id = NEW.id;
    END;
CREATE TRIGGER access_rule_role_name_changed AFTER UPDATE OF name ON accessrules_role
    WHEN OLD.name IS NOT NEW.name BEGIN
    UPDATE accessrules_accessrule SET role_name = NEW.name WHERE role_id = NEW.id;
    END;
CREATE TRIGGER access_rule_scope_name_changed AFTER UPDATE OF name ON accessrules_scope
    WHEN OLD.name IS NOT NEW.name BEGIN
    UPDATE accessrules_accessrule SET scope_name = NEW.name WHERE scope_id = NEW.id;
    END;
CREATE TRIGGER application_made AFTER INSERT ON applications_application BEGIN
    INSERT INTO applications_search (application_id) VALUES (NEW.subject_id);
    INSERT INTO applications_search_index (rowid, text)
    SELECT id, NEW.search_text FROM applications_search WHERE application_id = NEW.subject_id;
    UPDATE applications_application SET
    is_enabled = (SELECT enabled FROM accessrules_subject WHERE id = NEW.subject_id),
    first_rule = (
    SELECT role.name || ' in ' || scope.name FROM accessrules_accessrule rule
    JOIN accessrules_role role ON role.id = rule.role_id
    JOIN accessrules_scope scope ON scope.id = rule.scope_id
    WHERE rule.subject_id = NEW.subject_id AND rule.deleted_at IS NULL AND scope.depth > 0
    ORDER BY rule.id LIMIT 1
    )
    WHERE subject_id = NEW.subject_id;
    UPDATE accessrules_accessrule SET holder_created_at = (
    SELECT created_at FROM applications_application application
    WHERE application.subject_id = accessrules_accessrule.subject_id
    ) WHERE subject_id = NEW.subject_id;
    END;
CREATE TRIGGER application_redated AFTER UPDATE OF created_at ON applications_application
    WHEN OLD.created_at IS NOT NEW.created_at BEGIN
    UPDATE accessrules_accessrule SET holder_created_at = (
    SELECT created_at FROM applications_application application
    WHERE application.subject_id = accessrules_accessrule.subject_id
    ) WHERE subject_id = NEW.subject_id;
    END;
CREATE TRIGGER application_gone AFTER DELETE ON applications_application BEGIN
    INSERT INTO applications_search_index (applications_search_index, rowid, text)
    SELECT 'delete', id, OLD.search_text FROM applications_search
    WHERE application_id = OLD.subject_id;
    UPDATE accessrules_accessrule SET holder_created_at = (
    SELECT created_at FROM applications_application application
    WHERE application.subject_id = accessrules_accessrule.subject_id
    ) WHERE subject_id = OLD.subject_id;
    DELETE FROM applications_search WHERE application_id = OLD.subject_id;
    END;
CREATE TRIGGER application_reworded AFTER UPDATE OF search_text ON applications_application
    WHEN OLD.search_text IS NOT NEW.search_text BEGIN
    INSERT INTO applications_search_index (applications_search_index, rowid, text)
    SELECT 'delete', id, OLD.search_text FROM applications_search
    WHERE application_id = OLD.subject_id;
    INSERT INTO applications_search_index (rowid, text)
    SELECT id, NEW.search_text FROM applications_search WHERE application_id = NEW.subject_id;
    END;
CREATE TRIGGER application_switched AFTER UPDATE OF enabled ON accessrules_subject
    WHEN OLD.enabled IS NOT NEW.enabled BEGIN
    UPDATE applications_application SET is_enabled = NEW.enabled WHERE subject_id = NEW.id;
    END;
CREATE TRIGGER application_gained_rule AFTER INSERT ON accessrules_accessrule BEGIN
    UPDATE applications_application
    SET first_rule = (
    SELECT role.name || ' in ' || scope.name FROM accessrules_accessrule rule
    JOIN accessrules_role role ON role.id = rule.role_id
    JOIN accessrules_scope scope ON scope.id = rule.scope_id
    WHERE rule.subject_id = applications_application.subject_id AND rule.deleted_at IS NULL AND scope.depth > 0
    ORDER BY rule.id LIMIT 1
    ) WHERE subject_id = NEW.subject_id;
    UPDATE accessrules_accessrule SET holder_created_at = (
    SELECT created_at FROM applications_application application
    WHERE application.subject_id = accessrules_accessrule.subject_id
    ) WHERE id = NEW.id;
    END;
CREATE TRIGGER application_took_over_rule AFTER UPDATE OF subject_id ON accessrules_accessrule BEGIN
    UPDATE accessrules_accessrule SET holder_created_at = (
    SELECT created_at FROM applications_application application
    WHERE application.subject_id = accessrules_accessrule.subject_id
    ) WHERE id = NEW.id;
    END;
CREATE TRIGGER application_changed_rule AFTER UPDATE OF deleted_at, subject_id, role_id, scope_id
    ON accessrules_accessrule BEGIN
    UPDATE applications_application
    SET first_rule = (
    SELECT role.name || ' in ' || scope.name FROM accessrules_accessrule rule
    JOIN accessrules_role role ON role.id = rule.role_id
    JOIN accessrules_scope scope ON scope.id = rule.scope_id
    WHERE rule.subject_id = applications_application.subject_id AND rule.deleted_at IS NULL AND scope.depth > 0
    ORDER BY rule.id LIMIT 1
    ) WHERE subject_id IN (OLD.subject_id, NEW.subject_id);
    END;
CREATE TRIGGER application_lost_rule AFTER DELETE ON accessrules_accessrule BEGIN
    UPDATE applications_application
    SET first_rule = (
    SELECT role.name || ' in ' || scope.name FROM accessrules_accessrule rule
    JOIN accessrules_role role ON role.id = rule.role_id
    JOIN accessrules_scope scope ON scope.id = rule.scope_id
    WHERE rule.subject_id = applications_application.subject_id AND rule.deleted_at IS NULL AND scope.depth > 0
    ORDER BY rule.id LIMIT 1
    ) WHERE subject_id = OLD.subject_id;
    END;
CREATE TRIGGER application_role_renamed AFTER UPDATE OF name ON accessrules_role
    WHEN OLD.name IS NOT NEW.name BEGIN
    UPDATE applications_application
    SET first_rule = (
    SELECT role.name || ' in ' || scope.name FROM accessrules_accessrule rule
    JOIN accessrules_role role ON role.id = rule.role_id
    JOIN accessrules_scope scope ON scope.id = rule.scope_id
    WHERE rule.subject_id = applications_application.subject_id AND rule.deleted_at IS NULL AND scope.depth > 0
    ORDER BY rule.id LIMIT 1
    ) WHERE subject_id IN (
    SELECT subject_id FROM accessrules_accessrule
    WHERE role_id = NEW.id AND deleted_at IS NULL
    );
    END;
CREATE TRIGGER application_scope_renamed AFTER UPDATE OF name ON accessrules_scope
    WHEN OLD.name IS NOT NEW.name BEGIN
    UPDATE applications_application
    SET first_rule = (
    SELECT role.name || ' in ' || scope.name FROM accessrules_accessrule rule
    JOIN accessrules_role role ON role.id = rule.role_id
    JOIN accessrules_scope scope ON scope.id = rule.scope_id
    WHERE rule.subject_id = applications_application.subject_id AND rule.deleted_at IS NULL AND scope.depth > 0
    ORDER BY rule.id LIMIT 1
    ) WHERE subject_id IN (
    SELECT subject_id FROM accessrules_accessrule
    WHERE scope_id = NEW.id AND deleted_at IS NULL
    );
    END;
