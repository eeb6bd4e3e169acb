"""Authorization decisions per second, compared with django-guardian and pycasbin on the same data.

    python bench/authorization.py                        SQLite, in a temporary folder
    .ci/with-postgres python bench/authorization.py      PostgreSQL

The data: 10,000 applications, 20,000 rules, 5,000 projects in 100 departments in 5 clusters. Every
question is "can this application create workspaces in that project". Some are allowed by a rule on the
project, its department, its cluster or the account. All three must give the same answers.

Cold: each decision reads the rules from the database. Warm: the authority has been read already, as for
the rows of a page. pycasbin keeps everything in memory and is always warm. django-guardian has no scope
hierarchy, so it is queried for each scope and its parents, nearest first.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
APPLICATIONS, RULES, PROJECTS, DEPARTMENTS, CLUSTERS = 10_000, 20_000, 5_000, 100, 5
ROLES = ("L1 researcher", "Viewer", "ML engineer", "Department administrator")
CAN_CREATE = {"L1 researcher", "Department administrator"}
ROUNDS = 5
Question = tuple[int, int]
"""An application's number and a project's."""


@dataclass
class Data:
    """Rules as (application, role, scope); a scope is a path of numbers from the account down."""

    rules: list[tuple[int, str, tuple[int, ...]]]
    projects: list[tuple[int, ...]]
    questions: list[Question]


def make_data() -> Data:
    """Return the same data every time."""
    chance = random.Random(5)  # noqa: S311  # not a secret
    projects: list[tuple[int, ...]] = [
        (p % DEPARTMENTS % CLUSTERS, p % DEPARTMENTS, p) for p in range(PROJECTS)
    ]
    rules: set[tuple[int, str, tuple[int, ...]]] = set()
    while len(rules) < RULES:
        place = chance.choice(projects)
        depth = chance.choices((3, 2, 1, 0), weights=(80, 15, 4, 1))[0]
        rules.add((chance.randrange(APPLICATIONS), chance.choice(ROLES), place[:depth]))
    ordered = sorted(rules)
    questions = []
    for number in range(2_000):
        application, _, place = chance.choice(ordered)
        project = chance.randrange(PROJECTS)
        if number % 2:  # half of the questions are below one of the application's rules
            below = [p for p, path in enumerate(projects) if path[: len(place)] == place]
            project = chance.choice(below)
        questions.append((application, project))
    return Data(ordered, projects, questions)


def rate(decide: Callable[[Question], bool], questions: list[Question]) -> tuple[float, list[bool]]:
    """Return the median of the rounds in decisions per second, and the answers."""
    rates = []
    answers: list[bool] = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        answers = [decide(question) for question in questions]
        rates.append(len(questions) / (time.perf_counter() - start))
    return median(rates), answers


def ours(data: Data) -> Iterable[tuple[str, float, list[bool]]]:
    """Measure runai-access in a separate database."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    from django.db import connection

    connection.creation.create_test_db(verbosity=0)
    from accessrules.authorization.authority import allowed, authority_of
    from accessrules.models import Subject

    subjects, scopes = _load(data)

    def cold(question: Question) -> bool:
        subject = Subject.objects.get(pk=subjects[question[0]])
        return allowed(subject, "create", "workspaces", scopes[question[1]])

    known = Subject.objects.in_bulk()

    def of_known(question: Question) -> bool:
        subject = known[subjects[question[0]]]
        return allowed(subject, "create", "workspaces", scopes[question[1]])

    warm_questions = data.questions * 50
    authorities = {a: authority_of(known[subjects[a]]) for a, _ in data.questions}

    def warm(question: Question) -> bool:
        return authorities[question[0]].allows("create", "workspaces", scopes[question[1]])

    name = connection.vendor
    yield f"ours, cold, with reading the subject (2 queries), {name}", *rate(cold, data.questions)
    yield f"ours, cold (1 query), {name}", *rate(of_known, data.questions)
    speed, answers = rate(warm, warm_questions)
    yield "ours, warm", speed, answers[: len(data.questions)]
    connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)


def _load(data: Data) -> tuple[list[Any], list[Any]]:
    from accessrules.models import AccessRule, Role, Scope, Subject

    subjects = Subject.objects.bulk_create(
        [Subject(type="app", name=f"app-{n}") for n in range(APPLICATIONS)], batch_size=500
    )
    scopes: dict[tuple[int, ...], Scope] = {(): Scope.objects.get(type="tenant")}
    for depth in (1, 2, 3):
        paths = sorted({path[:depth] for path in data.projects})
        made = Scope.objects.bulk_create(
            [
                Scope.below(scopes[path[:-1]], name=f"scope-{path[-1]}", created_by="bench")
                for path in paths
            ],
            batch_size=500,
        )
        scopes |= dict(zip(paths, made, strict=True))
    roles = {role.name: role for role in Role.objects.all()}
    AccessRule.objects.bulk_create(
        [
            AccessRule(subject=subjects[a], role=roles[role], scope=scopes[path], created_by="b")
            for a, role, path in data.rules
        ],
        batch_size=500,
    )
    return [subject.pk for subject in subjects], [scopes[path] for path in data.projects]


