-- A database of the first release (PostgreSQL); its secret key is in tests/operations/test_upgrade.py. Never edited.
SET check_function_bodies = false;
CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;
CREATE FUNCTION public.access_rule_copies() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
        BEGIN NEW.subject_type := (SELECT type FROM accessrules_subject WHERE id = NEW.subject_id); NEW.subject_name := (SELECT folded_name FROM accessrules_subject WHERE id = NEW.subject_id); NEW.role_name := (SELECT name FROM accessrules_role WHERE id = NEW.role_id); NEW.scope_name := (SELECT name FROM accessrules_scope WHERE id = NEW.scope_id); RETURN NEW; END $$;
CREATE FUNCTION public.access_rule_role_name_changed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
        BEGIN UPDATE accessrules_accessrule SET role_name = NEW.name WHERE role_id = NEW.id; RETURN NEW; END $$;
CREATE FUNCTION public.access_rule_scope_name_changed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
        BEGIN UPDATE accessrules_accessrule SET scope_name = NEW.name WHERE scope_id = NEW.id; RETURN NEW; END $$;
CREATE FUNCTION public.access_rule_subject_name_changed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
        BEGIN UPDATE accessrules_accessrule SET subject_name = NEW.folded_name WHERE subject_id = NEW.id; RETURN NEW; END $$;
CREATE FUNCTION public.access_rule_subject_type_changed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
        BEGIN UPDATE accessrules_accessrule SET subject_type = NEW.type WHERE subject_id = NEW.id; RETURN NEW; END $$;
CREATE FUNCTION public.application_dated() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
         BEGIN 
        IF TG_OP = 'INSERT' OR OLD.created_at IS DISTINCT FROM NEW.created_at THEN
            
    UPDATE accessrules_accessrule SET holder_created_at = NEW.created_at WHERE subject_id = NEW.subject_id;
        END IF;
         RETURN NEW; END $$;
CREATE FUNCTION public.application_gone() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
         BEGIN 
    UPDATE accessrules_accessrule SET holder_created_at = NULL WHERE subject_id = OLD.subject_id;
 RETURN NEW; END $$;
CREATE FUNCTION public.application_made() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
         BEGIN 
        NEW.is_enabled := (SELECT enabled FROM accessrules_subject WHERE id = NEW.subject_id);
        NEW.first_rule := (
    SELECT role.name || ' in ' || scope.name FROM accessrules_accessrule rule
    JOIN accessrules_role role ON role.id = rule.role_id
    JOIN accessrules_scope scope ON scope.id = rule.scope_id
    WHERE rule.subject_id = NEW.subject_id AND rule.deleted_at IS NULL AND scope.depth > 0
    ORDER BY rule.id LIMIT 1
);
         RETURN NEW; END $$;
CREATE FUNCTION public.application_role_renamed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
        DECLARE subjects uuid[]; BEGIN 
            subjects := ARRAY(
                SELECT subject_id FROM accessrules_accessrule
                WHERE role_id = NEW.id AND deleted_at IS NULL
            );
            
    PERFORM 1 FROM applications_application application
        WHERE application.subject_id = ANY (subjects) ORDER BY subject_id FOR UPDATE;
    UPDATE applications_application application SET first_rule = (
    SELECT role.name || ' in ' || scope.name FROM accessrules_accessrule rule
    JOIN accessrules_role role ON role.id = rule.role_id
    JOIN accessrules_scope scope ON scope.id = rule.scope_id
    WHERE rule.subject_id = application.subject_id AND rule.deleted_at IS NULL AND scope.depth > 0
    ORDER BY rule.id LIMIT 1
)
        WHERE application.subject_id = ANY (subjects);
             RETURN NEW; END $$;
CREATE FUNCTION public.application_rule_dated() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
         BEGIN NEW.holder_created_at := (SELECT created_at FROM applications_application WHERE subject_id = NEW.subject_id); RETURN NEW; END $$;
CREATE FUNCTION public.application_rules_changed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
        DECLARE subjects uuid[]; BEGIN 
        subjects := array_remove(ARRAY[
            CASE WHEN TG_OP <> 'INSERT' THEN OLD.subject_id END,
            CASE WHEN TG_OP <> 'DELETE' THEN NEW.subject_id END
        ], NULL);
        
    PERFORM 1 FROM applications_application application
        WHERE application.subject_id = ANY (subjects) ORDER BY subject_id FOR UPDATE;
    UPDATE applications_application application SET first_rule = (
    SELECT role.name || ' in ' || scope.name FROM accessrules_accessrule rule
    JOIN accessrules_role role ON role.id = rule.role_id
    JOIN accessrules_scope scope ON scope.id = rule.scope_id
    WHERE rule.subject_id = application.subject_id AND rule.deleted_at IS NULL AND scope.depth > 0
    ORDER BY rule.id LIMIT 1
)
        WHERE application.subject_id = ANY (subjects);
        IF TG_OP <> 'DELETE' THEN
            -- Dated before without a lock; nobody else dates it, or its application, by now.
            UPDATE accessrules_accessrule SET holder_created_at = (SELECT created_at FROM applications_application WHERE subject_id = NEW.subject_id)
                WHERE id = NEW.id AND holder_created_at IS DISTINCT FROM (SELECT created_at FROM applications_application WHERE subject_id = NEW.subject_id);
        END IF;
         RETURN NEW; END $$;
CREATE FUNCTION public.application_scope_renamed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
        DECLARE subjects uuid[]; BEGIN 
            subjects := ARRAY(
                SELECT subject_id FROM accessrules_accessrule
                WHERE scope_id = NEW.id AND deleted_at IS NULL
            );
            
    PERFORM 1 FROM applications_application application
        WHERE application.subject_id = ANY (subjects) ORDER BY subject_id FOR UPDATE;
    UPDATE applications_application application SET first_rule = (
    SELECT role.name || ' in ' || scope.name FROM accessrules_accessrule rule
    JOIN accessrules_role role ON role.id = rule.role_id
    JOIN accessrules_scope scope ON scope.id = rule.scope_id
    WHERE rule.subject_id = application.subject_id AND rule.deleted_at IS NULL AND scope.depth > 0
    ORDER BY rule.id LIMIT 1
)
        WHERE application.subject_id = ANY (subjects);
             RETURN NEW; END $$;
CREATE FUNCTION public.application_switched() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
         BEGIN 
        UPDATE applications_application SET is_enabled = NEW.enabled WHERE subject_id = NEW.id;
         RETURN NEW; END $$;
CREATE FUNCTION public.application_worded() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
         BEGIN 
        IF TG_OP = 'UPDATE' AND NEW.subject_id = OLD.subject_id AND NEW.search_text = OLD.search_text
            THEN RETURN NEW;
        END IF;
        IF TG_OP <> 'INSERT' THEN
            DELETE FROM applications_search WHERE application_id = OLD.subject_id;
        END IF;
        IF TG_OP <> 'DELETE' THEN
            INSERT INTO applications_search VALUES (NEW.subject_id, NEW.search_text)
                ON CONFLICT (application_id) DO UPDATE SET text = EXCLUDED.text;
        END IF;
         RETURN NEW; END $$;
CREATE FUNCTION public.applications_emptied() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
         BEGIN 
        DELETE FROM applications_search;
        UPDATE accessrules_accessrule SET holder_created_at = NULL
            WHERE holder_created_at IS NOT NULL;
         RETURN NEW; END $$;
CREATE FUNCTION public.audit_event_leaves() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
        BEGIN
            IF EXISTS (SELECT 1 FROM audit_leaving WHERE event_id = OLD.id) THEN
                RETURN OLD;
            END IF;
            RAISE EXCEPTION 'The audit record is only ever added to.'
                USING ERRCODE = 'integrity_constraint_violation';
        END $$;
CREATE FUNCTION public.audit_note_new() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
        BEGIN
            INSERT INTO audit_unsealed (event_id) SELECT id FROM added;
            RETURN NULL;
        END $$;
CREATE FUNCTION public.audit_refuse() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
        BEGIN
            RAISE EXCEPTION 'The audit record is only ever added to.'
                USING ERRCODE = 'integrity_constraint_violation';
        END $$;
