"""Settings from environment variables: one function per setting, with its default and its check.

README has the table of these settings. Their callers are `settings.py`, `serve` and the server.
"""

import ipaddress
import os
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

ENGINES = {
    "django.db.backends.sqlite3": "django.db.backends.sqlite3",
    "django.db.backends.postgresql": "runai_access.db.postgresql",
}
# Timeouts with which psycopg and libpq detect a dead server; DATABASE_URL can override each. The limits
# for statements and locks have their defaults in `runai_access.db.postgresql`.
POSTGRESQL_OPTIONS = {
    "connect_timeout": 3,
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    # Prepared statements for token lookups (`applications.oauth.lookups`).
    "prepare_threshold": 5,
}
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
# The issuer is stored with each linked identity.
MAX_ISSUER_LENGTH = 200
MAX_PROVIDER_NAME_LENGTH = 40
MAX_SECRET_DAYS = 36_500
MAX_DRAIN_SECONDS = 3600
MIN_SECRET_LENGTH = 32
MAX_WORKERS = 64
MIN_THREADS = 4
MAX_THREADS = 64
# A variable of 0.1.0.
_REPLACED_API_LIMIT = "RUNAI_ACCESS_API_REQUESTS_PER_SECOND"
# The variable in which `serve` passes the start message to the server.
START_MESSAGE = "_RUNAI_ACCESS_START_MESSAGE"


def text(name: str, default: str = "") -> str:
    """Return the variable without surrounding whitespace; an empty one counts as unset."""
    return os.environ.get(name, "").strip() or default


def flag(name: str, *, default: bool) -> bool:
    """Return a variable of 0 or 1 as a bool."""
    value = text(name)
    if value not in ("", "0", "1"):
        raise ImproperlyConfigured(f"{name} must be 0 or 1, not {value!r}.")
    return value == "1" if value else default


def positive_int(name: str, default: int) -> int:
    """Return a whole number of 1 or more."""
    value = text(name, str(default))
    if not value.isdecimal() or int(value) < 1:
        raise ImproperlyConfigured(f"{name} must be a whole number of 1 or more, not {value!r}.")
    return int(value)


def optional_positive_int(name: str) -> int | None:
    """Return a whole number of 1 or more, or None if the variable is not set."""
    return positive_int(name, 1) if text(name) else None


def workers() -> int | None:
    """Return the number of worker processes; None for as many as suit the machine."""
    number = optional_positive_int("RUNAI_ACCESS_WORKERS")
    return number and _at_most(MAX_WORKERS, "RUNAI_ACCESS_WORKERS", number)


def threads() -> int:
    """Return how many requests a worker process handles at the same time."""
    count = _at_most(MAX_THREADS, "RUNAI_ACCESS_THREADS", positive_int("RUNAI_ACCESS_THREADS", 12))
    if count < MIN_THREADS:
        raise ImproperlyConfigured(
            f"RUNAI_ACCESS_THREADS must be at least {MIN_THREADS}, not {count}: a password and a "
            "client secret that are being checked must leave threads for other requests."
        )
    return count


def _at_most(limit: int, name: str, number: int) -> int:
    if number > limit:
        raise ImproperlyConfigured(f"{name} must be at most {limit}, not {number}.")
    return number


def secret_days() -> tuple[int | None, int | None]:
    """Return the maximum age of client secrets and the days until they expire by default."""
    maximum = optional_positive_int("RUNAI_ACCESS_SECRET_MAX_AGE_DAYS")
    default = optional_positive_int("RUNAI_ACCESS_SECRET_EXPIRY_DAYS")
    _at_most(MAX_SECRET_DAYS, "RUNAI_ACCESS_SECRET_MAX_AGE_DAYS", maximum or 1)
    _at_most(MAX_SECRET_DAYS, "RUNAI_ACCESS_SECRET_EXPIRY_DAYS", default or 1)
    if maximum and default and default > maximum:
        raise ImproperlyConfigured(
            f"RUNAI_ACCESS_SECRET_EXPIRY_DAYS ({default}) must be at most "
            f"RUNAI_ACCESS_SECRET_MAX_AGE_DAYS ({maximum})."
        )
    return maximum, default or maximum


