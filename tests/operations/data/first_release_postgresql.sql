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
    CONSTRAINT subject_type_known CHECK (((type)::text = ANY ((ARRAY['user'::character varying, 'app'::character varying, 'group'::character varying])::text[])))
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
    CONSTRAINT audit_result_known CHECK (((result)::text = ANY ((ARRAY['Succeeded'::character varying, 'Failed'::character varying])::text[])))
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
    CONSTRAINT table_preference_density_known CHECK (((density)::text = ANY ((ARRAY['comfortable'::character varying, 'compact'::character varying])::text[]))),
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
	(1, 'maker@acme.example', '2026-11-29 18:05:13.577947+00', '2026-11-29 18:05:13.577953+00', NULL, 1, 2, '513c8302-7bf3-4ff2-88c1-3dccfa236af7', 'System administrator', 'acme', 'ada@acme.example', 'user', NULL),
	(2, 'maker@acme.example', '2026-11-29 18:05:13.594236+00', '2026-11-29 18:05:13.59424+00', NULL, 7, 3, '0490ff8b-739b-4652-a88a-6014296567d3', 'Viewer', 'east', 'rosa@i̇stanbul.example', 'user', NULL),
	(3, 'maker@acme.example', '2026-11-29 18:05:13.633277+00', '2026-11-29 18:05:13.633282+00', NULL, 7, 6, '0cf091f4-0ada-4b62-a97c-3ba0ab2f642e', 'Viewer', 'vision', 'zürich', 'group', NULL),
	(4, 'maker@acme.example', '2026-11-29 18:05:13.635528+00', '2026-11-29 18:05:13.635532+00', NULL, 3, 3, '84d54623-e170-4da8-8a44-b07ca3396c90', 'Editor', 'east', 'ｔｅａｍ', 'group', NULL),
	(5, 'maker@acme.example', '2026-11-29 18:05:13.760688+00', '2026-11-29 18:05:13.760694+00', NULL, 5, 3, 'a1c16427-d10f-4760-b5c4-de06bbfc55c8', 'L1 researcher', 'east', 'nightly', 'app', '2026-11-29 18:05:13.74962+00'),
	(6, 'maker@acme.example', '2026-11-29 18:05:13.773555+00', '2026-11-29 18:05:13.773559+00', NULL, 7, 6, 'a1c16427-d10f-4760-b5c4-de06bbfc55c8', 'Viewer', 'vision', 'nightly', 'app', '2026-11-29 18:05:13.74962+00'),
	(7, 'maker@acme.example', '2026-11-29 18:05:13.790797+00', '2026-11-29 18:05:13.7908+00', NULL, 7, 3, 'ec8af230-9836-4dcb-a796-291a7b2fce0f', 'Viewer', 'east', 'crawl', 'app', '2026-11-29 18:05:13.789005+00'),
	(8, 'maker@acme.example', '2026-11-29 18:05:13.7994+00', '2026-11-29 18:05:13.799404+00', '2026-11-29 18:05:13.800974+00', 3, 3, 'a1c16427-d10f-4760-b5c4-de06bbfc55c8', 'Editor', 'east', 'nightly', 'app', '2026-11-29 18:05:13.74962+00');
INSERT INTO public.accessrules_groupmembership VALUES
	(1, '0cf091f4-0ada-4b62-a97c-3ba0ab2f642e', '513c8302-7bf3-4ff2-88c1-3dccfa236af7'),
	(2, '0cf091f4-0ada-4b62-a97c-3ba0ab2f642e', '0490ff8b-739b-4652-a88a-6014296567d3');