CREATE FUNCTION public.audit_seal_leaves() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
        BEGIN
            IF EXISTS (SELECT 1 FROM audit_archive WHERE last_seal >= OLD.number) THEN
                RETURN OLD;
            END IF;
            RAISE EXCEPTION 'The audit record is only ever added to.'
                USING ERRCODE = 'integrity_constraint_violation';
        END $$;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.accessrules_accessrule (
    id bigint NOT NULL,
    created_by character varying(255) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    deleted_at timestamp with time zone,
    role_id integer NOT NULL,
    scope_id bigint NOT NULL,
    subject_id uuid NOT NULL,
    role_name text DEFAULT ''::text NOT NULL,
    scope_name text DEFAULT ''::text NOT NULL,
    subject_name text DEFAULT ''::text NOT NULL,
    subject_type character varying(8) DEFAULT ''::character varying NOT NULL,
    holder_created_at timestamp with time zone,
    CONSTRAINT access_rule_deleted_after_created CHECK (((deleted_at IS NULL) OR (deleted_at >= created_at)))
);
ALTER TABLE public.accessrules_accessrule ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.accessrules_accessrule_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.accessrules_groupmembership (
    id bigint NOT NULL,
    group_id uuid NOT NULL,
    member_id uuid NOT NULL,
    CONSTRAINT membership_not_of_itself CHECK ((NOT (group_id = member_id)))
);
ALTER TABLE public.accessrules_groupmembership ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.accessrules_groupmembership_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.accessrules_role (
    id integer NOT NULL,
    name character varying(100) NOT NULL,
    description text NOT NULL,
    assignable boolean NOT NULL,
    permissions jsonb NOT NULL,
    created_by character varying(255) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT accessrules_role_id_check CHECK ((id >= 0))
);
CREATE TABLE public.accessrules_scope (
    id bigint NOT NULL,
    type character varying(16) NOT NULL,
    uid character varying(64) NOT NULL,
    name character varying(255) NOT NULL,
    parent_type character varying(16) NOT NULL,
    depth smallint NOT NULL,
    path character varying(80) NOT NULL,
    created_by character varying(255) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    parent_id bigint,
    CONSTRAINT accessrules_scope_depth_check CHECK ((depth >= 0)),
    CONSTRAINT scope_path_is_as_long_as_deep CHECK ((length((path)::text) = ((depth + 1) * 16))),
    CONSTRAINT scope_stands_below_its_parent_type CHECK ((((depth = 0) AND (parent_id IS NULL) AND ((parent_type)::text = ''::text) AND ((type)::text = 'system'::text)) OR ((depth = 1) AND (parent_id IS NOT NULL) AND ((parent_type)::text = 'system'::text) AND ((type)::text = 'tenant'::text)) OR ((depth = 2) AND (parent_id IS NOT NULL) AND ((parent_type)::text = 'tenant'::text) AND ((type)::text = 'cluster'::text)) OR ((depth = 3) AND (parent_id IS NOT NULL) AND ((parent_type)::text = 'cluster'::text) AND ((type)::text = 'department'::text)) OR ((depth = 4) AND (parent_id IS NOT NULL) AND ((parent_type)::text = 'department'::text) AND ((type)::text = 'project'::text))))
);
ALTER TABLE public.accessrules_scope ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.accessrules_scope_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.accessrules_subject (
    id uuid NOT NULL,
    type character varying(8) NOT NULL,
    name character varying(255) NOT NULL,
    enabled boolean NOT NULL,
    retired_at timestamp with time zone,
    folded_name text NOT NULL,
    CONSTRAINT subject_named CHECK ((length((name)::text) >= 1)),
    CONSTRAINT subject_retired_is_disabled CHECK (((retired_at IS NULL) OR (NOT enabled))),
    CONSTRAINT subject_type_known CHECK ((type IN ('user', 'app', 'group')))
);
CREATE TABLE public.accounts_signinnetwork (
    id bigint NOT NULL,
    network character varying(43) NOT NULL,
    last_seen timestamp with time zone NOT NULL,
    user_id uuid NOT NULL
);
ALTER TABLE public.accounts_signinnetwork ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.accounts_signinnetwork_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.accounts_user (
    password character varying(128) NOT NULL,
    last_login timestamp with time zone,
    subject_id uuid NOT NULL,
    email character varying(255) NOT NULL,
    created_by character varying(255) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    search_text text NOT NULL,
    sessions_id uuid NOT NULL,
    submission uuid,
    temporary_until timestamp with time zone
);
CREATE TABLE public.api_attemptcount (
    key character varying(64) NOT NULL,
    count integer NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT api_attemptcount_count_check CHECK ((count >= 0))
);
CREATE TABLE public.api_idempotencykey (
    id bigint NOT NULL,
    caller uuid NOT NULL,
    key character varying(255) NOT NULL,
    fingerprint character varying(64) NOT NULL,
    made_id character varying(64) NOT NULL,
    created_at timestamp with time zone NOT NULL
);
ALTER TABLE public.api_idempotencykey ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.api_idempotencykey_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.applications_application (
    subject_id uuid NOT NULL,
    secret_hash character varying(128) NOT NULL,
    credential_id uuid NOT NULL,
    submission uuid,
    created_by character varying(255) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    last_login timestamp with time zone,
    token_lifetime integer,
    search_text text NOT NULL,
    first_rule text,
    is_enabled boolean NOT NULL,
    CONSTRAINT application_secret_only_as_argon2id CHECK ((((secret_hash)::text = ''::text) OR ((secret_hash)::text ~~ '$argon2id$%'::text))),
    CONSTRAINT applications_application_token_lifetime_check CHECK ((token_lifetime >= 0))
);
CREATE TABLE public.applications_revokedtoken (
    jti uuid NOT NULL,
    expires_at timestamp with time zone NOT NULL
);
CREATE TABLE public.applications_search (
    application_id uuid NOT NULL,
    text text NOT NULL
);
CREATE TABLE public.applications_signingkey (
    kid character varying(64) NOT NULL,
    encrypted_private_key bytea NOT NULL,
    public_jwk jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL,
    signs_from timestamp with time zone NOT NULL
);
CREATE TABLE public.audit_archive (
    first_seal bigint NOT NULL,
    last_seal bigint NOT NULL,
    events bigint NOT NULL,
    head character varying(64) NOT NULL,
    file_name character varying(255) NOT NULL,
    file_sha256 character varying(64) NOT NULL,
    made_at timestamp with time zone NOT NULL,
    key_id character varying(16) NOT NULL,
    hash character varying(64) NOT NULL
);
CREATE TABLE public.audit_auditevent (
    id bigint NOT NULL,
    "time" timestamp with time zone NOT NULL,
    subject_type character varying(16) NOT NULL,
    subject_id uuid,
    subject_name character varying(255) NOT NULL,
    action character varying(32) NOT NULL,
    entity_type character varying(32) NOT NULL,
    entity_id character varying(64) NOT NULL,
    entity_name character varying(600) NOT NULL,
    result character varying(16) NOT NULL,
    reason character varying(600) NOT NULL,
    changes jsonb NOT NULL,
    source_ip inet,
    http_method character varying(8) NOT NULL,
    path character varying(600) NOT NULL,
    request_id uuid,
    once_key character varying(64),
    tag character varying(64) DEFAULT ''::character varying NOT NULL,
    CONSTRAINT audit_result_known CHECK ((result IN ('Succeeded', 'Failed')))
);
ALTER TABLE public.audit_auditevent ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.audit_auditevent_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.audit_leaving (
    event_id bigint NOT NULL
);
CREATE TABLE public.audit_seal (
    number bigint NOT NULL,
    sealed_at timestamp with time zone NOT NULL,
    newest timestamp with time zone NOT NULL,
    event_ids text NOT NULL,
    previous character varying(64) NOT NULL,
    digest character varying(64) NOT NULL,
    key_id character varying(16) NOT NULL,
    hash character varying(64) NOT NULL
);
CREATE TABLE public.audit_unsealed (
    event_id bigint NOT NULL
);
CREATE TABLE public.auth_group (
    id integer NOT NULL,
    name character varying(150) NOT NULL
);
ALTER TABLE public.auth_group ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.auth_group_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.auth_group_permissions (
    id bigint NOT NULL,
    group_id integer NOT NULL,
    permission_id integer NOT NULL
);
ALTER TABLE public.auth_group_permissions ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.auth_group_permissions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.auth_permission (
    id integer NOT NULL,
    name character varying(255) NOT NULL,
    content_type_id integer NOT NULL,
    codename character varying(100) NOT NULL
);
ALTER TABLE public.auth_permission ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.auth_permission_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.django_content_type (
    id integer NOT NULL,
    app_label character varying(100) NOT NULL,
    model character varying(100) NOT NULL
);
ALTER TABLE public.django_content_type ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.django_content_type_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.django_migrations (
    id bigint NOT NULL,
    app character varying(255) NOT NULL,
    name character varying(255) NOT NULL,
    applied timestamp with time zone NOT NULL
);
ALTER TABLE public.django_migrations ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.django_migrations_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.django_session (
    session_key character varying(40) NOT NULL,
    session_data text NOT NULL,
    expire_date timestamp with time zone NOT NULL
);
CREATE TABLE public.ui_tablepreference (
    id bigint NOT NULL,
    "table" character varying(40) NOT NULL,
    columns jsonb NOT NULL,
    page_size smallint NOT NULL,
    density character varying(12) NOT NULL,
    person_id uuid NOT NULL,
    CONSTRAINT table_preference_density_known CHECK ((density IN ('comfortable', 'compact'))),
    CONSTRAINT table_preference_page_size_known CHECK ((page_size = ANY (ARRAY[20, 50, 100]))),
    CONSTRAINT ui_tablepreference_page_size_check CHECK ((page_size >= 0))
);
ALTER TABLE public.ui_tablepreference ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.ui_tablepreference_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
INSERT INTO public.accessrules_accessrule VALUES
	(1, 'maker@acme.example', '2026-11-29 18:23:39.748491+00', '2026-11-29 18:23:39.748497+00', NULL, 1, 2, '8ee113f6-91d2-4605-b5c1-daa9a4daa1e9', 'System administrator', 'acme', 'ada@acme.example', 'user', NULL),
	(2, 'maker@acme.example', '2026-11-29 18:23:39.762139+00', '2026-11-29 18:23:39.762143+00', NULL, 7, 3, '0f6a133b-243c-46e6-8a02-5b305f36bc5c', 'Viewer', 'east', 'rosa@i̇stanbul.example', 'user', NULL),
	(3, 'maker@acme.example', '2026-11-29 18:23:39.794997+00', '2026-11-29 18:23:39.795002+00', NULL, 7, 6, 'd7b38679-91d7-4a94-bc42-96e244091abc', 'Viewer', 'vision', 'zürich', 'group', NULL),
	(4, 'maker@acme.example', '2026-11-29 18:23:39.797481+00', '2026-11-29 18:23:39.797484+00', NULL, 3, 3, 'f717cc63-fcce-45d2-9c70-4b4837b503d1', 'Editor', 'east', 'ｔｅａｍ', 'group', NULL),
	(5, 'maker@acme.example', '2026-11-29 18:23:39.895295+00', '2026-11-29 18:23:39.8953+00', NULL, 5, 3, 'e68f2315-f961-45cd-ad47-0f3e1c909229', 'L1 researcher', 'east', 'nightly', 'app', '2026-11-29 18:23:39.884357+00'),
	(6, 'maker@acme.example', '2026-11-29 18:23:39.90466+00', '2026-11-29 18:23:39.904666+00', NULL, 7, 6, 'e68f2315-f961-45cd-ad47-0f3e1c909229', 'Viewer', 'vision', 'nightly', 'app', '2026-11-29 18:23:39.884357+00'),
	(7, 'maker@acme.example', '2026-11-29 18:23:39.928469+00', '2026-11-29 18:23:39.928476+00', NULL, 7, 3, '9974dcb4-32dc-4603-baea-7bf08210fdf5', 'Viewer', 'east', 'crawl', 'app', '2026-11-29 18:23:39.918612+00'),
	(8, 'maker@acme.example', '2026-11-29 18:23:39.936547+00', '2026-11-29 18:23:39.936552+00', '2026-11-29 18:23:39.938075+00', 3, 3, 'e68f2315-f961-45cd-ad47-0f3e1c909229', 'Editor', 'east', 'nightly', 'app', '2026-11-29 18:23:39.884357+00');