def casbin(data: Data) -> tuple[str, float, list[bool]]:
    """Measure pycasbin: policies in memory, its own matcher over all of them."""
    from casbin import Enforcer, Model

    model = Model()
    model.load_model_from_text(
        "[request_definition]\nr = sub, path\n[policy_definition]\np = sub, role, path\n"
        "[policy_effect]\ne = some(where (p.eft == allow))\n[matchers]\n"
        "m = r.sub == p.sub && below(r.path, p.path) && creates(p.role)\n"
    )
    enforcer = Enforcer(model)
    enforcer.add_function("below", lambda path, above: path.startswith(above))
    enforcer.add_function("creates", lambda role: role in CAN_CREATE)
    enforcer.add_policies([[f"app-{a}", role, _text(path)] for a, role, path in data.rules])

    def decide(question: Question) -> bool:
        answer: bool = enforcer.enforce(f"app-{question[0]}", _text(data.projects[question[1]]))
        return answer

    few = data.questions[:20]
    return "pycasbin, in memory", *rate(decide, few)


def _text(path: tuple[int, ...]) -> str:
    return "/" + "".join(f"{number}/" for number in path)


def guardian(data: Data, database: dict[str, Any]) -> tuple[str, float, list[bool]]:
    """Measure django-guardian on Django's own users; a Group row represents a scope."""
    import django
    from django.conf import settings

    settings.configure(
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "guardian"],
        DATABASES={"default": database},
        ANONYMOUS_USER_NAME=None,
        SECRET_KEY="only-for-the-bench",  # noqa: S106
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    )
    django.setup()
    from django.contrib.auth.models import Group, Permission, User
    from django.contrib.contenttypes.models import ContentType
    from django.db import connection
    from guardian.core import ObjectPermissionChecker
    from guardian.models import UserObjectPermission

    connection.creation.create_test_db(verbosity=0)
    users = User.objects.bulk_create(
        [User(username=f"app-{n}") for n in range(APPLICATIONS)], batch_size=500
    )
    paths = sorted({path[:depth] for path in data.projects for depth in range(4)})
    groups = Group.objects.bulk_create([Group(name=_text(path)) for path in paths], batch_size=500)
    scopes = dict(zip(paths, groups, strict=True))
    kind = ContentType.objects.get_for_model(Group)
    permission = Permission.objects.get(codename="change_group")
    held = sorted({(a, path) for a, role, path in data.rules if role in CAN_CREATE})
    UserObjectPermission.objects.bulk_create(
        [
            UserObjectPermission(
                user=users[a], permission=permission, content_type=kind, object_pk=scopes[path].pk
            )
            for a, path in held
        ],
        batch_size=500,
    )

    def decide(question: Question) -> bool:
        checker = ObjectPermissionChecker(users[question[0]])
        path = data.projects[question[1]]
        return any(checker.has_perm("change_group", scopes[path[:end]]) for end in (3, 2, 1, 0))

    return f"django-guardian, cold, {connection.vendor}", *rate(decide, data.questions[:300])


def guardian_elsewhere() -> tuple[str, float, list[bool]]:
    """Run `guardian` in a separate process: it needs Django's user model."""
    with tempfile.TemporaryDirectory() as folder:
        ended = subprocess.run(
            [sys.executable, __file__, "--guardian", folder],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        )
    name, speed, answers = json.loads(ended.stdout)
    return name, speed, answers


def _guardian_database(folder: str) -> dict[str, Any]:
    import dj_database_url

    url = os.environ.get("DATABASE_URL", f"sqlite:///{folder}/guardian.sqlite3")
    database: dict[str, Any] = dict(dj_database_url.parse(url))
    is_sqlite = "sqlite" in database["ENGINE"]
    name = f"{folder}/test.sqlite3" if is_sqlite else "bench_guardian"
    return {**database, "TEST": {"NAME": name}}


def main() -> None:
    sys.path.insert(0, str(ROOT))
    data = make_data()
    if sys.argv[1:2] == ["--guardian"]:
        print(json.dumps(guardian(data, _guardian_database(sys.argv[2]))))
        return
    results = [*ours(data), guardian_elsewhere(), casbin(data)]
    truth = results[0][2]
    print(f"{sum(truth)} of {len(truth)} questions have the answer yes.")
    for name, speed, answers in results:
        assert answers == truth[: len(answers)], f"{name} has different answers"  # noqa: S101
        print(f"{speed:>12,.0f}/s  {name}")


if __name__ == "__main__":
    main()