@dataclass(frozen=True)
class DormancyPolicy:
    """After how many days without use applications are warned and disabled; None for never.

    Applications with one of the labels, each `key=value`, are excluded.
    """

    warn_days: int | None = None
    disable_days: int | None = None
    excluded_labels: tuple[str, ...] = ()

    @property
    def is_on(self) -> bool:
        return self.warn_days is not None or self.disable_days is not None


def dormancy_policy(token_seconds: int) -> DormancyPolicy:
    """Return the dormancy policy; `token_seconds` is the longest lifetime of tokens."""
    warn_days = optional_positive_int("RUNAI_ACCESS_DORMANCY_WARN_DAYS")
    disable_days = optional_positive_int("RUNAI_ACCESS_DORMANCY_DISABLE_DAYS")
    _check_dormancy("RUNAI_ACCESS_DORMANCY_WARN_DAYS", warn_days, token_seconds)
    _check_dormancy("RUNAI_ACCESS_DORMANCY_DISABLE_DAYS", disable_days, token_seconds)
    if warn_days and disable_days and warn_days >= disable_days:
        raise ImproperlyConfigured(
            f"RUNAI_ACCESS_DORMANCY_WARN_DAYS ({warn_days}) must be less than "
            f"RUNAI_ACCESS_DORMANCY_DISABLE_DAYS ({disable_days})."
        )
    return DormancyPolicy(warn_days, disable_days, _dormancy_labels())


def _check_dormancy(name: str, days: int | None, token_seconds: int) -> None:
    if days and _at_most(MAX_SECRET_DAYS, name, days) * 24 * 3600 <= token_seconds:
        raise ImproperlyConfigured(
            f"{name} ({days}) must be longer than tokens are valid ({token_seconds} seconds), "
            "because using a token is not a login."
        )


def _dormancy_labels() -> tuple[str, ...]:
    labels = [label.strip() for label in text("RUNAI_ACCESS_DORMANCY_EXCLUDE").split(",")]
    for label in filter(None, labels):
        if not re.fullmatch(r"[^=\s]+=.+", label) or not label.isprintable():
            raise ImproperlyConfigured(
                "RUNAI_ACCESS_DORMANCY_EXCLUDE must list labels like env=prod, separated by commas, "
                f"not {label!r}."
            )
    return tuple(filter(None, labels))


def api_milliseconds_per_second() -> int:
    """Return how much server time an API caller can use in each process, in ms per second."""
    if text(_REPLACED_API_LIMIT):
        raise ImproperlyConfigured(
            f"{_REPLACED_API_LIMIT} no longer exists, because the API limits server time instead of "
            "requests. Unset it, or set RUNAI_ACCESS_API_MILLISECONDS_PER_SECOND."
        )
    return positive_int("RUNAI_ACCESS_API_MILLISECONDS_PER_SECOND", 500)


def choice(name: str, *choices: str) -> str:
    """Return one of `choices`, in lower case; the first by default."""
    value = text(name, choices[0]).lower()
    if value not in choices:
        raise ImproperlyConfigured(f"{name} must be {', '.join(choices)}, not {value!r}.")
    return value


def log_format() -> str:
    """Return how log lines are written: text or json."""
    return choice("RUNAI_ACCESS_LOG_FORMAT", "text", "json")


def drain_seconds() -> float:
    """Return how long a server that is asked to stop still answers new requests, in seconds."""
    value = text("RUNAI_ACCESS_DRAIN_SECONDS", "0")
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", value) or float(value) > MAX_DRAIN_SECONDS:
        raise ImproperlyConfigured(
            "RUNAI_ACCESS_DRAIN_SECONDS must be a number of seconds from 0 to "
            f"{MAX_DRAIN_SECONDS}, not {value!r}."
        )
    return float(value)


def port() -> int:
    """Return the port to listen on."""
    return _at_most(65535, "PORT", positive_int("PORT", 8000))