INSERT INTO public.accessrules_groupmembership VALUES
	(1, 'd7b38679-91d7-4a94-bc42-96e244091abc', '8ee113f6-91d2-4605-b5c1-daa9a4daa1e9'),
	(2, 'd7b38679-91d7-4a94-bc42-96e244091abc', '0f6a133b-243c-46e6-8a02-5b305f36bc5c');
INSERT INTO public.accessrules_role VALUES
	(1, 'System administrator', 'Runs the whole platform: organization structure, hardware, people, applications, access rules and general settings. Give it to very few people.', true, '{"apps": "crud", "jobs": "crud", "nodes": "r", "roles": "r", "users": "crud", "groups": "crud", "tenant": "r", "cluster": "crud", "project": "crud", "policies": "crud", "settings": "crud", "nodepools": "crud", "s3-assets": "crud", "templates": "crud", "trainings": "crud", "workloads": "crud", "department": "crud", "git-assets": "crud", "inferences": "crud", "nfs-assets": "crud", "pvc-assets": "crud", "workspaces": "crud", "credentials": "crud", "datavolumes": "crud", "access_rules": "crud", "environments": "crud", "personal-apps": "rd", "cluster-config": "crud", "events-history": "r", "cm-volume-assets": "crud", "host-path-assets": "crud", "compute-resources": "crud", "dashboards-overview": "r", "dashboards-analytics": "r", "secret-volume-assets": "crud", "dashboards-consumption": "r", "datavolumes/sharedscopes": "crud", "storage-class-configuration": "crud"}', 'Run:ai', '2026-11-29 18:23:39.337308+00', '2026-11-29 18:23:39.337316+00'),
	(3, 'Editor', 'Maintains departments and projects with their workloads and assets in the granted scope and may manage access rules there; sees the dashboards.', true, '{"apps": "r", "jobs": "crud", "nodes": "r", "roles": "r", "users": "r", "groups": "r", "tenant": "r", "cluster": "r", "project": "crud", "policies": "crud", "nodepools": "r", "s3-assets": "crud", "templates": "crud", "trainings": "crud", "workloads": "crud", "department": "crud", "git-assets": "crud", "inferences": "r", "nfs-assets": "crud", "pvc-assets": "crud", "workspaces": "crud", "credentials": "crud", "datavolumes": "crud", "access_rules": "crud", "environments": "crud", "cm-volume-assets": "crud", "host-path-assets": "crud", "compute-resources": "crud", "dashboards-overview": "r", "dashboards-analytics": "r", "secret-volume-assets": "crud", "dashboards-consumption": "r", "datavolumes/sharedscopes": "crud", "storage-class-configuration": "r"}', 'Run:ai', '2026-11-29 18:23:39.340606+00', '2026-11-29 18:23:39.340608+00'),
	(5, 'L1 researcher', 'Submits and manages workloads in the granted projects and also creates the workload assets they use; sees the dashboards.', true, '{"jobs": "crud", "tenant": "r", "cluster": "r", "project": "r", "policies": "r", "nodepools": "r", "s3-assets": "crud", "templates": "crud", "trainings": "crud", "workloads": "crud", "git-assets": "crud", "inferences": "r", "nfs-assets": "crud", "pvc-assets": "crud", "workspaces": "crud", "credentials": "crud", "datavolumes": "crud", "environments": "crud", "cm-volume-assets": "crud", "host-path-assets": "crud", "compute-resources": "crud", "dashboards-overview": "r", "dashboards-analytics": "r", "secret-volume-assets": "crud", "dashboards-consumption": "r", "storage-class-configuration": "r"}', 'Run:ai', '2026-11-29 18:23:39.348919+00', '2026-11-29 18:23:39.348924+00'),
	(7, 'Viewer', 'Looks at departments, projects and everything under them, and at the dashboards; changes nothing.', true, '{"jobs": "r", "nodes": "r", "tenant": "r", "cluster": "r", "project": "r", "policies": "r", "nodepools": "r", "s3-assets": "r", "templates": "r", "trainings": "r", "workloads": "r", "department": "r", "git-assets": "r", "inferences": "r", "nfs-assets": "r", "pvc-assets": "r", "workspaces": "r", "credentials": "r", "datavolumes": "r", "environments": "r", "cm-volume-assets": "r", "host-path-assets": "r", "compute-resources": "r", "dashboards-overview": "r", "dashboards-analytics": "r", "secret-volume-assets": "r", "dashboards-consumption": "r", "storage-class-configuration": "r"}', 'Run:ai', '2026-11-29 18:23:39.363875+00', '2026-11-29 18:23:39.36388+00');