INSERT INTO public.accessrules_role VALUES
	(1, 'System administrator', 'Runs the whole platform: organization structure, hardware, people, applications, access rules and general settings. Give it to very few people.', true, '{"apps": "crud", "jobs": "crud", "nodes": "r", "roles": "r", "users": "crud", "groups": "crud", "tenant": "r", "cluster": "crud", "project": "crud", "policies": "crud", "settings": "crud", "nodepools": "crud", "s3-assets": "crud", "templates": "crud", "trainings": "crud", "workloads": "crud", "department": "crud", "git-assets": "crud", "inferences": "crud", "nfs-assets": "crud", "pvc-assets": "crud", "workspaces": "crud", "credentials": "crud", "datavolumes": "crud", "access_rules": "crud", "environments": "crud", "personal-apps": "rd", "cluster-config": "crud", "events-history": "r", "cm-volume-assets": "crud", "host-path-assets": "crud", "compute-resources": "crud", "dashboards-overview": "r", "dashboards-analytics": "r", "secret-volume-assets": "crud", "dashboards-consumption": "r", "datavolumes/sharedscopes": "crud", "storage-class-configuration": "crud"}', 'Run:ai', '2026-11-29 18:05:12.972735+00', '2026-11-29 18:05:12.972741+00'),
	(3, 'Editor', 'Maintains departments and projects with their workloads and assets in the granted scope and may manage access rules there; sees the dashboards.', true, '{"apps": "r", "jobs": "crud", "nodes": "r", "roles": "r", "users": "r", "groups": "r", "tenant": "r", "cluster": "r", "project": "crud", "policies": "crud", "nodepools": "r", "s3-assets": "crud", "templates": "crud", "trainings": "crud", "workloads": "crud", "department": "crud", "git-assets": "crud", "inferences": "r", "nfs-assets": "crud", "pvc-assets": "crud", "workspaces": "crud", "credentials": "crud", "datavolumes": "crud", "access_rules": "crud", "environments": "crud", "cm-volume-assets": "crud", "host-path-assets": "crud", "compute-resources": "crud", "dashboards-overview": "r", "dashboards-analytics": "r", "secret-volume-assets": "crud", "dashboards-consumption": "r", "datavolumes/sharedscopes": "crud", "storage-class-configuration": "r"}', 'Run:ai', '2026-11-29 18:05:12.993021+00', '2026-11-29 18:05:12.993027+00'),
	(5, 'L1 researcher', 'Submits and manages workloads in the granted projects and also creates the workload assets they use; sees the dashboards.', true, '{"jobs": "crud", "tenant": "r", "cluster": "r", "project": "r", "policies": "r", "nodepools": "r", "s3-assets": "crud", "templates": "crud", "trainings": "crud", "workloads": "crud", "git-assets": "crud", "inferences": "r", "nfs-assets": "crud", "pvc-assets": "crud", "workspaces": "crud", "credentials": "crud", "datavolumes": "crud", "environments": "crud", "cm-volume-assets": "crud", "host-path-assets": "crud", "compute-resources": "crud", "dashboards-overview": "r", "dashboards-analytics": "r", "secret-volume-assets": "crud", "dashboards-consumption": "r", "storage-class-configuration": "r"}', 'Run:ai', '2026-11-29 18:05:13.00825+00', '2026-11-29 18:05:13.008256+00'),
	(7, 'Viewer', 'Looks at departments, projects and everything under them, and at the dashboards; changes nothing.', true, '{"jobs": "r", "nodes": "r", "tenant": "r", "cluster": "r", "project": "r", "policies": "r", "nodepools": "r", "s3-assets": "r", "templates": "r", "trainings": "r", "workloads": "r", "department": "r", "git-assets": "r", "inferences": "r", "nfs-assets": "r", "pvc-assets": "r", "workspaces": "r", "credentials": "r", "datavolumes": "r", "environments": "r", "cm-volume-assets": "r", "host-path-assets": "r", "compute-resources": "r", "dashboards-overview": "r", "dashboards-analytics": "r", "secret-volume-assets": "r", "dashboards-consumption": "r", "storage-class-configuration": "r"}', 'Run:ai', '2026-11-29 18:05:13.021549+00', '2026-11-29 18:05:13.021552+00');