def metrics_port() -> int | None:
    """Return the port of /metrics; None if metrics are not published."""
    number = optional_positive_int("RUNAI_ACCESS_METRICS_PORT")
    if number and _at_most(65535, "RUNAI_ACCESS_METRICS_PORT", number) == port():
        raise ImproperlyConfigured("RUNAI_ACCESS_METRICS_PORT must differ from PORT.")
    return number


def database(default: str) -> dict[str, Any]:
    """Return Django's database settings from DATABASE_URL.

    It can list multiple hosts, as in libpq: postgres://user@one:5432,two:5432/name.
    """
    return database_settings(text_or_file("DATABASE_URL") or default)


def database_settings(given: str) -> dict[str, Any]:
    """Return Django's database settings from a URL."""
    url, hosts = _without_hosts(given)
    try:
        parsed: dict[str, Any] = dict(dj_database_url.parse(url))
    except ValueError:
        parsed = {}
    if parsed.get("ENGINE") not in ENGINES:
        # The URL can contain a password, so the message does not repeat it.
        raise ImproperlyConfigured(
            "DATABASE_URL must look like postgres://user:password@host:5432/name or "
            "sqlite:////folder/file.sqlite3."
        )
    if parsed["ENGINE"].endswith("postgresql"):
        parsed["OPTIONS"] = {**POSTGRESQL_OPTIONS, **parsed.get("OPTIONS", {})}
        for name in ("statement_timeout", "lock_timeout"):
            if not isinstance(parsed["OPTIONS"].get(name, 0), int):
                raise ImproperlyConfigured(f"DATABASE_URL: {name} must be milliseconds, like 5000.")
    parsed.update(hosts, ENGINE=ENGINES[parsed["ENGINE"]])
    return parsed


def _without_hosts(url: str) -> tuple[str, dict[str, str]]:
    """Return the URL with a single host, and HOST and PORT settings if it had multiple hosts."""
    parts = urlsplit(url)
    user, at, hosts = parts.netloc.rpartition("@")
    if "," not in hosts:
        return url, {}
    servers = [urlsplit(f"//{host}") for host in hosts.split(",")]
    try:
        settings = {
            "HOST": ",".join(server.hostname or "" for server in servers),
            "PORT": ",".join(str(server.port or 5432) for server in servers),
        }
    except ValueError:  # a port is not a number: the caller refuses the URL
        return url, {}
    return parts._replace(netloc=f"{user}{at}localhost").geturl(), settings


def public_url() -> str:
    """Return the URL of the installation, without a trailing slash.

    It is the token issuer and determines allowed hosts, CSRF origins and secure cookies. The Host
    header never does.
    """
    url = text("RUNAI_ACCESS_URL", f"http://127.0.0.1:{port()}").rstrip("/")
    parts = urlsplit(url)
    is_plain = url.isascii() and not (parts.path or parts.query or parts.fragment)
    if parts.scheme not in ("http", "https") or not parts.hostname or not is_plain:
        raise ImproperlyConfigured(
            f"RUNAI_ACCESS_URL must look like https://access.example.com, not {url!r}."
        )
    return url


def allowed_hosts(url: str) -> list[str]:
    """Return Django's ALLOWED_HOSTS.

    They are the host of the public URL, the names of this machine, and the hosts in
    RUNAI_ACCESS_ALLOWED_HOSTS, such as a Kubernetes service name. Links and the token issuer always
    use the public URL.
    """
    names = [name.strip() for name in text("RUNAI_ACCESS_ALLOWED_HOSTS").split(",")]
    added = [_host(name, name) for name in names if name]
    return [_host(urlsplit(url).hostname or "", url), "127.0.0.1", "localhost", "[::1]", *added]


def _host(name: str, written: str) -> str:
    """Return a host as in a Host header; raise ImproperlyConfigured for a port or a pattern."""
    bare = name.strip("[]").rstrip(".").lower()
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        if not re.fullmatch(r"[a-z0-9_]([-a-z0-9_.]*[a-z0-9_])?", bare):
            raise ImproperlyConfigured(
                "RUNAI_ACCESS_ALLOWED_HOSTS must list host names or addresses without a port, "
                f"separated by commas, not {written!r}."
            ) from None
        return bare
    return f"[{address}]" if address.version == 6 else str(address)