INSERT INTO public.accessrules_scope VALUES
	(1, 'system', 'system', 'system', '', 0, '0000000000000000', 'system', '2026-11-29 18:23:39.396227+00', '2026-11-29 18:23:39.396231+00', NULL),
	(2, 'tenant', '1001', 'acme', 'system', 1, '00000000000000000000000000000001', 'system', '2026-11-29 18:23:39.400418+00', '2026-11-29 18:23:39.400423+00', 1),
	(3, 'cluster', '1263802f-d78a-4564-a4ea-eb7b5f3ffb56', 'east', 'tenant', 2, '000000000000000000000000000000010780889455259169', 'maker@acme.example', '2026-11-29 18:23:39.54844+00', '2026-11-29 18:23:39.548443+00', 2),
	(4, 'department', '4a9b0019-57e7-465b-beb6-8f3357488874', 'Zürich', 'cluster', 3, '0000000000000000000000000000000107808894552591692352884735735500', 'maker@acme.example', '2026-11-29 18:23:39.551731+00', '2026-11-29 18:23:39.551735+00', 3),
	(5, 'department', 'a8feee7e-9638-437a-97c9-c748ba8d4d03', 'Zürich', 'cluster', 3, '0000000000000000000000000000000107808894552591696432715743222592', 'maker@acme.example', '2026-11-29 18:23:39.556316+00', '2026-11-29 18:23:39.556322+00', 3),
	(6, 'department', '65c5e00a-a08c-48c3-b1f6-af2faf33cfcc', 'vision', 'cluster', 3, '0000000000000000000000000000000107808894552591699738681893022380', 'maker@acme.example', '2026-11-29 18:23:39.560701+00', '2026-11-29 18:23:39.560704+00', 3),
	(7, 'project', 'ea0586ae-79e3-4a41-bb10-793ee6003d45', 'vision-train', 'department', 4, '00000000000000000000000000000001078088945525916997386818930223808864941733414062', 'maker@acme.example', '2026-11-29 18:23:39.56134+00', '2026-11-29 18:23:39.561342+00', 6);
INSERT INTO public.accessrules_subject VALUES
	('8ee113f6-91d2-4605-b5c1-daa9a4daa1e9', 'user', 'ada@acme.example', true, NULL, 'ada@acme.example'),
	('0f6a133b-243c-46e6-8a02-5b305f36bc5c', 'user', 'rosa@İstanbul.example', true, NULL, 'rosa@i̇stanbul.example'),
	('d7b38679-91d7-4a94-bc42-96e244091abc', 'group', 'Zürich', true, NULL, 'zürich'),
	('3c96fb7b-0c5e-4204-b14d-38ed5b0ae456', 'group', 'Zürich', true, NULL, 'zürich'),
	('f717cc63-fcce-45d2-9c70-4b4837b503d1', 'group', 'ＴＥＡＭ', true, NULL, 'ｔｅａｍ'),
	('80f499ac-c6ff-429e-8208-edf7eb8ddfcc', 'group', 'TEAM', false, '2026-11-29 18:23:39.784168+00', 'team'),
	('e68f2315-f961-45cd-ad47-0f3e1c909229', 'app', 'nightly', true, NULL, 'nightly'),
	('b90193e5-2c34-49f6-9122-09b1b4398e91', 'app', 'idle', false, NULL, 'idle'),
	('9974dcb4-32dc-4603-baea-7bf08210fdf5', 'app', 'crawl', true, NULL, 'crawl'),
	('b3fdc4e7-d8c5-4d68-85ea-ecf062cd2f27', 'app', 'retired-one', false, '2026-11-29 18:23:39.946642+00', 'retired-one');
INSERT INTO public.accounts_signinnetwork VALUES
	(1, '192.0.2.1', '2026-11-29 18:23:39.764369+00', '8ee113f6-91d2-4605-b5c1-daa9a4daa1e9');