INSERT INTO public.accessrules_scope VALUES
	(1, 'system', 'system', 'system', '', 0, '0000000000000000', 'system', '2026-11-29 18:05:13.070482+00', '2026-11-29 18:05:13.070486+00', NULL),
	(2, 'tenant', '1001', 'acme', 'system', 1, '00000000000000000000000000000001', 'system', '2026-11-29 18:05:13.081297+00', '2026-11-29 18:05:13.0813+00', 1),
	(3, 'cluster', 'e8a1bd29-5052-4b5f-9be4-ba66b9335902', 'east', 'tenant', 2, '000000000000000000000000000000019498349784618231', 'maker@acme.example', '2026-11-29 18:05:13.272671+00', '2026-11-29 18:05:13.272675+00', 2),
	(4, 'department', '148c2cf4-cc2c-470f-bcd3-b8f5fc1277c7', 'Zürich', 'cluster', 3, '0000000000000000000000000000000194983497846182311511111637155472', 'maker@acme.example', '2026-11-29 18:05:13.27378+00', '2026-11-29 18:05:13.273783+00', 3),
	(5, 'department', '684414aa-e06c-435f-9cc6-9dd75dc00c2f', 'Zürich', 'cluster', 3, '0000000000000000000000000000000194983497846182311962453582815747', 'maker@acme.example', '2026-11-29 18:05:13.280241+00', '2026-11-29 18:05:13.280245+00', 3),
	(6, 'department', 'd28fb2b1-ede1-4798-80ff-a5cbb9d6a1ee', 'vision', 'cluster', 3, '0000000000000000000000000000000194983497846182318293847595917246', 'maker@acme.example', '2026-11-29 18:05:13.288362+00', '2026-11-29 18:05:13.288367+00', 3),
	(7, 'project', 'bc40d80e-4c5d-43f3-b352-67278cf1cb85', 'vision-train', 'department', 4, '00000000000000000000000000000001949834978461823182938475959172466938267597372036', 'maker@acme.example', '2026-11-29 18:05:13.289203+00', '2026-11-29 18:05:13.289207+00', 6);
INSERT INTO public.accessrules_subject VALUES
	('513c8302-7bf3-4ff2-88c1-3dccfa236af7', 'user', 'ada@acme.example', true, NULL, 'ada@acme.example'),
	('0490ff8b-739b-4652-a88a-6014296567d3', 'user', 'rosa@İstanbul.example', true, NULL, 'rosa@i̇stanbul.example'),
	('0cf091f4-0ada-4b62-a97c-3ba0ab2f642e', 'group', 'Zürich', true, NULL, 'zürich'),
	('b0ed1327-b153-4ce7-a283-312df4dc46ff', 'group', 'Zürich', true, NULL, 'zürich'),
	('84d54623-e170-4da8-8a44-b07ca3396c90', 'group', 'ＴＥＡＭ', true, NULL, 'ｔｅａｍ'),
	('be13f907-a7d8-411a-8e0e-a496f82a94c1', 'group', 'TEAM', false, '2026-11-29 18:05:13.621571+00', 'team'),
	('a1c16427-d10f-4760-b5c4-de06bbfc55c8', 'app', 'nightly', true, NULL, 'nightly'),
	('6d8b06a3-4826-4086-ac29-363069319bb0', 'app', 'idle', false, NULL, 'idle'),
	('ec8af230-9836-4dcb-a796-291a7b2fce0f', 'app', 'crawl', true, NULL, 'crawl'),
	('c6ca2f6e-9725-45eb-b7d7-2094a9feed25', 'app', 'retired-one', false, '2026-11-29 18:05:13.821209+00', 'retired-one');
INSERT INTO public.accounts_signinnetwork VALUES
	(1, '192.0.2.1', '2026-11-29 18:05:13.601874+00', '513c8302-7bf3-4ff2-88c1-3dccfa236af7');