def trusted_proxies() -> list[Network]:
    """Return the networks whose X-Forwarded-For is trusted; none by default."""
    names = [name.strip() for name in text("RUNAI_ACCESS_TRUSTED_PROXIES").split(",")]
    try:
        return [ipaddress.ip_network(name, strict=False) for name in names if name]
    except ValueError as error:
        raise ImproperlyConfigured(
            "RUNAI_ACCESS_TRUSTED_PROXIES must list addresses or networks, separated by commas: "
            f"{error}."
        ) from error


def security_contacts() -> list[str]:
    """Return the URIs for vulnerability reports (RFC 9116 §2.5.3); none by default."""
    names = [name.strip() for name in text("RUNAI_ACCESS_SECURITY_CONTACT").split(",")]
    return [_contact(name) for name in names if name]


def _contact(name: str) -> str:
    """Return a contact as a URI; an email address gets the scheme mailto."""
    uri = f"mailto:{name}" if re.fullmatch(r"[^@:/]+@[^@:/]+", name) else name
    if not re.fullmatch(r"mailto:[!-?A-~]+@[!-?A-~]+|https://[!-~]+|tel:[+0-9().-]+", uri):
        raise ImproperlyConfigured(
            "RUNAI_ACCESS_SECURITY_CONTACT must list email addresses, https:// URLs or tel: numbers, "
            f"separated by commas, not {name!r}."
        )
    return uri