INSERT INTO public.accounts_user VALUES
	('argon2$argon2id$v=19$m=19456,t=2,p=1$YnBQV3k2R0lPcnlnOE1iQ0tsRWZCZA$ireXEBiIXQjfLRbNg8Lb2ngjSI/IDbHTE0/QnXfKwyo', NULL, '8ee113f6-91d2-4605-b5c1-daa9a4daa1e9', 'ada@acme.example', 'maker@acme.example', '2026-11-29 18:23:39.562794+00', '2026-11-29 18:23:39.562798+00', 'ada@acme.example
maker@acme.example', '5372afd4-ba11-4466-8dee-adebc299e157', NULL, NULL),
	('!jMYFgzUGNQ28KRdXrkEWsKQSp8i2OSSjgxKWUxWS', NULL, '0f6a133b-243c-46e6-8a02-5b305f36bc5c', 'rosa@İstanbul.example', 'maker@acme.example', '2026-11-29 18:23:39.760336+00', '2026-11-29 18:23:39.760344+00', 'rosa@i̇stanbul.example
maker@acme.example', 'bb5f415e-9d38-4214-9e9d-9941ff21dd7e', '8aebd579-7996-48a4-a264-e512669e74f7', '2026-12-02 18:23:39.763817+00');
INSERT INTO public.api_attemptcount VALUES
	('kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk', 3, '2026-11-29 18:23:39.948049+00');
INSERT INTO public.api_idempotencykey VALUES
	(1, '8ee113f6-91d2-4605-b5c1-daa9a4daa1e9', 'once-only', 'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff', 'e68f2315-f961-45cd-ad47-0f3e1c909229', '2026-11-29 18:23:39.94718+00');
INSERT INTO public.applications_application VALUES
	('b90193e5-2c34-49f6-9122-09b1b4398e91', '', '7df30118-d5b0-4e9c-aff9-a411cd8a4adb', NULL, 'maker@acme.example', '2026-11-29 18:23:39.911086+00', '2026-11-29 18:23:39.911091+00', NULL, NULL, 'idle
maker@acme.example
', NULL, false),
	('9974dcb4-32dc-4603-baea-7bf08210fdf5', '', '032dfe94-d175-4d71-8cf4-5151e4092349', NULL, 'rosa@İstanbul.example', '2026-11-29 18:23:39.918612+00', '2026-11-29 18:23:39.918615+00', '2026-11-29 18:23:39.918544+00', 60, 'crawl
rosa@i̇stanbul.example
', 'Viewer in east', true),
	('e68f2315-f961-45cd-ad47-0f3e1c909229', '$argon2id$v=19$m=19456,t=2,p=1$Id4ydj8w21bcIzk9gxSjKQ$JajPzqM8qfGMFDSDradItTcuUBCE31kNppjQ0TOEDgg', '0a487663-1e7e-40e2-9ab1-742962e07f64', NULL, 'maker@acme.example', '2026-11-29 18:23:39.884357+00', '2026-11-29 18:23:39.884364+00', NULL, NULL, 'nightly
maker@acme.example
', 'L1 researcher in east', true);
INSERT INTO public.applications_revokedtoken VALUES
	('67a03c2a-0884-4061-962a-3c865b9c7d69', '2026-11-29 18:23:39.949897+00');
INSERT INTO public.applications_search VALUES
	('e68f2315-f961-45cd-ad47-0f3e1c909229', 'nightly
maker@acme.example
'),
	('b90193e5-2c34-49f6-9122-09b1b4398e91', 'idle
maker@acme.example
'),
	('9974dcb4-32dc-4603-baea-7bf08210fdf5', 'crawl
rosa@i̇stanbul.example
');
INSERT INTO public.applications_signingkey VALUES
	('qB3fJiYEA7k9VVEevT6DyLO_3j4HDxr0cD7k5XIKj_4', '\x6741414141414272444732735857314c742d633763676948695a474947334a30484f753666566b5a4431442d48315276796563704359575f6c723070412d46757571723044366f6c6b4435334c5f5969675a723937454e36694b7274764a63637a475f496b3551524c475965724972766a5834526c4e736f6a5f6e5065494b616a354c6c79486d67494d4b72495a387a674c43477a793273625f356a636a685a5a5f6c6b44614f36546d34744c636a4655563535445872565a3051554a66676675636e46785a4749715832376f57763771416e7679324c35344d5159622d36485056495a745635386c77305867613449446547493934426f555a2d55786c415f656b56586b4e77307459655646487361682d714865597a7465557462434b3155724775787a6e497246457a6854763053664f5243465355796f51776f6c34705f446c6930484769612d65647444454e76686178675f76793070626874314e7a46446f4f62504f59614b616f4e452d53793231634631614c5958717a664d697359484c575667553276655f554f725530722d64696f61575269654d5049315070747a413d3d', '{"x": "XQ_FZM7f-PFaQbQk-TMlW_3mk6bKkbSwJwV6j_78rHk", "y": "WIoAa06v8KKfTceqBosd0OXyqYL3fd-kuOPKi9Kg4JQ", "alg": "ES256", "crv": "P-256", "kid": "qB3fJiYEA7k9VVEevT6DyLO_3j4HDxr0cD7k5XIKj_4", "kty": "EC", "use": "sig"}', '2026-11-29 18:23:40.181995+00', '2026-11-29 18:23:40.180232+00');
INSERT INTO public.audit_archive VALUES
	(1, 1, 2, '17972045cd231d7f6e305f1a712be44a49a6c7bf49bbffff89b52e75c96ecf71', 'audit-000000000001-000000000001.jsonl', 'a5ec214e582e939afb94de6d43806a8c184a03478a63923a1da124fcc43d245a', '2026-11-29 18:23:40.280134+00', 'e6f76142ce17d6e4', 'c00e33e51fef988a550df0d121595c7cdfa6eb6ca8387e3523589a10c0d797d5');
INSERT INTO public.audit_auditevent VALUES
	(3, '2026-11-29 18:23:40.28106+00', 'system', NULL, 'system', 'archive', 'audit', '1', 'audit-000000000001-000000000001.jsonl', 'Succeeded', '', '{"events": [2, 0]}', NULL, '', '', NULL, NULL, '2104a5cda1376617a034c3b0f9990cad4461f4b3385e6d84f66713c5f3bb13b6'),
	(4, '2026-11-29 18:23:40.304194+00', 'user', '8ee113f6-91d2-4605-b5c1-daa9a4daa1e9', 'ada@acme.example', 'create', 'application', 'e68f2315-f961-45cd-ad47-0f3e1c909229', 'nightly', 'Succeeded', '', '{"name": ["", "nightly"]}', '192.0.2.1', 'POST', '/applications/new', 'ef95fdb5-76e7-4ed6-9eab-24b572029df7', NULL, '3b62fb7791f659e0c1ef4203414ead3be829b99a6ec4981d8985a74c4383576b'),
	(5, '2026-11-29 18:23:40.308697+00', 'app', NULL, 'nightly', 'sign-in', 'application', '', 'nightly', 'Failed', 'wrong secret', '{}', NULL, '', '', NULL, 'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd', 'a2a8c71bd9bc3eef1183f716c003fdee2d2768073db0aa48bc4db3f0525e208e'),
	(6, '2026-11-29 18:23:40.316744+00', 'user', '8ee113f6-91d2-4605-b5c1-daa9a4daa1e9', 'ada@acme.example', 'delete', 'access rule', '8', 'nightly', 'Succeeded', '', '{}', NULL, '', '', NULL, NULL, '580f5b47bf7ea323483c728029e74bff3f16ef2d5210f9d46bbb4d3471bb0b23');
INSERT INTO public.audit_seal VALUES
	(2, '2026-11-29 18:23:40.312371+00', '2026-11-29 18:23:40.308697+00', '3-5', '17972045cd231d7f6e305f1a712be44a49a6c7bf49bbffff89b52e75c96ecf71', 'db4fc488390c272f47ed734f423fd96dfdfd8994990c3e46c60d87d2da426c59', 'e6f76142ce17d6e4', 'dce9e802016dd9d854cd6bfc3a423af4a272aa92d206f9c35dd4bff6ec5911d7');
INSERT INTO public.audit_unsealed VALUES
	(6);
INSERT INTO public.auth_permission VALUES
	(1, 'Can add content type', 3, 'add_contenttype'),
	(2, 'Can change content type', 3, 'change_contenttype'),
	(3, 'Can delete content type', 3, 'delete_contenttype'),
	(4, 'Can view content type', 3, 'view_contenttype'),
	(5, 'Can add permission', 4, 'add_permission'),
	(6, 'Can change permission', 4, 'change_permission'),
	(7, 'Can delete permission', 4, 'delete_permission'),
	(8, 'Can view permission', 4, 'view_permission'),
	(9, 'Can add group', 5, 'add_group'),
	(10, 'Can change group', 5, 'change_group'),
	(11, 'Can delete group', 5, 'delete_group'),
	(12, 'Can view group', 5, 'view_group'),
	(13, 'Can add session', 6, 'add_session'),
	(14, 'Can change session', 6, 'change_session'),
	(15, 'Can delete session', 6, 'delete_session'),
	(16, 'Can view session', 6, 'view_session'),
	(17, 'Can add attempt count', 7, 'add_attemptcount'),
	(18, 'Can change attempt count', 7, 'change_attemptcount'),
	(19, 'Can delete attempt count', 7, 'delete_attemptcount'),
	(20, 'Can view attempt count', 7, 'view_attemptcount'),
	(21, 'Can add idempotency key', 8, 'add_idempotencykey'),
	(22, 'Can change idempotency key', 8, 'change_idempotencykey'),
	(23, 'Can delete idempotency key', 8, 'delete_idempotencykey'),
	(24, 'Can view idempotency key', 8, 'view_idempotencykey'),
	(25, 'Can add table preference', 9, 'add_tablepreference'),
	(26, 'Can change table preference', 9, 'change_tablepreference'),
	(27, 'Can delete table preference', 9, 'delete_tablepreference'),
	(28, 'Can view table preference', 9, 'view_tablepreference'),
	(29, 'Can add audit event', 10, 'add_auditevent'),
	(30, 'Can change audit event', 10, 'change_auditevent'),
	(31, 'Can delete audit event', 10, 'delete_auditevent'),
	(32, 'Can view audit event', 10, 'view_auditevent'),
	(33, 'Can add archive', 11, 'add_archive'),
	(34, 'Can change archive', 11, 'change_archive'),
	(35, 'Can delete archive', 11, 'delete_archive'),
	(36, 'Can view archive', 11, 'view_archive'),
	(37, 'Can add leaving', 12, 'add_leaving'),
	(38, 'Can change leaving', 12, 'change_leaving'),
	(39, 'Can delete leaving', 12, 'delete_leaving'),
	(40, 'Can view leaving', 12, 'view_leaving'),
	(41, 'Can add seal', 13, 'add_seal'),
	(42, 'Can change seal', 13, 'change_seal'),
	(43, 'Can delete seal', 13, 'delete_seal'),
	(44, 'Can view seal', 13, 'view_seal'),
	(45, 'Can add unsealed', 14, 'add_unsealed'),
	(46, 'Can change unsealed', 14, 'change_unsealed'),
	(47, 'Can delete unsealed', 14, 'delete_unsealed'),
	(48, 'Can view unsealed', 14, 'view_unsealed'),
	(49, 'Can add role', 15, 'add_role'),
	(50, 'Can change role', 15, 'change_role'),
	(51, 'Can delete role', 15, 'delete_role'),
	(52, 'Can view role', 15, 'view_role'),
	(53, 'Can add scope', 16, 'add_scope'),
	(54, 'Can change scope', 16, 'change_scope'),
	(55, 'Can delete scope', 16, 'delete_scope'),
	(56, 'Can view scope', 16, 'view_scope'),
	(57, 'Can add subject', 1, 'add_subject'),
	(58, 'Can change subject', 1, 'change_subject'),
	(59, 'Can delete subject', 1, 'delete_subject'),
	(60, 'Can view subject', 1, 'view_subject'),
	(61, 'Can add group membership', 17, 'add_groupmembership'),
	(62, 'Can change group membership', 17, 'change_groupmembership'),
	(63, 'Can delete group membership', 17, 'delete_groupmembership'),
	(64, 'Can view group membership', 17, 'view_groupmembership'),
	(65, 'Can add access rule', 18, 'add_accessrule'),
	(66, 'Can change access rule', 18, 'change_accessrule'),
	(67, 'Can delete access rule', 18, 'delete_accessrule'),
	(68, 'Can view access rule', 18, 'view_accessrule'),
	(69, 'Can add user', 19, 'add_user'),
	(70, 'Can change user', 19, 'change_user'),
	(71, 'Can delete user', 19, 'delete_user'),
	(72, 'Can view user', 19, 'view_user'),
	(73, 'Can add group', 2, 'add_group'),
	(74, 'Can change group', 2, 'change_group'),
	(75, 'Can delete group', 2, 'delete_group'),
	(76, 'Can view group', 2, 'view_group'),
	(77, 'Can add sign in network', 20, 'add_signinnetwork'),
	(78, 'Can change sign in network', 20, 'change_signinnetwork'),
	(79, 'Can delete sign in network', 20, 'delete_signinnetwork'),
	(80, 'Can view sign in network', 20, 'view_signinnetwork'),
	(81, 'Can add signing key', 21, 'add_signingkey'),
	(82, 'Can change signing key', 21, 'change_signingkey'),
	(83, 'Can delete signing key', 21, 'delete_signingkey'),
	(84, 'Can view signing key', 21, 'view_signingkey'),
	(85, 'Can add application', 22, 'add_application'),
	(86, 'Can change application', 22, 'change_application'),
	(87, 'Can delete application', 22, 'delete_application'),
	(88, 'Can view application', 22, 'view_application'),
	(89, 'Can add revoked token', 23, 'add_revokedtoken'),
	(90, 'Can change revoked token', 23, 'change_revokedtoken'),
	(91, 'Can delete revoked token', 23, 'delete_revokedtoken'),
	(92, 'Can view revoked token', 23, 'view_revokedtoken');
INSERT INTO public.django_content_type VALUES
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
INSERT INTO public.django_migrations VALUES
	(1, 'accessrules', '0001_initial', '2026-11-29 18:23:37.386372+00'),
	(2, 'accessrules', '0002_folded_names', '2026-11-29 18:23:37.420698+00'),
	(3, 'accessrules', '0003_holders', '2026-11-29 18:23:37.504296+00'),
	(4, 'accessrules', '0004_orders', '2026-11-29 18:23:37.624226+00'),
	(5, 'accessrules', '0005_scope_in_role_index', '2026-11-29 18:23:37.652036+00'),
	(6, 'accessrules', '0006_wider_indexes', '2026-11-29 18:23:37.732267+00'),
	(7, 'accessrules', '0007_indexes_tell_more', '2026-11-29 18:23:37.900187+00'),
	(8, 'accessrules', '0008_creation_of_holders', '2026-11-29 18:23:37.94016+00'),
	(9, 'accounts', '0001_initial', '2026-11-29 18:23:37.965308+00'),
	(10, 'accounts', '0002_temporary_passwords', '2026-11-29 18:23:38.068352+00'),
	(11, 'accounts', '0003_groups', '2026-11-29 18:23:38.0698+00'),
	(12, 'accounts', '0004_sign_in_networks', '2026-11-29 18:23:38.09293+00'),
	(13, 'api', '0001_initial', '2026-11-29 18:23:38.112397+00'),
	(14, 'api', '0002_idempotency_key', '2026-11-29 18:23:38.11652+00'),
	(15, 'applications', '0001_initial', '2026-11-29 18:23:38.145371+00'),
	(16, 'applications', '0002_token_life', '2026-11-29 18:23:38.18131+00'),
	(17, 'applications', '0003_search_text', '2026-11-29 18:23:38.224621+00'),
	(18, 'applications', '0004_orders', '2026-11-29 18:23:38.498158+00'),
	(19, 'applications', '0005_search', '2026-11-29 18:23:38.557406+00'),
	(20, 'applications', '0006_search_text_ends', '2026-11-29 18:23:38.561515+00'),
	(21, 'applications', '0007_creation_in_indexes', '2026-11-29 18:23:38.648165+00'),
	(22, 'applications', '0008_search_in_its_own_table', '2026-11-29 18:23:38.674802+00'),
	(23, 'audit', '0001_initial', '2026-11-29 18:23:38.700889+00'),
	(24, 'audit', '0002_seals', '2026-11-29 18:23:38.740404+00'),
	(25, 'audit', '0003_guards', '2026-11-29 18:23:38.79981+00'),
	(26, 'audit', '0004_indexes', '2026-11-29 18:23:38.864123+00'),
	(27, 'audit', '0005_result_of_action', '2026-11-29 18:23:38.887091+00'),
	(28, 'contenttypes', '0001_initial', '2026-11-29 18:23:38.894723+00'),
	(29, 'contenttypes', '0002_remove_content_type_name', '2026-11-29 18:23:38.932206+00'),
	(30, 'auth', '0001_initial', '2026-11-29 18:23:38.984258+00'),
	(31, 'auth', '0002_alter_permission_name_max_length', '2026-11-29 18:23:39.000647+00'),
	(32, 'auth', '0003_alter_user_email_max_length', '2026-11-29 18:23:39.004611+00'),
	(33, 'auth', '0004_alter_user_username_opts', '2026-11-29 18:23:39.007821+00'),
	(34, 'auth', '0005_alter_user_last_login_null', '2026-11-29 18:23:39.023388+00'),
	(35, 'auth', '0006_require_contenttypes_0002', '2026-11-29 18:23:39.02881+00'),
	(36, 'auth', '0007_alter_validators_add_error_messages', '2026-11-29 18:23:39.035805+00'),
	(37, 'auth', '0008_alter_user_username_max_length', '2026-11-29 18:23:39.051532+00'),
	(38, 'auth', '0009_alter_user_last_name_max_length', '2026-11-29 18:23:39.060738+00'),
	(39, 'auth', '0010_alter_group_name_max_length', '2026-11-29 18:23:39.085188+00'),
	(40, 'auth', '0011_update_proxy_permissions', '2026-11-29 18:23:39.130374+00'),
	(41, 'auth', '0012_alter_user_first_name_max_length', '2026-11-29 18:23:39.133934+00'),
	(42, 'sessions', '0001_initial', '2026-11-29 18:23:39.15035+00'),
	(43, 'ui', '0001_table_preference', '2026-11-29 18:23:39.18861+00');
INSERT INTO public.django_session VALUES
	('h0bu5sjqan33a19617k2en7efqko9a6p', 'eyJhIjoiYiJ9:1xXjYq:7P_qjosKszhw-HJrQ-gw6Zs20C--RRc_Q2aZAlySICM', '2026-11-30 06:23:40.188312+00');
INSERT INTO public.ui_tablepreference VALUES
	(1, 'applications', '["name", "status"]', 50, 'compact', '8ee113f6-91d2-4605-b5c1-daa9a4daa1e9');
SELECT pg_catalog.setval('public.accessrules_accessrule_id_seq', 8, true);
SELECT pg_catalog.setval('public.accessrules_groupmembership_id_seq', 3, true);
SELECT pg_catalog.setval('public.accessrules_scope_id_seq', 8, true);
SELECT pg_catalog.setval('public.accounts_signinnetwork_id_seq', 1, true);
SELECT pg_catalog.setval('public.api_idempotencykey_id_seq', 1, true);
SELECT pg_catalog.setval('public.audit_auditevent_id_seq', 6, true);
SELECT pg_catalog.setval('public.auth_group_id_seq', 1, false);
SELECT pg_catalog.setval('public.auth_group_permissions_id_seq', 1, false);
SELECT pg_catalog.setval('public.auth_permission_id_seq', 92, true);
SELECT pg_catalog.setval('public.django_content_type_id_seq', 23, true);
SELECT pg_catalog.setval('public.django_migrations_id_seq', 43, true);
SELECT pg_catalog.setval('public.ui_tablepreference_id_seq', 1, true);
ALTER TABLE ONLY public.accessrules_accessrule
    ADD CONSTRAINT accessrules_accessrule_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.accessrules_groupmembership
    ADD CONSTRAINT accessrules_groupmembership_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.accessrules_role
    ADD CONSTRAINT accessrules_role_name_key UNIQUE (name);
ALTER TABLE ONLY public.accessrules_role
    ADD CONSTRAINT accessrules_role_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.accessrules_scope
    ADD CONSTRAINT accessrules_scope_path_key UNIQUE (path);
ALTER TABLE ONLY public.accessrules_scope
    ADD CONSTRAINT accessrules_scope_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.accessrules_subject
    ADD CONSTRAINT accessrules_subject_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.accounts_signinnetwork
    ADD CONSTRAINT accounts_signinnetwork_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.accounts_user
    ADD CONSTRAINT accounts_user_email_key UNIQUE (email);
ALTER TABLE ONLY public.accounts_user
    ADD CONSTRAINT accounts_user_pkey PRIMARY KEY (subject_id);
ALTER TABLE ONLY public.api_attemptcount
    ADD CONSTRAINT api_attemptcount_pkey PRIMARY KEY (key);
ALTER TABLE ONLY public.api_idempotencykey
    ADD CONSTRAINT api_idempotencykey_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.applications_application
    ADD CONSTRAINT applications_application_pkey PRIMARY KEY (subject_id);
ALTER TABLE ONLY public.applications_revokedtoken
    ADD CONSTRAINT applications_revokedtoken_pkey PRIMARY KEY (jti);
ALTER TABLE ONLY public.applications_search
    ADD CONSTRAINT applications_search_pkey PRIMARY KEY (application_id);
ALTER TABLE ONLY public.applications_signingkey
    ADD CONSTRAINT applications_signingkey_pkey PRIMARY KEY (kid);
ALTER TABLE ONLY public.audit_archive
    ADD CONSTRAINT audit_archive_pkey PRIMARY KEY (last_seal);
ALTER TABLE ONLY public.audit_auditevent
    ADD CONSTRAINT audit_auditevent_once_key_key UNIQUE (once_key);
ALTER TABLE ONLY public.audit_auditevent
    ADD CONSTRAINT audit_auditevent_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.audit_leaving
    ADD CONSTRAINT audit_leaving_pkey PRIMARY KEY (event_id);
ALTER TABLE ONLY public.audit_seal
    ADD CONSTRAINT audit_seal_pkey PRIMARY KEY (number);
ALTER TABLE ONLY public.audit_unsealed
    ADD CONSTRAINT audit_unsealed_pkey PRIMARY KEY (event_id);
ALTER TABLE ONLY public.auth_group
    ADD CONSTRAINT auth_group_name_key UNIQUE (name);
ALTER TABLE ONLY public.auth_group_permissions
    ADD CONSTRAINT auth_group_permissions_group_id_permission_id_0cd325b0_uniq UNIQUE (group_id, permission_id);
ALTER TABLE ONLY public.auth_group_permissions
    ADD CONSTRAINT auth_group_permissions_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.auth_group
    ADD CONSTRAINT auth_group_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.auth_permission
    ADD CONSTRAINT auth_permission_content_type_id_codename_01ab375a_uniq UNIQUE (content_type_id, codename);
ALTER TABLE ONLY public.auth_permission
    ADD CONSTRAINT auth_permission_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.django_content_type
    ADD CONSTRAINT django_content_type_app_label_model_76bd3d3b_uniq UNIQUE (app_label, model);
ALTER TABLE ONLY public.django_content_type
    ADD CONSTRAINT django_content_type_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.django_migrations
    ADD CONSTRAINT django_migrations_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.django_session
    ADD CONSTRAINT django_session_pkey PRIMARY KEY (session_key);
ALTER TABLE ONLY public.api_idempotencykey
    ADD CONSTRAINT idempotency_key_once UNIQUE (caller, key);
ALTER TABLE ONLY public.accessrules_groupmembership
    ADD CONSTRAINT membership_unique UNIQUE (group_id, member_id);
ALTER TABLE ONLY public.accessrules_scope
    ADD CONSTRAINT scope_id_unique UNIQUE (type, uid);
ALTER TABLE ONLY public.accessrules_scope
    ADD CONSTRAINT scope_name_unique_in_parent UNIQUE (parent_id, name);
ALTER TABLE ONLY public.accounts_signinnetwork
    ADD CONSTRAINT sign_in_network_once UNIQUE (user_id, network);
ALTER TABLE ONLY public.ui_tablepreference
    ADD CONSTRAINT table_preference_unique UNIQUE (person_id, "table");
ALTER TABLE ONLY public.ui_tablepreference
    ADD CONSTRAINT ui_tablepreference_pkey PRIMARY KEY (id);
CREATE INDEX access_rule_by_authorizer ON public.accessrules_accessrule USING btree (created_by COLLATE "C", id, scope_id) WHERE (deleted_at IS NULL);
CREATE INDEX access_rule_by_creation ON public.accessrules_accessrule USING btree (created_at, id, scope_id) WHERE (deleted_at IS NULL);
CREATE INDEX access_rule_by_role ON public.accessrules_accessrule USING btree (role_name COLLATE "C", id, scope_id) WHERE (deleted_at IS NULL);
CREATE INDEX access_rule_by_scope ON public.accessrules_accessrule USING btree (scope_name COLLATE "C", id, scope_id) WHERE (deleted_at IS NULL);
CREATE INDEX access_rule_by_subject ON public.accessrules_accessrule USING btree (subject_name COLLATE "C", id, scope_id) WHERE (deleted_at IS NULL);
CREATE INDEX access_rule_by_type ON public.accessrules_accessrule USING btree (subject_type COLLATE "C", id, scope_id) WHERE (deleted_at IS NULL);
CREATE INDEX access_rule_by_update ON public.accessrules_accessrule USING btree (updated_at, id, scope_id) WHERE (deleted_at IS NULL);
CREATE INDEX access_rule_in_scope ON public.accessrules_accessrule USING btree (scope_id, deleted_at, subject_name COLLATE "C", subject_id, id, role_id, subject_type);
CREATE INDEX access_rule_of_role ON public.accessrules_accessrule USING btree (role_id, deleted_at, holder_created_at, subject_id, scope_id, subject_type, id);
CREATE INDEX access_rule_of_scope ON public.accessrules_accessrule USING btree (scope_id, deleted_at, holder_created_at, subject_id);
CREATE INDEX access_rule_of_subject ON public.accessrules_accessrule USING btree (subject_id, deleted_at, scope_id, role_id);
CREATE UNIQUE INDEX access_rule_unique_among_living ON public.accessrules_accessrule USING btree (subject_id, role_id, scope_id) WHERE (deleted_at IS NULL);
CREATE INDEX accessrules_groupmembership_group_id_27de5766 ON public.accessrules_groupmembership USING btree (group_id);
CREATE INDEX accessrules_groupmembership_member_id_a7a116f2 ON public.accessrules_groupmembership USING btree (member_id);
CREATE INDEX accessrules_role_name_6fbc6602_like ON public.accessrules_role USING btree (name varchar_pattern_ops);
CREATE INDEX accessrules_scope_parent_id_7870e405 ON public.accessrules_scope USING btree (parent_id);
CREATE INDEX accessrules_scope_path_f1ba63cf_like ON public.accessrules_scope USING btree (path varchar_pattern_ops);
CREATE INDEX accounts_signinnetwork_last_seen_6e011983 ON public.accounts_signinnetwork USING btree (last_seen);
CREATE INDEX accounts_signinnetwork_user_id_aabadc7d ON public.accounts_signinnetwork USING btree (user_id);
CREATE INDEX accounts_user_created_at_04bd66b9 ON public.accounts_user USING btree (created_at);
CREATE INDEX accounts_user_email_b2644a56_like ON public.accounts_user USING btree (email varchar_pattern_ops);
CREATE INDEX accounts_user_last_login_d2299baa ON public.accounts_user USING btree (last_login);
CREATE INDEX accounts_user_updated_at_fb8ec463 ON public.accounts_user USING btree (updated_at);
CREATE INDEX api_attemptcount_expires_at_88865394 ON public.api_attemptcount USING btree (expires_at);
CREATE INDEX api_attemptcount_key_2f91de6f_like ON public.api_attemptcount USING btree (key varchar_pattern_ops);
CREATE INDEX api_idempotencykey_created_at_bf12046a ON public.api_idempotencykey USING btree (created_at);
CREATE INDEX application_by_creation ON public.applications_application USING btree (created_at, subject_id);
CREATE INDEX application_by_creator ON public.applications_application USING btree (created_by COLLATE "C", subject_id);
CREATE INDEX application_by_first_rule ON public.applications_application USING btree (first_rule COLLATE "C", subject_id);
CREATE INDEX application_by_login ON public.applications_application USING btree (last_login, subject_id, created_at);
CREATE INDEX application_by_name ON public.applications_application USING btree (search_text COLLATE "C", subject_id);
CREATE INDEX application_by_status ON public.applications_application USING btree (is_enabled, subject_id, created_at);
CREATE INDEX application_by_update ON public.applications_application USING btree (updated_at, subject_id, created_at);
CREATE INDEX applications_revokedtoken_expires_at_266a3a7e ON public.applications_revokedtoken USING btree (expires_at);
CREATE INDEX applications_search_index ON public.applications_search USING gin (text public.gin_trgm_ops);
CREATE INDEX applications_signingkey_kid_e250944d_like ON public.applications_signingkey USING btree (kid varchar_pattern_ops);
CREATE INDEX audit_action_time ON public.audit_auditevent USING btree (action, "time", result);
CREATE INDEX audit_auditevent_once_key_e0e22668_like ON public.audit_auditevent USING btree (once_key varchar_pattern_ops);
CREATE INDEX audit_auditevent_time_ec28f263 ON public.audit_auditevent USING btree ("time");
CREATE INDEX audit_entity_name_time ON public.audit_auditevent USING btree (entity_name, "time");
CREATE INDEX audit_entity_time ON public.audit_auditevent USING btree (entity_type, entity_id, "time");
CREATE INDEX audit_entity_type_time ON public.audit_auditevent USING btree (entity_type, "time");
CREATE INDEX audit_result_time ON public.audit_auditevent USING btree (result, "time");
CREATE INDEX audit_source_ip_time ON public.audit_auditevent USING btree (source_ip, "time");
CREATE INDEX audit_subject_name_time ON public.audit_auditevent USING btree (subject_name, "time");
CREATE INDEX audit_subject_time ON public.audit_auditevent USING btree (subject_id, "time");
CREATE INDEX auth_group_name_a6ea08ec_like ON public.auth_group USING btree (name varchar_pattern_ops);
CREATE INDEX auth_group_permissions_group_id_b120cbf9 ON public.auth_group_permissions USING btree (group_id);
CREATE INDEX auth_group_permissions_permission_id_84c5c92e ON public.auth_group_permissions USING btree (permission_id);
CREATE INDEX auth_permission_content_type_id_2f476e4b ON public.auth_permission USING btree (content_type_id);
CREATE INDEX django_session_expire_date_a5c62663 ON public.django_session USING btree (expire_date);
CREATE INDEX django_session_session_key_c0390e0f_like ON public.django_session USING btree (session_key varchar_pattern_ops);
CREATE UNIQUE INDEX scope_one_system_one_account ON public.accessrules_scope USING btree (type) WHERE (type IN ('system', 'tenant'));
CREATE INDEX subject_by_name ON public.accessrules_subject USING btree (folded_name COLLATE "C", id);
CREATE UNIQUE INDEX subject_name_unique_among_living ON public.accessrules_subject USING btree (type, name) WHERE (retired_at IS NULL);
CREATE INDEX ui_tablepreference_person_id_69263c04 ON public.ui_tablepreference USING btree (person_id);
CREATE TRIGGER access_rule_copies BEFORE INSERT OR UPDATE OF subject_id, role_id, scope_id ON public.accessrules_accessrule FOR EACH ROW EXECUTE FUNCTION public.access_rule_copies();
CREATE TRIGGER access_rule_role_name_changed AFTER UPDATE OF name ON public.accessrules_role FOR EACH ROW WHEN (((old.name)::text IS DISTINCT FROM (new.name)::text)) EXECUTE FUNCTION public.access_rule_role_name_changed();
CREATE TRIGGER access_rule_scope_name_changed AFTER UPDATE OF name ON public.accessrules_scope FOR EACH ROW WHEN (((old.name)::text IS DISTINCT FROM (new.name)::text)) EXECUTE FUNCTION public.access_rule_scope_name_changed();
CREATE TRIGGER access_rule_subject_name_changed AFTER UPDATE OF folded_name ON public.accessrules_subject FOR EACH ROW WHEN ((old.folded_name IS DISTINCT FROM new.folded_name)) EXECUTE FUNCTION public.access_rule_subject_name_changed();
CREATE TRIGGER access_rule_subject_type_changed AFTER UPDATE OF type ON public.accessrules_subject FOR EACH ROW WHEN (((old.type)::text IS DISTINCT FROM (new.type)::text)) EXECUTE FUNCTION public.access_rule_subject_type_changed();
CREATE TRIGGER application_dated AFTER INSERT OR UPDATE OF created_at ON public.applications_application FOR EACH ROW EXECUTE FUNCTION public.application_dated();
CREATE TRIGGER application_gone AFTER DELETE ON public.applications_application FOR EACH ROW EXECUTE FUNCTION public.application_gone();
CREATE TRIGGER application_made BEFORE INSERT ON public.applications_application FOR EACH ROW EXECUTE FUNCTION public.application_made();
CREATE TRIGGER application_role_renamed AFTER UPDATE OF name ON public.accessrules_role FOR EACH ROW WHEN (((old.name)::text IS DISTINCT FROM (new.name)::text)) EXECUTE FUNCTION public.application_role_renamed();
CREATE TRIGGER application_rule_dated BEFORE INSERT OR UPDATE OF subject_id ON public.accessrules_accessrule FOR EACH ROW EXECUTE FUNCTION public.application_rule_dated();
CREATE TRIGGER application_rules_changed AFTER INSERT OR DELETE OR UPDATE OF deleted_at, subject_id, role_id, scope_id ON public.accessrules_accessrule FOR EACH ROW EXECUTE FUNCTION public.application_rules_changed();
CREATE TRIGGER application_scope_renamed AFTER UPDATE OF name ON public.accessrules_scope FOR EACH ROW WHEN (((old.name)::text IS DISTINCT FROM (new.name)::text)) EXECUTE FUNCTION public.application_scope_renamed();
CREATE TRIGGER application_switched AFTER UPDATE OF enabled ON public.accessrules_subject FOR EACH ROW WHEN ((old.enabled IS DISTINCT FROM new.enabled)) EXECUTE FUNCTION public.application_switched();
CREATE TRIGGER application_worded AFTER INSERT OR DELETE OR UPDATE OF subject_id, search_text ON public.applications_application FOR EACH ROW EXECUTE FUNCTION public.application_worded();
CREATE TRIGGER applications_emptied AFTER TRUNCATE ON public.applications_application FOR EACH STATEMENT EXECUTE FUNCTION public.applications_emptied();
CREATE TRIGGER audit_archive_kept BEFORE DELETE OR UPDATE OR TRUNCATE ON public.audit_archive FOR EACH STATEMENT EXECUTE FUNCTION public.audit_refuse();
CREATE TRIGGER audit_auditevent_kept BEFORE UPDATE OR TRUNCATE ON public.audit_auditevent FOR EACH STATEMENT EXECUTE FUNCTION public.audit_refuse();
CREATE TRIGGER audit_auditevent_kept_delete BEFORE DELETE ON public.audit_auditevent FOR EACH ROW EXECUTE FUNCTION public.audit_event_leaves();
CREATE TRIGGER audit_auditevent_noted AFTER INSERT ON public.audit_auditevent REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.audit_note_new();
CREATE TRIGGER audit_seal_kept BEFORE UPDATE OR TRUNCATE ON public.audit_seal FOR EACH STATEMENT EXECUTE FUNCTION public.audit_refuse();
CREATE TRIGGER audit_seal_kept_delete BEFORE DELETE ON public.audit_seal FOR EACH ROW EXECUTE FUNCTION public.audit_seal_leaves();
ALTER TABLE ONLY public.accessrules_accessrule
    ADD CONSTRAINT accessrules_accessru_scope_id_894e3931_fk_accessrul FOREIGN KEY (scope_id) REFERENCES public.accessrules_scope(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.accessrules_accessrule
    ADD CONSTRAINT accessrules_accessru_subject_id_203d8ddd_fk_accessrul FOREIGN KEY (subject_id) REFERENCES public.accessrules_subject(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.accessrules_accessrule
    ADD CONSTRAINT accessrules_accessrule_role_id_c4c0a7f7_fk_accessrules_role_id FOREIGN KEY (role_id) REFERENCES public.accessrules_role(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.accessrules_groupmembership
    ADD CONSTRAINT accessrules_groupmem_group_id_27de5766_fk_accessrul FOREIGN KEY (group_id) REFERENCES public.accessrules_subject(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.accessrules_groupmembership
    ADD CONSTRAINT accessrules_groupmem_member_id_a7a116f2_fk_accessrul FOREIGN KEY (member_id) REFERENCES public.accessrules_subject(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.accessrules_scope
    ADD CONSTRAINT accessrules_scope_parent_id_7870e405_fk_accessrules_scope_id FOREIGN KEY (parent_id) REFERENCES public.accessrules_scope(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.accounts_signinnetwork
    ADD CONSTRAINT accounts_signinnetwo_user_id_aabadc7d_fk_accounts_ FOREIGN KEY (user_id) REFERENCES public.accounts_user(subject_id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.accounts_user
    ADD CONSTRAINT accounts_user_subject_id_42174aa8_fk_accessrules_subject_id FOREIGN KEY (subject_id) REFERENCES public.accessrules_subject(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.applications_application
    ADD CONSTRAINT applications_applica_subject_id_dc31753f_fk_accessrul FOREIGN KEY (subject_id) REFERENCES public.accessrules_subject(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.auth_group_permissions
    ADD CONSTRAINT auth_group_permissio_permission_id_84c5c92e_fk_auth_perm FOREIGN KEY (permission_id) REFERENCES public.auth_permission(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.auth_group_permissions
    ADD CONSTRAINT auth_group_permissions_group_id_b120cbf9_fk_auth_group_id FOREIGN KEY (group_id) REFERENCES public.auth_group(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.auth_permission
    ADD CONSTRAINT auth_permission_content_type_id_2f476e4b_fk_django_co FOREIGN KEY (content_type_id) REFERENCES public.django_content_type(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.ui_tablepreference
    ADD CONSTRAINT ui_tablepreference_person_id_69263c04_fk_accounts_ FOREIGN KEY (person_id) REFERENCES public.accounts_user(subject_id) DEFERRABLE INITIALLY DEFERRED;
