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
(1, 'accessrules', '0001_initial', '2026-11-29 18:23:23.461314'),
(2, 'accessrules', '0002_folded_names', '2026-11-29 18:23:23.510068'),
(3, 'accessrules', '0003_holders', '2026-11-29 18:23:23.604770'),
(4, 'accessrules', '0004_orders', '2026-11-29 18:23:23.800495'),
(5, 'accessrules', '0005_scope_in_role_index', '2026-11-29 18:23:23.835558'),
(6, 'accessrules', '0006_wider_indexes', '2026-11-29 18:23:23.937005'),
(7, 'accessrules', '0007_indexes_tell_more', '2026-11-29 18:23:24.148087'),
(8, 'accessrules', '0008_creation_of_holders', '2026-11-29 18:23:24.195085'),
(9, 'accounts', '0001_initial', '2026-11-29 18:23:24.206830'),
(10, 'accounts', '0002_temporary_passwords', '2026-11-29 18:23:24.345480'),
(11, 'accounts', '0003_groups', '2026-11-29 18:23:24.348762'),
(12, 'accounts', '0004_sign_in_networks', '2026-11-29 18:23:24.380741'),
(13, 'api', '0001_initial', '2026-11-29 18:23:24.396182'),
(14, 'api', '0002_idempotency_key', '2026-11-29 18:23:24.416177'),
(15, 'applications', '0001_initial', '2026-11-29 18:23:24.458602'),
(16, 'applications', '0002_token_life', '2026-11-29 18:23:24.630823'),
(17, 'applications', '0003_search_text', '2026-11-29 18:23:24.686150'),
(18, 'applications', '0004_orders', '2026-11-29 18:23:24.926410'),
(19, 'applications', '0005_search', '2026-11-29 18:23:24.960629'),
(20, 'applications', '0006_search_text_ends', '2026-11-29 18:23:24.984494'),
(21, 'applications', '0007_creation_in_indexes', '2026-11-29 18:23:25.081918'),
(22, 'applications', '0008_search_in_its_own_table', '2026-11-29 18:23:25.119172'),
(23, 'audit', '0001_initial', '2026-11-29 18:23:25.168371'),
(24, 'audit', '0002_seals', '2026-11-29 18:23:25.277098'),
(25, 'audit', '0003_guards', '2026-11-29 18:23:25.325719'),
(26, 'audit', '0004_indexes', '2026-11-29 18:23:25.399558'),
(27, 'audit', '0005_result_of_action', '2026-11-29 18:23:25.426103'),
(28, 'contenttypes', '0001_initial', '2026-11-29 18:23:25.450100'),
(29, 'contenttypes', '0002_remove_content_type_name', '2026-11-29 18:23:25.524271'),
(30, 'auth', '0001_initial', '2026-11-29 18:23:25.600373'),
(31, 'auth', '0002_alter_permission_name_max_length', '2026-11-29 18:23:25.617797'),
(32, 'auth', '0003_alter_user_email_max_length', '2026-11-29 18:23:25.631422'),
(33, 'auth', '0004_alter_user_username_opts', '2026-11-29 18:23:25.647528'),
(34, 'auth', '0005_alter_user_last_login_null', '2026-11-29 18:23:25.659577'),
(35, 'auth', '0006_require_contenttypes_0002', '2026-11-29 18:23:25.712453'),
(36, 'auth', '0007_alter_validators_add_error_messages', '2026-11-29 18:23:25.723642'),
(37, 'auth', '0008_alter_user_username_max_length', '2026-11-29 18:23:25.771501'),
(38, 'auth', '0009_alter_user_last_name_max_length', '2026-11-29 18:23:25.795577'),
(39, 'auth', '0010_alter_group_name_max_length', '2026-11-29 18:23:25.848097'),
(40, 'auth', '0011_update_proxy_permissions', '2026-11-29 18:23:25.914452'),
(41, 'auth', '0012_alter_user_first_name_max_length', '2026-11-29 18:23:25.936824'),
(42, 'sessions', '0001_initial', '2026-11-29 18:23:25.992361'),
(43, 'ui', '0001_table_preference', '2026-11-29 18:23:26.036344');
INSERT INTO "accessrules_role" VALUES
(1, 'System administrator', 'Runs the whole platform: organization structure, hardware, people, applications, access rules and general settings. Give it to very few people.', 1, '{"department": "crud", "project": "crud", "cluster": "crud", "cluster-config": "crud", "nodepools": "crud", "settings": "crud", "users": "crud", "groups": "crud", "apps": "crud", "access_rules": "crud", "jobs": "crud", "workloads": "crud", "workspaces": "crud", "trainings": "crud", "inferences": "crud", "environments": "crud", "pvc-assets": "crud", "git-assets": "crud", "host-path-assets": "crud", "nfs-assets": "crud", "s3-assets": "crud", "cm-volume-assets": "crud", "secret-volume-assets": "crud", "compute-resources": "crud", "templates": "crud", "credentials": "crud", "policies": "crud", "datavolumes": "crud", "datavolumes/sharedscopes": "crud", "storage-class-configuration": "crud", "personal-apps": "rd", "tenant": "r", "nodes": "r", "roles": "r", "dashboards-overview": "r", "dashboards-analytics": "r", "dashboards-consumption": "r", "events-history": "r"}', 'Run:ai', '2026-11-29 18:23:26.439032', '2026-11-29 18:23:26.439039'),
(3, 'Editor', 'Maintains departments and projects with their workloads and assets in the granted scope and may manage access rules there; sees the dashboards.', 1, '{"department": "crud", "project": "crud", "access_rules": "crud", "jobs": "crud", "workloads": "crud", "workspaces": "crud", "trainings": "crud", "environments": "crud", "pvc-assets": "crud", "git-assets": "crud", "host-path-assets": "crud", "nfs-assets": "crud", "s3-assets": "crud", "cm-volume-assets": "crud", "secret-volume-assets": "crud", "compute-resources": "crud", "templates": "crud", "credentials": "crud", "policies": "crud", "datavolumes": "crud", "datavolumes/sharedscopes": "crud", "tenant": "r", "cluster": "r", "nodepools": "r", "nodes": "r", "users": "r", "groups": "r", "apps": "r", "roles": "r", "dashboards-overview": "r", "dashboards-analytics": "r", "dashboards-consumption": "r", "inferences": "r", "storage-class-configuration": "r"}', 'Run:ai', '2026-11-29 18:23:26.452915', '2026-11-29 18:23:26.452918'),
(5, 'L1 researcher', 'Submits and manages workloads in the granted projects and also creates the workload assets they use; sees the dashboards.', 1, '{"jobs": "crud", "workloads": "crud", "workspaces": "crud", "trainings": "crud", "environments": "crud", "pvc-assets": "crud", "git-assets": "crud", "host-path-assets": "crud", "nfs-assets": "crud", "s3-assets": "crud", "cm-volume-assets": "crud", "secret-volume-assets": "crud", "compute-resources": "crud", "templates": "crud", "credentials": "crud", "datavolumes": "crud", "tenant": "r", "project": "r", "cluster": "r", "nodepools": "r", "dashboards-overview": "r", "dashboards-analytics": "r", "dashboards-consumption": "r", "inferences": "r", "policies": "r", "storage-class-configuration": "r"}', 'Run:ai', '2026-11-29 18:23:26.453852', '2026-11-29 18:23:26.453854'),
(7, 'Viewer', 'Looks at departments, projects and everything under them, and at the dashboards; changes nothing.', 1, '{"tenant": "r", "department": "r", "project": "r", "cluster": "r", "nodepools": "r", "nodes": "r", "dashboards-overview": "r", "dashboards-analytics": "r", "dashboards-consumption": "r", "jobs": "r", "workloads": "r", "workspaces": "r", "trainings": "r", "inferences": "r", "environments": "r", "pvc-assets": "r", "git-assets": "r", "host-path-assets": "r", "nfs-assets": "r", "s3-assets": "r", "cm-volume-assets": "r", "secret-volume-assets": "r", "compute-resources": "r", "templates": "r", "credentials": "r", "policies": "r", "datavolumes": "r", "storage-class-configuration": "r"}', 'Run:ai', '2026-11-29 18:23:26.454935', '2026-11-29 18:23:26.454937');
INSERT INTO "accessrules_scope" VALUES
(1, 'system', 'system', 'system', '', 0, '0000000000000000', 'system', '2026-11-29 18:23:26.463699', '2026-11-29 18:23:26.463702', NULL),
(2, 'tenant', '1001', 'acme', 'system', 1, '00000000000000000000000000000001', 'system', '2026-11-29 18:23:26.473038', '2026-11-29 18:23:26.473044', 1),
(3, 'cluster', 'e868391a-0b62-413a-a7be-56b2e767693b', 'east', 'tenant', 2, '000000000000000000000000000000018889713860080173', 'maker@acme.example', '2026-11-29 18:23:26.654208', '2026-11-29 18:23:26.654213', 2),
(4, 'department', '5ba5c4a8-a1cc-494b-9ef3-d89dbefabee2', 'Zürich', 'cluster', 3, '0000000000000000000000000000000188897138600801733250480053618483', 'maker@acme.example', '2026-11-29 18:23:26.660440', '2026-11-29 18:23:26.660445', 3),
(5, 'department', 'add8a96c-6845-442d-878c-09e62948afcb', 'Zürich', 'cluster', 3, '0000000000000000000000000000000188897138600801733852170594541131', 'maker@acme.example', '2026-11-29 18:23:26.670400', '2026-11-29 18:23:26.670407', 3),
(6, 'department', '341ed3c9-8f74-4001-98da-315eca5312b4', 'vision', 'cluster', 3, '0000000000000000000000000000000188897138600801739448440960913606', 'maker@acme.example', '2026-11-29 18:23:26.684257', '2026-11-29 18:23:26.684264', 3),
(7, 'project', '803343da-e95e-4557-b7c6-e7b32476e3cc', 'vision-train', 'department', 4, '00000000000000000000000000000001888971386008017394484409609136065072320743686193', 'maker@acme.example', '2026-11-29 18:23:26.692333', '2026-11-29 18:23:26.692339', 6);
INSERT INTO "accessrules_groupmembership" VALUES
(1, '059ef625bde24629a0fe11e6207a3804', '102ace0b6b9244bb9dfbc00cb50d8152'),
(2, '059ef625bde24629a0fe11e6207a3804', 'be53aad8d9424fef9205ccc15a1710d1');
INSERT INTO "accessrules_subject" VALUES
('102ace0b6b9244bb9dfbc00cb50d8152', 'user', 'ada@acme.example', 1, NULL, 'ada@acme.example'),
('be53aad8d9424fef9205ccc15a1710d1', 'user', 'rosa@İstanbul.example', 1, NULL, 'rosa@i̇stanbul.example'),
('059ef625bde24629a0fe11e6207a3804', 'group', 'Zürich', 1, NULL, 'zürich'),
('27b57f8c8fd0459386c03337d8cb3179', 'group', 'Zürich', 1, NULL, 'zürich'),
('4b6d380ea7404089afd1c7d4971c234e', 'group', 'TEAM', 0, '2026-11-29 18:23:27.244108', 'team'),
('fe384e9af02a4ac3a74941561c4dff99', 'group', 'ＴＥＡＭ', 1, NULL, 'ｔｅａｍ'),
('f3e50f21b7e24654a93d6d42d3583f07', 'app', 'nightly', 1, NULL, 'nightly'),
('eb43c8132b97439083ac459d9c37b2c0', 'app', 'idle', 0, NULL, 'idle'),
('abe1214ac79c4ccf91a5aa7d67c9468f', 'app', 'crawl', 1, NULL, 'crawl'),
('cd45ff6d54ea4362a0887a79eff0e886', 'app', 'retired-one', 0, '2026-11-29 18:23:27.600377', 'retired-one');
INSERT INTO "accessrules_accessrule" VALUES
(1, 'maker@acme.example', '2026-11-29 18:23:27.058568', '2026-11-29 18:23:27.058574', NULL, 1, 2, 'System administrator', 'acme', 'ada@acme.example', 'user', '102ace0b6b9244bb9dfbc00cb50d8152', NULL),
(2, 'maker@acme.example', '2026-11-29 18:23:27.096083', '2026-11-29 18:23:27.096088', NULL, 7, 3, 'Viewer', 'east', 'rosa@i̇stanbul.example', 'user', 'be53aad8d9424fef9205ccc15a1710d1', NULL),
(3, 'maker@acme.example', '2026-11-29 18:23:27.261943', '2026-11-29 18:23:27.261949', NULL, 7, 6, 'Viewer', 'vision', 'zürich', 'group', '059ef625bde24629a0fe11e6207a3804', NULL),
(4, 'maker@acme.example', '2026-11-29 18:23:27.287246', '2026-11-29 18:23:27.287252', NULL, 3, 3, 'Editor', 'east', 'ｔｅａｍ', 'group', 'fe384e9af02a4ac3a74941561c4dff99', NULL),
(5, 'maker@acme.example', '2026-11-29 18:23:27.440959', '2026-11-29 18:23:27.440965', NULL, 5, 3, 'L1 researcher', 'east', 'nightly', 'app', 'f3e50f21b7e24654a93d6d42d3583f07', '2026-11-29 18:23:27.428489'),
(6, 'maker@acme.example', '2026-11-29 18:23:27.453217', '2026-11-29 18:23:27.453222', NULL, 7, 6, 'Viewer', 'vision', 'nightly', 'app', 'f3e50f21b7e24654a93d6d42d3583f07', '2026-11-29 18:23:27.428489'),
(7, 'maker@acme.example', '2026-11-29 18:23:27.530021', '2026-11-29 18:23:27.530026', NULL, 7, 3, 'Viewer', 'east', 'crawl', 'app', 'abe1214ac79c4ccf91a5aa7d67c9468f', '2026-11-29 18:23:27.520304'),
(8, 'maker@acme.example', '2026-11-29 18:23:27.541135', '2026-11-29 18:23:27.541140', '2026-11-29 18:23:27.548274', 3, 3, 'Editor', 'east', 'nightly', 'app', 'f3e50f21b7e24654a93d6d42d3583f07', '2026-11-29 18:23:27.428489');
INSERT INTO "accounts_user" VALUES
('argon2$argon2id$v=19$m=19456,t=2,p=1$T1hFYnk0OWpSeWtXUjU5RFlVQU1yOQ$yxJyfLjSIdHbsXxMq8cyF/hIgc0zWYoupSNI9uuPIo0', NULL, '102ace0b6b9244bb9dfbc00cb50d8152', 'ada@acme.example', 'maker@acme.example', '2026-11-29 18:23:26.720328', 'ada@acme.example
maker@acme.example', 'f82866e7a5204ec0ac575f2686c01876', NULL, NULL, '2026-11-29 18:23:26.720335'),
('!XjDLiYGjM7GTZocWpafU8JjdKb5BRhTqPrmmIm0U', NULL, 'be53aad8d9424fef9205ccc15a1710d1', 'rosa@İstanbul.example', 'maker@acme.example', '2026-11-29 18:23:27.085589', 'rosa@i̇stanbul.example
maker@acme.example', '29b50858db3a4001b38e067701a07226', 'f383ec5ee5314995a5121b7735ac56a4', '2026-12-02 18:23:27.116756', '2026-11-29 18:23:27.085598');
INSERT INTO "accounts_signinnetwork" VALUES
(1, '192.0.2.1', '2026-11-29 18:23:27.140144', '102ace0b6b9244bb9dfbc00cb50d8152');
INSERT INTO "api_attemptcount" VALUES
('kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk', 3, '2026-11-29 18:23:27.620239');
INSERT INTO "api_idempotencykey" VALUES
(1, '102ace0b6b9244bb9dfbc00cb50d8152', 'once-only', 'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff', 'f3e50f21-b7e2-4654-a93d-6d42d3583f07', '2026-11-29 18:23:27.608274');
INSERT INTO "applications_revokedtoken" VALUES
('365056533e2747de87a97867e5ed48c7', '2026-11-29 18:23:27.644437');
INSERT INTO "applications_signingkey" VALUES
('8sC_iotPUy0wAt4NJyTqmuQE-ws3mt5BjA9Tb2Y8ZQg', X'67414141414142724447326766653339545447476E376356365451575A584D735144756B4F7861334634796279674250306439732D6C646F6E51744154444956456F446D4C5154795F5059417A6476354C437A3642706D706A4948426B74593663713771442D306E764369555130636A2D4A4B55646775474A52727568346F65716376793030357465455447345A4E354B73762D625854334336455F325465386773314954576D5F514C3147305F66705236656F744D6A4630763575686E51652D7A756F6737454537734B4946357A4B416233555A3839376C4B6459554736545853346E4F5F314245464F44585F344B6D357141717461625F7438496C68715A515767456969475377732D744468795F496F615A655138313774516F49796E5251306B62626B774756724E703345684E5A49574D735035307A363557336B5556494D704F595856795A587854334375524542432D5951756552775F5F5A4E78743551306C715734426E3863635957696970656E4B6C355332696C304741547257776472526D417667646C78433275644A7A5F6B7A384F414C4C504F66364A75374F513D3D', '{"kty": "EC", "crv": "P-256", "x": "cM55Q3m2DWEvc-vEIbrM-FMjBAr8LxxAgE-e5J4frS4", "y": "Nsrni_nqXir8TQq-_X8iGO4XyFje2y-KX0sGyjWRbRc", "kid": "8sC_iotPUy0wAt4NJyTqmuQE-ws3mt5BjA9Tb2Y8ZQg", "use": "sig", "alg": "ES256"}', '2026-11-29 18:23:28.000519', '2026-11-29 18:23:27.998808');
INSERT INTO "applications_application" VALUES
('f3e50f21b7e24654a93d6d42d3583f07', '$argon2id$v=19$m=19456,t=2,p=1$8rJd+xRpX+ughVim9290lQ$hdlyQC0VvQWbdnDjBUOJ+/sl4JVFXEHjAGrLF90mSV4', 'a8414dc24faf4853a6bbdac23fb036b4', NULL, 'maker@acme.example', '2026-11-29 18:23:27.428489', NULL, NULL, 'nightly
maker@acme.example
', 'L1 researcher in east', 1, '2026-11-29 18:23:27.428498'),
('eb43c8132b97439083ac459d9c37b2c0', '', '1c96fe40963b4f2a9939e12c8d4947ad', NULL, 'maker@acme.example', '2026-11-29 18:23:27.480225', NULL, NULL, 'idle
maker@acme.example
', NULL, 0, '2026-11-29 18:23:27.480233'),
('abe1214ac79c4ccf91a5aa7d67c9468f', '', 'dbd81abb45b04c0f8478d80e82f151c7', NULL, 'rosa@İstanbul.example', '2026-11-29 18:23:27.520304', '2026-11-29 18:23:27.520169', 60, 'crawl
rosa@i̇stanbul.example
', 'Viewer in east', 1, '2026-11-29 18:23:27.520308');
INSERT INTO "applications_search" VALUES
(1, 'f3e50f21b7e24654a93d6d42d3583f07'),
(2, 'eb43c8132b97439083ac459d9c37b2c0'),
(3, 'abe1214ac79c4ccf91a5aa7d67c9468f');
INSERT INTO "audit_archive" VALUES
(1, 1, 2, 'f7c91340d6792773518f33d2803a6f980e77104da6e6e793228d7689c16ede91', 'audit-000000000001-000000000001.jsonl', '43b4faf54a621ee5e91c1b58cb88d7e853af287cc56a10946cc36dc406d72d40', '2026-11-29 18:23:28.092679', 'e6f76142ce17d6e4', '5b4f567f1da04cbb5086982fe9c7111d91906b6632382454922b2a9e12622732');
INSERT INTO "audit_seal" VALUES
(2, '2026-11-29 18:23:28.150217', '2026-11-29 18:23:28.136175', '3-5', 'f7c91340d6792773518f33d2803a6f980e77104da6e6e793228d7689c16ede91', '1e84e4fd010e6cda4d165227fe40c2056de5b4ef9f98eff725c5e1cb1d73d4d5', 'e6f76142ce17d6e4', 'da66be48c39d621b622328d0a0dd124b00d9be6454ad518934b22fda16bd3018');
INSERT INTO "audit_unsealed" VALUES
(6);
INSERT INTO "audit_auditevent" VALUES
(3, '2026-11-29 18:23:28.093177', 'system', 'system', 'archive', 'audit', '1', 'audit-000000000001-000000000001.jsonl', 'Succeeded', '', '{"events": [2, 0]}', NULL, '', '', NULL, NULL, '6e9d031cb056941cb6b9dc2cb7dce4f592a7a11c678aff5207fc333c328caaa0', NULL),
(4, '2026-11-29 18:23:28.124233', 'user', 'ada@acme.example', 'create', 'application', 'f3e50f21-b7e2-4654-a93d-6d42d3583f07', 'nightly', 'Succeeded', '', '{"name": ["", "nightly"]}', '192.0.2.1', 'POST', '/applications/new', 'fe2365318f484a968193df09e94ff47c', NULL, '27f0755c0657d14d9b9b07f9034633c6ff19bb0ece90d23378539ff9647f0540', '102ace0b6b9244bb9dfbc00cb50d8152'),
(5, '2026-11-29 18:23:28.136175', 'app', 'nightly', 'sign-in', 'application', '', 'nightly', 'Failed', 'wrong secret', '{}', NULL, '', '', NULL, 'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd', '6fc7ef713525012d77f25d13a7bfecdd8c8126da29678f33ba1e552a3ded5cf9', NULL),
(6, '2026-11-29 18:23:28.164556', 'user', 'ada@acme.example', 'delete', 'access rule', '8', 'nightly', 'Succeeded', '', '{}', NULL, '', '', NULL, NULL, '5d8e3a33909a8501df99746991fbd05a9a1e27b825058c7a664328e42ba72e20', '102ace0b6b9244bb9dfbc00cb50d8152');
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
('92ph08xy3tq8kbuqsj7e2sc55676p1xv', 'eyJhIjoiYiJ9:1xXjYe:ZAkZV3fN2nvk-hMz0XcA7AWMCRqKKetqzo3r9qNr-HY', '2026-11-30 06:23:28.018294');
INSERT INTO "ui_tablepreference" VALUES
(1, 'applications', '["name", "status"]', 50, 'compact', '102ace0b6b9244bb9dfbc00cb50d8152');
INSERT INTO applications_search_index (rowid, text)
    SELECT id, search_text FROM applications_search JOIN applications_application ON subject_id = application_id;
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES ('accessrules_scope', 8);
INSERT INTO sqlite_sequence VALUES ('accessrules_groupmembership', 3);
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
