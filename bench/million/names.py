"""The names and numbers of the generated data. The same every time."""

import random
import uuid
from datetime import UTC, datetime

PASSWORD = "correct-horse-battery-staple"  # noqa: S105  # of a temporary database
ADMINISTRATOR = "alex.admin@example.com"
DEPARTMENT_ADMINISTRATOR = "dina.department@example.com"
PROJECTS, DEPARTMENTS, CLUSTERS = 5_000, 100, 10
RULES_EACH = 2
RARE = "heron"
MANY, NONE = "prod", "no-such-thing"
SOMEBODY = "ana.abe0@acme.example"
RARE_EVERY = 40_000
ROLES = {
    "Viewer": 30, "L1 researcher": 30, "ML engineer": 20, "L2 researcher": 10, "Editor": 9,
    "Department administrator": 1,
}  # fmt: skip
START, DAYS = datetime(2024, 1, 1, tzinfo=UTC), 700

_TEAMS = [
    "vision",
    "speech",
    "search",
    "ads",
    "maps",
    "robotics",
    "finance",
    "fraud",
    "risk",
    "pricing",
    "supply",
    "routing",
    "genomics",
    "imaging",
    "climate",
    "weather",
    "recsys",
    "ranking",
    "chat",
    "voice",
    "video",
    "music",
    "docs",
    "mail",
    "photos",
    "games",
    "health",
    "labs",
    "quality",
    "security",
    "identity",
    "platform",
    "data",
    "storage",
    "network",
    "edge",
    "mobile",
    "web",
    "growth",
    "sales",
]
_JOBS = [
    "train",
    "serve",
    "eval",
    "label",
    "ingest",
    "export",
    "batch",
    "stream",
    "sweep",
    "tune",
    "distill",
    "quantize",
    "embed",
    "index",
    "cache",
    "probe",
    "monitor",
    "deploy",
    "release",
    "backup",
    "report",
    "notebook",
    "sync",
    "crawl",
]
_STAGES = ("prod", "prod", "staging", "test", "dev")
_FIRST = [
    "ana",
    "ben",
    "chloé",
    "dana",
    "emre",
    "farid",
    "grace",
    "hiro",
    "ines",
    "jan",
    "kofi",
    "lena",
    "mia",
    "noor",
    "olga",
    "paul",
    "quinn",
    "rosa",
    "sami",
    "tara",
]
_LAST = [
    "abe",
    "berg",
    "costa",
    "díaz",
    "evans",
    "fischer",
    "garcia",
    "hansen",
    "ito",
    "jones",
    "kim",
    "lopez",
    "müller",
    "novak",
    "okafor",
    "petrov",
    "rossi",
    "silva",
    "tanaka",
    "weber",
]


def name_of(number: int) -> str:
    """Return the name of an application."""
    chance = random.Random(number)  # noqa: S311  # not a secret
    team = RARE if number % RARE_EVERY == 7 else chance.choice(_TEAMS)
    return f"{team}-{chance.choice(_JOBS)}-{chance.choice(_STAGES)}-{number:06}"


def first_tenth(size: int) -> str:
    """Return a part of the names of the first tenth of `size` applications, and of no other."""
    return "-" + "0" * (8 - len(str(size)))


def id_of(number: int) -> uuid.UUID:
    return uuid.UUID(int=random.Random(f"id {number}").getrandbits(128))  # noqa: S311  # not a secret


def creator_of(chance: random.Random) -> str:
    if chance.random() < 0.3:
        return "terraform"
    return f"{chance.choice(_FIRST)}.{chance.choice(_LAST)}{chance.randrange(5)}@acme.example"


def email_of(number: int) -> str:
    """Return the email address of a user. The first 2,000 users create applications."""
    rest, first = divmod(number, len(_FIRST))
    rest, last = divmod(rest, len(_LAST))
    return f"{_FIRST[first]}.{_LAST[last]}{rest}@acme.example"


def group_name(number: int) -> str:
    return f"{_TEAMS[number % len(_TEAMS)]}-team-{number:04}"


def scope_name(word: str, number: int) -> str:
    """Return the name of a cluster, department or project."""
    if word == "project":
        return f"{_TEAMS[number % len(_TEAMS)]}-lab-{number:04}"
    return f"{word}-{number:03}"