INSERT INTO public.accounts_user VALUES
	('argon2$argon2id$v=19$m=19456,t=2,p=1$MVJ2dnVmS1d4VDBoUGFONTZZS2M3WQ$w2oYkIWSIgLnoC3ZfL/bzzRQV+GMeO8soemnVXRpVng', NULL, '513c8302-7bf3-4ff2-88c1-3dccfa236af7', 'ada@acme.example', 'maker@acme.example', '2026-11-29 18:05:13.293115+00', '2026-11-29 18:05:13.293119+00', 'ada@acme.example
maker@acme.example', 'bc7b7566-8d84-410a-834d-e9906bbe5ed7', NULL, NULL),
	('!TDQLrZIqUf0G7wcJSOnYGBqMx1gaTpuqwqjMR0i9', NULL, '0490ff8b-739b-4652-a88a-6014296567d3', 'rosa@İstanbul.example', 'maker@acme.example', '2026-11-29 18:05:13.592303+00', '2026-11-29 18:05:13.592312+00', 'rosa@i̇stanbul.example
maker@acme.example', 'fc2d6610-d5cf-46be-ac31-ee994dd2914f', '6424e4b6-e7b0-4bf9-b196-50dee6425c1d', '2026-12-02 18:05:13.599209+00');
INSERT INTO public.api_attemptcount VALUES
	('kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk', 3, '2026-11-29 18:05:13.832268+00');
INSERT INTO public.api_idempotencykey VALUES
	(1, '513c8302-7bf3-4ff2-88c1-3dccfa236af7', 'once-only', 'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff', 'a1c16427-d10f-4760-b5c4-de06bbfc55c8', '2026-11-29 18:05:13.824221+00');
INSERT INTO public.applications_application VALUES
	('6d8b06a3-4826-4086-ac29-363069319bb0', '', '4666d4d1-04d6-445a-833b-d9c2cbac47c4', NULL, 'maker@acme.example', '2026-11-29 18:05:13.777519+00', '2026-11-29 18:05:13.777525+00', NULL, NULL, 'idle
maker@acme.example
', NULL, false),
	('ec8af230-9836-4dcb-a796-291a7b2fce0f', '', '80d96a60-cf7c-4a38-b464-13baff0d4d19', NULL, 'rosa@İstanbul.example', '2026-11-29 18:05:13.789005+00', '2026-11-29 18:05:13.789008+00', '2026-11-29 18:05:13.78893+00', 60, 'crawl
rosa@i̇stanbul.example
', 'Viewer in east', true),
	('a1c16427-d10f-4760-b5c4-de06bbfc55c8', '$argon2id$v=19$m=19456,t=2,p=1$TyraWSZ5NEZHIIKY/PqxKw$yrdDTvt637oItG66TKuLFDp3tV87e8gTINDP4sbz6+M', 'e959bc27-0525-40a2-9a53-ce884d5a3cae', NULL, 'maker@acme.example', '2026-11-29 18:05:13.74962+00', '2026-11-29 18:05:13.749629+00', NULL, NULL, 'nightly
maker@acme.example
', 'L1 researcher in east', true);
INSERT INTO public.applications_revokedtoken VALUES
	('b3709331-dedf-4251-ac33-17a373101e1e', '2026-11-29 18:05:13.840507+00');
INSERT INTO public.applications_search VALUES
	('a1c16427-d10f-4760-b5c4-de06bbfc55c8', 'nightly
maker@acme.example
'),
	('6d8b06a3-4826-4086-ac29-363069319bb0', 'idle
maker@acme.example
'),
	('ec8af230-9836-4dcb-a796-291a7b2fce0f', 'crawl
rosa@i̇stanbul.example
');
INSERT INTO public.applications_signingkey VALUES
	('key-1', '\x0001736563726574', '{"kty": "EC"}', '2026-11-29 18:05:13.841293+00', '2026-11-29 18:05:13.841297+00');
INSERT INTO public.audit_archive VALUES
	(1, 1, 2, '59a4aea4951675b7dcd52e91cf230f49b1c968c9b1be7756eda036f04e752d2e', 'audit-000000000001-000000000001.jsonl', 'd7188587586fba45b292e8949164b009a998dd4e4a299ca602443b72a3d5de87', '2026-11-29 18:05:13.949249+00', 'e6f76142ce17d6e4', 'dffc2ba1551d5907a0de6f1559dd68de95255de48074f215187df1b678965aca');
INSERT INTO public.audit_auditevent VALUES
	(3, '2026-11-29 18:05:13.950323+00', 'system', NULL, 'system', 'archive', 'audit', '1', 'audit-000000000001-000000000001.jsonl', 'Succeeded', '', '{"events": [2, 0]}', NULL, '', '', NULL, NULL, '482184302f7a23e1ce402a0580c15e1cee8b1e94abaa1d52d374ec353d8689fa'),
	(4, '2026-11-29 18:05:13.990848+00', 'user', '513c8302-7bf3-4ff2-88c1-3dccfa236af7', 'ada@acme.example', 'create', 'application', 'a1c16427-d10f-4760-b5c4-de06bbfc55c8', 'nightly', 'Succeeded', '', '{"name": ["", "nightly"]}', '192.0.2.1', 'POST', '/applications/new', '7e13b756-9fb2-48da-8398-13166585ca1d', NULL, 'd8cab8ecbba9ca0f52e9a6cb0394a2344dea59234cf2eb7e91587af09de6fe2f'),
	(5, '2026-11-29 18:05:13.991983+00', 'app', NULL, 'nightly', 'sign-in', 'application', '', 'nightly', 'Failed', 'wrong secret', '{}', NULL, '', '', NULL, 'dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd', '0f378cb9a2492a5e183aec3dece0f4b98f94079b64966ab52a2798d635173575'),
	(6, '2026-11-29 18:05:14.018095+00', 'user', '513c8302-7bf3-4ff2-88c1-3dccfa236af7', 'ada@acme.example', 'delete', 'access rule', '8', 'nightly', 'Succeeded', '', '{}', NULL, '', '', NULL, NULL, 'cd33c97b3b5f8eda043b6718f61e6d177e3960908139b39fcdd074780660f77d');
INSERT INTO public.audit_seal VALUES
	(2, '2026-11-29 18:05:14.008998+00', '2026-11-29 18:05:13.991983+00', '3-5', '59a4aea4951675b7dcd52e91cf230f49b1c968c9b1be7756eda036f04e752d2e', '1e2d8bfdf84710083c9f72857a7708af2da428cdd0eff2f3d48d40a76c1bb3d5', 'e6f76142ce17d6e4', '1121c53dd29337589943079fec73d3822367e8fb6b534141adde72e68438cc09');
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
	(1, 'accessrules', '0001_initial', '2026-11-29 18:05:08.005604+00'),
	(2, 'accessrules', '0002_folded_names', '2026-11-29 18:05:08.059428+00'),
	(3, 'accessrules', '0003_holders', '2026-11-29 18:05:08.217616+00'),
	(4, 'accessrules', '0004_orders', '2026-11-29 18:05:08.407305+00'),
	(5, 'accessrules', '0005_scope_in_role_index', '2026-11-29 18:05:08.440369+00'),
	(6, 'accessrules', '0006_wider_indexes', '2026-11-29 18:05:08.542206+00'),
	(7, 'accessrules', '0007_indexes_tell_more', '2026-11-29 18:05:08.760335+00'),
	(8, 'accessrules', '0008_creation_of_holders', '2026-11-29 18:05:08.825316+00'),
	(9, 'accounts', '0001_initial', '2026-11-29 18:05:08.887891+00'),
	(10, 'accounts', '0002_temporary_passwords', '2026-11-29 18:05:09.032985+00'),
	(11, 'accounts', '0003_groups', '2026-11-29 18:05:09.038942+00'),
	(12, 'accounts', '0004_sign_in_networks', '2026-11-29 18:05:09.2084+00'),
	(13, 'api', '0001_initial', '2026-11-29 18:05:09.292206+00'),
	(14, 'api', '0002_idempotency_key', '2026-11-29 18:05:09.313412+00'),
	(15, 'applications', '0001_initial', '2026-11-29 18:05:09.400364+00'),
	(16, 'applications', '0002_token_life', '2026-11-29 18:05:09.462157+00'),
	(17, 'applications', '0003_search_text', '2026-11-29 18:05:09.538493+00'),
	(18, 'applications', '0004_orders', '2026-11-29 18:05:10.338805+00'),
	(19, 'applications', '0005_search', '2026-11-29 18:05:10.526977+00'),
	(20, 'applications', '0006_search_text_ends', '2026-11-29 18:05:10.535725+00'),
	(21, 'applications', '0007_creation_in_indexes', '2026-11-29 18:05:10.816281+00'),
	(22, 'applications', '0008_search_in_its_own_table', '2026-11-29 18:05:11.309867+00'),
	(23, 'audit', '0001_initial', '2026-11-29 18:05:11.357572+00'),
	(24, 'audit', '0002_seals', '2026-11-29 18:05:11.540043+00'),
	(25, 'audit', '0003_guards', '2026-11-29 18:05:11.698643+00'),
	(26, 'audit', '0004_indexes', '2026-11-29 18:05:11.983859+00'),
	(27, 'audit', '0005_result_of_action', '2026-11-29 18:05:12.01623+00'),
	(28, 'contenttypes', '0001_initial', '2026-11-29 18:05:12.041561+00'),
	(29, 'contenttypes', '0002_remove_content_type_name', '2026-11-29 18:05:12.093401+00'),
	(30, 'auth', '0001_initial', '2026-11-29 18:05:12.21236+00'),
	(31, 'auth', '0002_alter_permission_name_max_length', '2026-11-29 18:05:12.23242+00'),
	(32, 'auth', '0003_alter_user_email_max_length', '2026-11-29 18:05:12.242367+00'),
	(33, 'auth', '0004_alter_user_username_opts', '2026-11-29 18:05:12.274103+00'),
	(34, 'auth', '0005_alter_user_last_login_null', '2026-11-29 18:05:12.301702+00'),
	(35, 'auth', '0006_require_contenttypes_0002', '2026-11-29 18:05:12.302613+00'),
	(36, 'auth', '0007_alter_validators_add_error_messages', '2026-11-29 18:05:12.31985+00'),
	(37, 'auth', '0008_alter_user_username_max_length', '2026-11-29 18:05:12.353216+00'),
	(38, 'auth', '0009_alter_user_last_name_max_length', '2026-11-29 18:05:12.386411+00'),
	(39, 'auth', '0010_alter_group_name_max_length', '2026-11-29 18:05:12.4332+00'),
	(40, 'auth', '0011_update_proxy_permissions', '2026-11-29 18:05:12.541722+00'),
	(41, 'auth', '0012_alter_user_first_name_max_length', '2026-11-29 18:05:12.568078+00'),
	(42, 'sessions', '0001_initial', '2026-11-29 18:05:12.616628+00'),
	(43, 'ui', '0001_table_preference', '2026-11-29 18:05:12.67273+00');
INSERT INTO public.django_session VALUES
	('dd9hffwc1q9l5ciwh9cp7i3b61t69mk7', 'eyJhIjoiYiJ9:1xXjGz:GH0tJwlkdPFu3eGo-uj4GUaZQyYvYZhOfJaWj-Hzeuk', '2026-11-30 06:05:13.852502+00');
INSERT INTO public.ui_tablepreference VALUES
	(1, 'applications', '["name", "status"]', 50, 'compact', '513c8302-7bf3-4ff2-88c1-3dccfa236af7');
SELECT pg_catalog.setval('public.accessrules_accessrule_id_seq', 8, true);
SELECT pg_catalog.setval('public.accessrules_groupmembership_id_seq', 2, true);
SELECT pg_catalog.setval('public.accessrules_scope_id_seq', 7, true);
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
CREATE UNIQUE INDEX scope_one_system_one_account ON public.accessrules_scope USING btree (type) WHERE ((type)::text = ANY ((ARRAY['system'::character varying, 'tenant'::character varying])::text[]));
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
