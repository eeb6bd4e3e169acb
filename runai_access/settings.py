"""Django settings. All settings for operators come from `environment`; see README."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from runai_access import environment

BASE_DIR = Path(__file__).resolve().parent.parent
# False if this package was installed from a wheel, which contains templates and static files.
IS_SOURCE_TREE = (BASE_DIR / "pyproject.toml").is_file()
# What operators call for a command.
COMMAND = "manage.py" if IS_SOURCE_TREE else "runai-access"
VAR_DIR = environment.var_dir(BASE_DIR if IS_SOURCE_TREE else None)

PUBLIC_URL = environment.public_url()
IS_HTTPS = PUBLIC_URL.startswith("https://")
TRUSTED_PROXIES = environment.trusted_proxies()
SECURITY_CONTACTS = environment.security_contacts()

DEBUG = False
ALLOWED_HOSTS = environment.allowed_hosts(PUBLIC_URL)
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

ROOT_URLCONF = "runai_access.urls"
WSGI_APPLICATION = "runai_access.wsgi.application"

INSTALLED_APPS = [
    "runai_access",  # first, so that its commands override those of other apps
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_filters",
    "django_htmx",
    "django_tables2",
    "rest_framework",
    "drf_spectacular",
    "allauth.account",  # required by the next one
    "allauth.socialaccount",
    "allauth.mfa",
    "runai_access.api",
    "runai_access.lists",
    "runai_access.ui",
    "runai_access.maintenance",
    "runai_access.audit",
    "accessrules",
    "runai_access.accounts",
    "runai_access.activity",
    "applications",
    "runai_access.scim",
]

MIDDLEWARE = [
    "runai_access.request_log.ObservationMiddleware",
    "runai_access.middleware.SecurityHeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # After WhiteNoise, which serves precompressed files.
    "runai_access.compression.CompressionMiddleware",
    "runai_access.middleware.OriginMiddleware",
    "runai_access.middleware.LargeBodyMiddleware",
    "runai_access.middleware.DatabaseAwayMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "runai_access.ui.times.TimesMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "runai_access.accounts.middleware.SignInMiddleware",
    "runai_access.accounts.middleware.SessionUseMiddleware",
    "runai_access.accounts.middleware.OwnPasswordMiddleware",
    "runai_access.accounts.middleware.EnrollmentMiddleware",
    "runai_access.ui.messages.PageMessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "runai_access.middleware.RefusalMiddleware",
]

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"] if IS_SOURCE_TREE else [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "runai_access.ui.context_processors.shell",
            ],
            "libraries": {"lucide": "runai_access.ui.templatetags.icons"},
        },
    },
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# Database: SQLite in VAR_DIR for a single machine, PostgreSQL for multiple replicas.

DATABASES = {"default": environment.database(f"sqlite:///{VAR_DIR / 'runai-access.sqlite3'}")}
_database = DATABASES["default"]
IS_SQLITE = _database["ENGINE"] == "django.db.backends.sqlite3"
if IS_SQLITE:
    _database["OPTIONS"] = {
        # IMMEDIATE acquires the write lock at BEGIN, so that a transaction never fails halfway. WAL
        # lets readers continue meanwhile. FULL makes committed writes survive a power failure.
        # Recursive triggers protect the audit log against REPLACE. The cache is small, because every
        # thread has a connection, and the operating system caches the file.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-512;"
            "PRAGMA recursive_triggers=ON;"
        ),
    }
else:
    _database["CONN_HEALTH_CHECKS"] = True
# Each thread keeps its connection: connecting costs more than the queries of most requests.
_database["CONN_MAX_AGE"] = 600
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

SECRET_KEY = environment.secret_key(VAR_DIR / "secret_key", required=not IS_SQLITE)
# Accepted, never used for anything new: see docs/secret-key.md.
SECRET_KEY_FALLBACKS = list(filter(None, [environment.secret("RUNAI_ACCESS_SECRET_KEY_PREVIOUS")]))

# The account (tenant): one per installation.

ACCOUNT_ID = environment.positive_int("RUNAI_ACCESS_ACCOUNT_ID", 1001)
ACCOUNT_NAME = environment.text("RUNAI_ACCESS_ACCOUNT_NAME", "acme")

# Audit log: `archive_audit` moves older rows to a file.

# A file, or "-" for standard output, to which each sealed row is written.
AUDIT_LOG = environment.text("RUNAI_ACCESS_AUDIT_LOG")
AUDIT_RETENTION_DAYS = environment.positive_int("RUNAI_ACCESS_AUDIT_RETENTION_DAYS", 400)

# Users.

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["runai_access.accounts.backends.EmailBackend"]
PASSWORD_HASHERS = ["runai_access.accounts.hashers.BoundedArgon2Hasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "runai_access.accounts.strength.StrengthValidator"},
]
SESSION_ENGINE = "runai_access.accounts.sessions"
# A session ends this long after its last request; that time is stored in steps of the precision.
SESSION_IDLE_SECONDS = environment.positive_int("RUNAI_ACCESS_SESSION_IDLE_SECONDS", 2 * 60 * 60)
SESSION_PRECISION_SECONDS = min(60, SESSION_IDLE_SECONDS // 4)
# Dangerous actions require a password, or another proof, that is at most this old.
REAUTHENTICATION_SECONDS = environment.positive_int(
    "RUNAI_ACCESS_REAUTHENTICATION_SECONDS", 15 * 60
)
# Single sign-on. django-allauth runs the code flow and stores identities; `accounts.sso` does the rest.
OIDC = environment.openid_provider()
LOCAL_SIGN_IN = environment.local_sign_in(has_provider=OIDC is not None)
SOCIALACCOUNT_ADAPTER = "runai_access.accounts.sso.provider.SocialAccountAdapter"
SOCIALACCOUNT_STORE_TOKENS = False
# Second factors. django-allauth stores them; `accounts.mfa` has the flows.
REQUIRE_MFA = environment.choice("RUNAI_ACCESS_REQUIRE_MFA", "off", "administrators", "everyone")
# The relying party ID of passkeys (WebAuthn §5.1.2): a domain, with TLS; None without passkeys.
PASSKEY_DOMAIN = environment.passkey_domain(PUBLIC_URL)
MFA_ADAPTER = "runai_access.accounts.mfa.adapter.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_WEBAUTHN_USER_VERIFICATION = "required"
MFA_TOTP_TOLERANCE = 1
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*"]
LOGIN_URL = "accounts:sign-in"
LOGIN_REDIRECT_URL = "home"
# Failed sign-ins within SIGN_IN_LOCK_SECONDS: of a user at an address, from an address (IPv6: /64),
# from a site (IPv6: /48), and of a user at all addresses.
SIGN_IN_FAILURES = 5
SIGN_IN_ADDRESS_FAILURES = environment.positive_int("RUNAI_ACCESS_SIGN_IN_ADDRESS_FAILURES", 30)
SIGN_IN_NETWORK_FAILURES = environment.positive_int("RUNAI_ACCESS_SIGN_IN_NETWORK_FAILURES", 300)
SIGN_IN_USER_FAILURES = environment.positive_int("RUNAI_ACCESS_SIGN_IN_USER_FAILURES", 20)
SIGN_IN_LOCK_SECONDS = 15 * 60
# Above SIGN_IN_USER_FAILURES, all addresses without a sign-in of the user for SIGN_IN_NETWORK_DAYS
# share one attempt per SIGN_IN_NEW_NETWORK_SECONDS.
SIGN_IN_NEW_NETWORK_SECONDS = 10
SIGN_IN_NETWORK_DAYS = 90
# Wrong codes of a user after the right password, at all addresses. Three of a million codes are valid
# at a time, so guesses from many addresses succeed once in 16,000 days.
SECOND_FACTOR_FAILURES = 20
SECOND_FACTOR_LOCK_SECONDS = 24 * 60 * 60
# How long a sign-in waits for the second factor.
SECOND_FACTOR_SECONDS = 10 * 60
# Whom to ask, on the sign-in page.
HELP_CONTACT = environment.help_contact()
# How long a user can sign in with a temporary password, which an admin has seen, to replace it.
TEMPORARY_PASSWORD_SECONDS = 7 * 24 * 60 * 60

# Client secrets: their maximum age, and the expiry of new ones if none is chosen. None means no limit.

SECRET_MAX_AGE_DAYS, SECRET_EXPIRY_DAYS = environment.secret_days()

# Tokens.

TOKEN_LIFETIME_SECONDS = environment.positive_int("RUNAI_ACCESS_TOKEN_LIFETIME", 3600)
TOKEN_LIFETIME_MAX_SECONDS = max(24 * 60 * 60, TOKEN_LIFETIME_SECONDS)
TOKEN_LEEWAY_SECONDS = 60
# What happens to applications that nobody uses; nothing by default.
DORMANCY = environment.dormancy_policy(TOKEN_LIFETIME_MAX_SECONDS)
# Tokens for users by the password grant, which RFC 9700 §2.4 advises against.
PASSWORD_GRANT = environment.flag("RUNAI_ACCESS_PASSWORD_GRANT", default=False)
USER_SIGN_IN = "runai_access.accounts.signin.sign_in_for_token"
USER_REQUIRES_SECOND_FACTOR = "runai_access.accounts.policy.requires_second_factor"
SIGNING_KEY_DAYS = environment.positive_int("RUNAI_ACCESS_SIGNING_KEY_DAYS", 90)

# Cookies and transport.

# Without TLS, all ports of a host share cookies, so the names include the product and the port.
_COOKIES = "__Host-" if IS_HTTPS else f"runai-access-{urlsplit(PUBLIC_URL).port or 80}-"
SESSION_COOKIE_NAME = f"{_COOKIES}session"
SESSION_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = environment.positive_int("RUNAI_ACCESS_SESSION_LIFETIME_SECONDS", 12 * 60 * 60)
CSRF_COOKIE_NAME = f"{_COOKIES}csrf"
CSRF_COOKIE_SECURE = IS_HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "runai_access.accounts.views.signing_in.csrf_failure"
SECURE_SSL_REDIRECT = IS_HTTPS
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = IS_HTTPS
SECURE_HSTS_PRELOAD = IS_HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Our SecurityHeadersMiddleware sends X-Frame-Options, on errors too.
SILENCED_SYSTEM_CHECKS = ["security.W002"]
if not IS_HTTPS:
    # HSTS, the redirect to HTTPS and secure cookies follow from an https:// RUNAI_ACCESS_URL.
    SILENCED_SYSTEM_CHECKS += ["security.W004", "security.W008", "security.W012", "security.W016"]
# A cookie, not the session: showing a message on a GET must not write to the database.
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
# 1,000 selected rows and the other fields of the form.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1100

# Pages.

LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"
# No other site needs our scripts and styles; one header less in each response.
WHITENOISE_ALLOW_ALL_ORIGINS = False
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"] if IS_SOURCE_TREE else []
STORAGES = {
    "staticfiles": {"BACKEND": "runai_access.static_files.StaticFiles"},
}
DJANGO_TABLES2_TEMPLATE = "lists/_table.html"

# Server.

# Requests that a worker process handles at the same time; each thread has a database connection.
THREADS = environment.threads()
DRAIN_SECONDS = environment.drain_seconds()

# API.

# Server time per caller and process: see runai_access.api.throttling.
API_MILLISECONDS_PER_SECOND = environment.api_milliseconds_per_second()
API_MILLISECONDS_BURST = 10 * API_MILLISECONDS_PER_SECOND

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "applications.oauth.authentication.BearerAuthentication",
        "runai_access.accounts.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["runai_access.api.renderers.FastJSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["runai_access.api.parsers.JSONObjectParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "runai_access.api.negotiation.JSONAlways",
    "EXCEPTION_HANDLER": "runai_access.api.errors.exception_handler",
    "UNAUTHENTICATED_USER": None,
    # OPTIONS would show docstrings, which are for developers.
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "runai_access.api.schema.ContractSchema",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "runai-access",
    "DESCRIPTION": "Applications, access rules and tokens.",
    "VERSION": "1",
    "CONTACT": {"name": "The administrators of this installation"},
    "LICENSE": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    "SERVERS": [{"url": "/", "description": "The server that provides this document."}],
    "TAGS": [
        {"name": "Tokens", "description": "Get, verify, introspect and revoke tokens."},
        {
            "name": "Applications",
            "description": "Machine credentials. Newer clients call applications service accounts.",
        },
        {"name": "Access rules", "description": "Each grants a subject a role in a scope."},
        {"name": "Roles", "description": "The predefined roles and their permissions."},
        {
            "name": "Effective access",
            "description": "The permissions of a subject, and the subjects with access to a scope.",
        },
        {"name": "Me", "description": "The caller's own permissions and access rules."},
        {"name": "Organization", "description": "Clusters, departments and projects."},
        {"name": "Users", "description": "The users who sign in to the console."},
        {"name": "Audit log", "description": "Who changed what, when, and from where."},
        {"name": "Overview", "description": "What needs attention in this installation."},
    ],
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "COMPONENT_SPLIT_PATCH": False,
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            "client": {"type": "http", "scheme": "basic"},
        },
        "headers": {
            "WWW-Authenticate": {
                "description": "The required authentication scheme (RFC 9110 §11.6.1).",
                "required": True,
                "schema": {"type": "string"},
            },
            "Retry-After": {
                "description": "Seconds to wait (RFC 9110 §10.2.3).",
                "required": True,
                "schema": {"type": "integer", "minimum": 1},
            },
            "RateLimit-Policy": {
                "description": (
                    "The server time of a caller in each worker process "
                    "(draft-ietf-httpapi-ratelimit-headers-10): `q` milliseconds in `w` seconds."
                ),
                "schema": {"type": "string"},
                "example": '"server-ms";q=5000;w=10',
            },
            "RateLimit": {
                "description": (
                    "The caller's remaining milliseconds `r` in this worker process. If none remain, "
                    "`t` is the number of seconds until the next request is possible."
                ),
                "schema": {"type": "string"},
                "example": '"server-ms";r=4987',
            },
            "X-Total-Count": {
                "description": "The number of matching items, on all pages, if it is known.",
                "schema": {"type": "integer", "minimum": 0},
            },
            "X-Total-Count-At-Least": {
                "description": "Instead of `X-Total-Count`: that many items match, or more.",
                "schema": {"type": "integer", "minimum": 0},
            },
            "X-Search-Incomplete": {
                "description": "This page has fewer items than `limit`, because the search continues"
                " on the next page.",
                "schema": {"type": "string", "enum": ["true"]},
            },
            "Link": {
                "description": "The next and the previous page (RFC 8288), if any.",
                "schema": {"type": "string"},
            },
            "Deprecation": {
                "description": "When it was deprecated (RFC 9745); `Link` points to the successor.",
                "schema": {"type": "string", "pattern": "^@[0-9]+$"},
            },
        },
    },
    "AUTHENTICATION_WHITELIST": ["applications.oauth.authentication.BearerAuthentication"],
    "POSTPROCESSING_HOOKS": ["runai_access.api.examples.add_examples"],
}

LOG_FORMAT = environment.log_format()
# No debug: libraries then log what they send.
LOG_LEVEL = environment.choice("RUNAI_ACCESS_LOG_LEVEL", "warning", "info", "error").upper()
REQUEST_LOG = environment.flag("RUNAI_ACCESS_REQUEST_LOG", default=False)
METRICS_PORT = environment.metrics_port()

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {
            "()": "runai_access.logs.LineFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s: %(message)s",
        },
        "json": {"()": "runai_access.logs.JSONFormatter"},
    },
    "filters": {
        "repeats": {"()": "runai_access.logs.RepeatFilter"},
        "logged-elsewhere": {"()": "runai_access.logs.LoggedElsewhere"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": LOG_FORMAT,
            "filters": ["repeats"],
        },
        # Its lines are alike, and all of them are wanted.
        "requests": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT},
    },
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": ["console"], "level": LOG_LEVEL, "propagate": False},
        "runai_access.requests": {"handlers": ["requests"], "level": "INFO", "propagate": False},
        # One line an hour, which can show that the end of the audit log was removed.
        "runai_access.audit.head": {"level": "INFO"},
        # A refused request needs no action, and the audit log has the relevant ones.
        "django.request": {"level": "ERROR", "filters": ["logged-elsewhere"]},
        # An invalid Host header is bad input like any other: no log line, let alone a traceback.
        "django.security.DisallowedHost": {"level": "CRITICAL"},
    },
}