def var_dir(source_tree: Path | None) -> Path:
    """Return the folder for this installation's files; `var/` in a source tree by default.

    Without a source tree it is the user's data folder (XDG Base Directory Specification).
    """
    if chosen := text("RUNAI_ACCESS_VAR"):
        return Path(chosen).absolute()
    if source_tree:
        return source_tree / "var"
    try:
        data = text("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    except RuntimeError:
        raise ImproperlyConfigured(
            "Set RUNAI_ACCESS_VAR to a folder, because this user has no home folder."
        ) from None
    return Path(data).absolute() / "runai-access"


def help_contact() -> tuple[str, str]:
    """Return whom users can ask who can't sign in, and a link to them. Both can be empty."""
    contact = text("RUNAI_ACCESS_HELP_CONTACT")
    if len(contact) > 200 or not contact.isprintable():
        raise ImproperlyConfigured("RUNAI_ACCESS_HELP_CONTACT must be one line of 200 characters.")
    if re.fullmatch(r"[^@:/\s]+@[^@:/\s]+", contact):
        return contact, f"mailto:{contact}"
    return contact, contact if re.fullmatch(r"https://[!-~]+", contact) else ""


@dataclass(frozen=True)
class OpenIDProvider:
    """An OpenID Connect provider, and what this installation expects from it."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    name: str
    scopes: tuple[str, ...]
    groups_claim: str
    creates_users: bool
    trusts_email: bool


def openid_provider() -> OpenIDProvider | None:
    """Return the OpenID Connect provider that users sign in with; None without an issuer."""
    issuer = text("RUNAI_ACCESS_OIDC_ISSUER")
    client_id = text("RUNAI_ACCESS_OIDC_CLIENT_ID")
    client_secret = text_or_file("RUNAI_ACCESS_OIDC_CLIENT_SECRET")
    if not (issuer or client_id or client_secret):
        return None
    if not (issuer and client_id and client_secret):
        raise ImproperlyConfigured(
            "Set RUNAI_ACCESS_OIDC_ISSUER, RUNAI_ACCESS_OIDC_CLIENT_ID and "
            "RUNAI_ACCESS_OIDC_CLIENT_SECRET together."
        )
    scopes = text("RUNAI_ACCESS_OIDC_SCOPES", "openid email profile").split()
    if "openid" not in scopes:
        raise ImproperlyConfigured("RUNAI_ACCESS_OIDC_SCOPES must include openid.")
    name = text("RUNAI_ACCESS_OIDC_NAME", "single sign-on")
    if len(name) > MAX_PROVIDER_NAME_LENGTH or not name.isprintable():
        raise ImproperlyConfigured(
            f"RUNAI_ACCESS_OIDC_NAME must be one line of {MAX_PROVIDER_NAME_LENGTH} characters."
        )
    return OpenIDProvider(
        issuer=_issuer(issuer),
        client_id=client_id,
        client_secret=client_secret,
        name=name,
        scopes=tuple(scopes),
        groups_claim=text("RUNAI_ACCESS_OIDC_GROUPS_CLAIM", "groups"),
        creates_users=flag("RUNAI_ACCESS_OIDC_CREATE_USERS", default=False),
        trusts_email=flag("RUNAI_ACCESS_OIDC_TRUST_EMAIL", default=False),
    )


def _issuer(url: str) -> str:
    """Return the issuer exactly as given: ID tokens must contain the same text."""
    parts = urlsplit(url)
    # Without TLS, anyone on the way could sign in as anyone.
    is_safe = parts.scheme == "https" or (
        parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")
    )
    is_plain = url.isascii() and url.isprintable() and not (parts.query or parts.fragment)
    if not (is_safe and parts.hostname and is_plain) or len(url) > MAX_ISSUER_LENGTH:
        raise ImproperlyConfigured(
            "RUNAI_ACCESS_OIDC_ISSUER must look like https://login.example.com, with at most "
            f"{MAX_ISSUER_LENGTH} characters, not {url!r}."
        )
    return url


def local_sign_in(*, has_provider: bool) -> str:
    """Return who can sign in with a password: everyone, administrators or off."""
    value = choice("RUNAI_ACCESS_LOCAL_SIGN_IN", "everyone", "administrators", "off")
    if value != "everyone" and not has_provider:
        raise ImproperlyConfigured(
            f"RUNAI_ACCESS_LOCAL_SIGN_IN is {value}, but no RUNAI_ACCESS_OIDC_ISSUER is set, so "
            "the other users could not sign in."
        )
    return value


def passkey_domain(url: str) -> str | None:
    """Return the domain of passkeys, or None if browsers offer none at this URL.

    They require TLS and a domain, or the name localhost (WebAuthn §5.1.3).
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host if parts.scheme == "https" or host == "localhost" else None
    return None


def secret_key(file: Path, *, required: bool) -> str:
    """Return the secret key; by default it is generated on first use and stored in `file` (0600).

    `required`: it must come from the environment, because replicas on different machines would
    otherwise have different keys.
    """
    if value := secret("RUNAI_ACCESS_SECRET_KEY"):
        return value
    if required:
        raise ImproperlyConfigured(
            "RUNAI_ACCESS_SECRET_KEY is required with PostgreSQL: every replica needs the same "
            "key. Generate one with: python3 -c 'import secrets; print(secrets.token_urlsafe(50))'"
        )
    return _key_from(file)


def text_or_file(name: str) -> str:
    """Return the variable, or the content of the file that the variable NAME_FILE names."""
    value, file = text(name), text(f"{name}_FILE")
    if value and file:
        raise ImproperlyConfigured(f"Set {name} or {name}_FILE, not both.")
    if not file:
        return value
    try:
        value = Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise ImproperlyConfigured(f"{name}_FILE: can't read {file}: {reason}.") from error
    if not value:
        raise ImproperlyConfigured(f"{name}_FILE: {file} is empty.")
    return value


def secret(name: str) -> str:
    """Return a secret, from a variable or a file; an empty one is unset."""
    value = text_or_file(name)
    if value and len(value) < MIN_SECRET_LENGTH:
        raise ImproperlyConfigured(f"{name} must have {MIN_SECRET_LENGTH} characters or more.")
    return value


def _key_from(file: Path) -> str:
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f"{file.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(secrets.token_urlsafe(50))
            stream.flush()
            os.fsync(stream.fileno())
        try:
            # Linking is atomic, and never replaces another process's key.
            os.link(draft, file)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return file.read_text().strip()
