"""Access reports: the same visibility on pages, in JSON and in CSV."""

import csv
import io

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accessrules.authorization.grants import ACTION_LABELS
from accessrules.models import AccessRule, Subject
from applications.models import Application
from runai_access.accounts.models import User
from tests import factories
from tests.web.conftest import Organization, SignedIn, text_of


@pytest.fixture
def ci(acme: Organization) -> Application:
    """An application: L1 researcher in vision, and Viewer of speech through a group."""
    made = factories.application("ci", ("L1 researcher", acme.vision))
    factories.rule(factories.group("ops", made), "Viewer", acme.speech)
    return made


def csv_of(client: Client, address: str) -> list[dict[str, str]]:
    response = client.get(address)
    assert response.status_code == 200
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def subject_pages(holder: factories.Holder) -> tuple[str, str, str]:
    id_ = factories.subject_of(holder).pk
    return (
        f"/access/subjects/{id_}/",
        f"/access/subjects/{id_}/access.csv",
        f"/api/v1/authorization/effective-access/{id_}",
    )


def test_the_page_lists_entities_with_the_rule_that_grants_them(
    ada: User, ci: Application, as_: SignedIn
) -> None:
    page, _, _ = subject_pages(ci)
    text = text_of(as_(ada).get(page))
    assert "Effective access of ci" in text
    assert (
        "Workspaces Yes Yes Yes Yes department vision L1 researcher"
        " also by 1 rule Viewer in department speech through group ops: View"
    ) in text
    assert "you can see" not in text


def test_csv_and_json_agree(ada: User, ci: Application, as_: SignedIn) -> None:
    _, sheet, api = subject_pages(ci)
    client = as_(ada)
    rows = csv_of(client, sheet)
    answer = client.get(api).json()
    assert answer["complete"] is True
    granted = {
        (access["resourceType"], ACTION_LABELS[action])
        for access in answer["access"]
        for action in access["actions"]
    }
    assert granted == {
        (type_, label)
        for row in rows
        for type_ in row["Resource types"].split("; ")
        for label in ACTION_LABELS.values()
        if row[label] != "No"
    }
    (workspaces,) = [row for row in rows if row["Entity"] == "Workspaces"]
    assert workspaces | {"Access rule": ""} == {
        "Subject": "ci", "Subject type": "Application",
        "Entity": "Workspaces", "Resource types": "workspaces",
        "View": "Yes", "Edit": "Yes", "Create": "Yes", "Delete": "Yes",
        "Widest scope": "department vision", "Scope path": "acme / east / vision",
        "Role": "L1 researcher", "Through group": "", "Access rule": "",
        "Also granted by": "Viewer in department speech through group ops: View",
    }  # fmt: skip


def test_csv_has_the_filtered_rows_of_the_page(ada: User, ci: Application, as_: SignedIn) -> None:
    page, sheet, _ = subject_pages(ci)
    client = as_(ada)
    query = "?search=work&action=create"
    assert f"{sheet}{query.replace('&', '&amp;')}" in client.get(page + query).content.decode()
    rows = csv_of(client, sheet + query)
    assert {row["Create"] for row in rows} == {"Yes"}
    assert "Workspaces" in {row["Entity"] for row in rows}
    assert len(rows) < len(csv_of(client, sheet))


def test_csv_has_the_differences_from_another_subject(
    ada: User, ci: Application, acme: Organization, as_: SignedIn
) -> None:
    page, sheet, _ = subject_pages(ci)
    factories.application("cd", ("Viewer", acme.speech))
    client = as_(ada)
    query = "?search=workspaces&compare=cd"
    shown = client.get(page + query)
    assert "Effective access of ci and cd" in text_of(shown)
    assert f"{sheet}{query.replace('&', '&amp;')}" in shown.content.decode()
    (row,) = csv_of(client, sheet + query)
    assert row == {
        "Entity": "Workspaces",
        "ci": "View in department vision and 1 more; Edit, Create, Delete in department vision",
        "cd": "View in department speech",
    }
    assert client.get(f"{sheet}?compare=nobody").status_code == 404


def test_event_history_in_a_narrower_scope_has_no_effect(
    ada: User, acme: Organization, as_: SignedIn
) -> None:
    narrow = factories.person("narrow@acme.example", "Auditor", acme.vision)
    page, sheet, api = subject_pages(narrow)
    client = as_(ada)
    text = text_of(client.get(page))
    assert text.count("Event history") == 1
    assert (
        "Event history requires a rule on the account: "
        "Auditor in department vision does not grant it." in text
    )
    assert "events-history" not in {row["Resource types"] for row in csv_of(client, sheet)}
    assert "events-history" not in {row["resourceType"] for row in client.get(api).json()["access"]}
    for scope in (acme.vision, factories.account()):
        asked = f"/access/scopes/{scope.pk}/?resource_type=events-history"
        assert "narrow@acme.example" not in text_of(client.get(asked))


def test_event_history_on_the_account_is_shown_with_its_rule(ada: User, as_: SignedIn) -> None:
    wide = factories.person("wide@acme.example", "Auditor")
    page, sheet, api = subject_pages(wide)
    client = as_(ada)
    factories.rule(wide, "Auditor", factories.cluster("elsewhere"))
    text = text_of(client.get(page))
    assert "Event history Yes \u2013 No \u2013 No \u2013 No account acme Auditor" in text
    assert "requires a rule on the account" not in text
    assert "events-history" in {row["Resource types"] for row in csv_of(client, sheet)}
    assert "events-history" in {row["resourceType"] for row in client.get(api).json()["access"]}


def test_only_visible_rules_are_shown_with_a_note(
    dina: User, ci: Application, as_: SignedIn
) -> None:
    page, sheet, api = subject_pages(ci)
    client = as_(dina)
    text = text_of(client.get(page))
    assert "department vision" in text
    assert "speech" not in text
    assert "Shows only access rules you can see" in text
    assert {row["Widest scope"] for row in csv_of(client, sheet)} == {"department vision"}
    answer = client.get(api).json()
    assert answer["complete"] is False
    assert {access["rule"]["scopeName"] for access in answer["access"]} == {"vision"}


def test_a_subject_that_is_not_visible_is_not_found(
    dina: User, acme: Organization, as_: SignedIn
) -> None:
    hidden = factories.application("hidden", ("Viewer", acme.speech))
    for address in subject_pages(hidden):
        assert as_(dina).get(address).status_code == 404


def test_access_reports_require_reading_access_rules(
    vera: User, ci: Application, acme: Organization, as_: SignedIn
) -> None:
    addresses = [
        *subject_pages(ci),
        f"/access/scopes/{acme.training.pk}/",
        f"/access/scopes/{acme.training.pk}/access.csv",
        f"/api/v1/authorization/scope-access/project/{acme.training.uid}",
    ]
    custom = factories.custom_role("Apps reader", apps="r", project="r")
    AccessRule.objects.create(
        subject=vera.subject, role=custom, scope=factories.account(), created_by="test"
    )
    for address in addresses:
        assert as_(vera).get(address).status_code == 403, address


def test_a_disabled_subject_has_no_access(ada: User, ci: Application, as_: SignedIn) -> None:
    Subject.objects.filter(pk=ci.pk).update(enabled=False)
    page, sheet, _ = subject_pages(ci)
    assert "ci is disabled" in text_of(as_(ada).get(page))
    assert csv_of(as_(ada), sheet) == []


# Access to a scope


def test_access_to_a_scope_lists_every_subject_with_access(
    ada: User, dina: User, ci: Application, acme: Organization, as_: SignedIn
) -> None:
    text = text_of(as_(ada).get(f"/access/scopes/{acme.training.pk}/?resource_type=workspaces"))
    assert "Access to project training" in text
    assert "ada@acme.example User Workspaces View, Edit, Create, Delete account" in text
    assert "ci Application Workspaces View, Edit, Create, Delete department vision" in text
    assert "speech" not in text


def test_members_are_listed_with_their_group(
    ada: User, ci: Application, acme: Organization, as_: SignedIn
) -> None:
    rows = csv_of(
        as_(ada), f"/access/scopes/{acme.dictation.pk}/access.csv?resource_type=workspaces"
    )
    found = {(row["Subject"], row["Through group"], row["Role"]) for row in rows}
    assert ("ci", "ops", "Viewer") in found
    assert ("ops", "", "Viewer") in found


def test_access_is_filtered_by_entity_action_and_name(
    ada: User, ci: Application, acme: Organization, as_: SignedIn
) -> None:
    address = f"/access/scopes/{acme.training.pk}/access.csv"
    client = as_(ada)
    rows = csv_of(client, f"{address}?resource_type=workspaces&action=delete&name=CI")
    assert {(row["Subject"], row["Resource type"]) for row in rows} == {("ci", "workspaces")}
    assert csv_of(client, f"{address}?resource_type=apps&action=delete&name=ci") == []
    api = f"/api/v1/authorization/scope-access/project/{acme.training.uid}"
    answer = client.get(f"{api}?resourceType=workspaces&action=delete&search=ci").json()
    assert [access["subjectId"] for access in answer["access"]] == ["ci"]
    assert client.get(f"{api}?action=purge").status_code == 400


def test_disabled_subjects_have_no_access_to_a_scope(
    ada: User, ci: Application, acme: Organization, as_: SignedIn
) -> None:
    Subject.objects.filter(name="ops").update(enabled=False)
    address = f"/access/scopes/{acme.dictation.pk}/access.csv"
    assert {row["Subject"] for row in csv_of(as_(ada), address)} == {"ada@acme.example"}
    Subject.objects.filter(name="ops").update(enabled=True)
    Subject.objects.filter(name="ci").update(enabled=False)
    assert "ci" not in {row["Subject"] for row in csv_of(as_(ada), address)}


def test_hidden_rules_are_omitted_and_hidden_scopes_not_found(
    ada: User, dina: User, ci: Application, acme: Organization, as_: SignedIn
) -> None:
    client = as_(dina)
    rows = csv_of(client, f"/access/scopes/{acme.training.pk}/access.csv")
    assert {row["Subject"] for row in rows} == {"ci", "dina@acme.example"}
    page = client.get(f"/access/scopes/{acme.training.pk}/")
    assert "rules of parent scopes might grant more" in text_of(page)
    assert client.get(f"/access/scopes/{acme.speech.pk}/").status_code == 404


def test_pages_list_every_subject_once(ada: User, acme: Organization, as_: SignedIn) -> None:
    for number in range(60):
        factories.application(f"app-{number:02}", ("Viewer", acme.vision))
    seen: list[str] = []
    address = f"/access/scopes/{acme.vision.pk}/?resource_type=workspaces"
    for page in (1, 2, 3):
        text = text_of(as_(ada).get(f"{address}&page={page}"))
        seen += [word for word in text.split() if word.startswith("app-")]
    assert seen == [f"app-{number:02}" for number in range(60)]
    api = f"/api/v1/authorization/scope-access/department/{acme.vision.uid}"
    first = as_(ada).get(f"{api}?limit=40").json()
    rest = as_(ada).get(f"{api}?limit=40&offset={first['next']}").json()
    assert first["totalRecords"] == rest["totalRecords"] == 61
    assert "next" not in rest


def test_subjects_have_one_order_across_scopes(
    ada: User, acme: Organization, as_: SignedIn
) -> None:
    places = [acme.training, acme.vision, acme.east, factories.account()]
    for number in range(12):
        name = f"{'ab'[number % 2]}pp-{number:02}"
        factories.application(name, ("Editor", places[number % 4]))
    crew = factories.group("crew", factories.application("app-zz"))
    factories.rule(crew, "Editor", acme.vision)
    api = f"/api/v1/authorization/scope-access/project/{acme.training.uid}?resourceType=workspaces"
    names: list[str] = []
    for start in range(0, 20, 5):
        answer = as_(ada).get(f"{api}&limit=5&offset={start}").json()
        names += [access["subjectId"] for access in answer["access"]]
    assert len(names) == answer["totalRecords"] == 15
    assert names == sorted(names)
    assert {"ada@acme.example", "app-zz", "app-00", "bpp-01", "crew"} < set(names)


def test_a_page_is_ordered_by_normalized_name(ada: User, acme: Organization, as_: SignedIn) -> None:
    for name in ("Beta", "alpha", "Zeta", "gamma"):
        factories.rule(factories.group(name), "Viewer", acme.vision)
    page = text_of(as_(ada).get(f"/access/scopes/{acme.vision.pk}/?resource_type=workspaces"))
    places = [page.index(f"{name} Group") for name in ("alpha", "Beta", "gamma", "Zeta")]
    assert places == sorted(places)


def test_the_cost_does_not_grow_with_the_rules(
    ada: User, acme: Organization, as_: SignedIn, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = as_(ada)
    address = f"/access/scopes/{acme.vision.pk}/"
    for count in (1, 20):
        for number in range(count):
            factories.application(f"app-{count}-{number}", ("Viewer", acme.vision))
        # Session, user, rules of the caller, scope, roles, the scope and the four above, holders
        # in each, members of groups, their names, their rules, names of the scopes above twice, and
        # whether there are rules on `system`.
        with django_assert_num_queries(16):
            client.get(address)


def test_rules_on_system_are_noted_where_they_are_hidden(
    ada: User, acme: Organization, as_: SignedIn
) -> None:
    sol = factories.person("sol@acme.example", "System administrator", factories.system())
    factories.rule(sol, "Viewer", acme.training)
    page, _, api = subject_pages(sol)
    scope_api = f"/api/v1/authorization/scope-access/project/{acme.training.uid}"
    for person, knows_all in ((ada, False), (sol, True)):
        client = as_(person)
        answers = [client.get(address).json() for address in (api, scope_api)]
        assert [answer["complete"] for answer in answers] == [knows_all, knows_all]
        for answer in answers:
            named = {access["rule"]["scopeType"] for access in answer["access"]}
            assert ("system" in named) is knows_all
        pages = [text_of(client.get(a)) for a in (page, f"/access/scopes/{acme.training.pk}/")]
        assert ["you can see" in text for text in pages] == [not knows_all, not knows_all]
    assert as_(ada).get(subject_pages(ada)[2]).json()["complete"] is True


# Before a rule is deleted


def test_the_effects_of_deleting_a_rule_are_shown(
    ada: User, ci: Application, acme: Organization, as_: SignedIn
) -> None:
    rule = AccessRule.objects.get(subject__name="ops")
    text = text_of(as_(ada).get(f"/access/rules/{rule.pk}/changes/"))
    assert "ops is Viewer in department speech" in text
    assert "ci Application Loses:" in text
    factories.rule(ci, "Viewer", acme.east)
    text = text_of(as_(ada).get(f"/access/rules/{rule.pk}/changes/"))
    assert "ci Application" not in text
    assert "ops Group Loses:" in text


def test_members_that_are_not_visible_are_never_shown(
    ada: User, dina: User, acme: Organization, as_: SignedIn
) -> None:
    """Callers who can add rules for a group can't see its members by that."""
    stranger, seen = factories.person("stranger@acme.example"), factories.application("seen")
    rule = factories.rule(factories.group("ops", stranger, seen), "Viewer", acme.training)
    factories.rule(seen, "Viewer", acme.vision)
    api = f"/api/v1/authorization/scope-access/project/{acme.training.uid}"
    addresses = (
        f"/access/scopes/{acme.training.pk}/",
        f"{api}?limit=500",
        f"/access/rules/{rule.pk}/changes/",
        f"/access-rules/{rule.pk}/delete/",
    )
    for address in addresses:
        assert "stranger" in text_of(as_(ada).get(address)), address
        text = text_of(as_(dina).get(address))
        assert "stranger" not in text
        assert "ops" in text
    assert as_(ada).get(api).json()["complete"] is True
    answer = as_(dina).get(f"{api}?search=s&limit=500").json()
    assert answer["complete"] is False
    assert {access["subjectId"] for access in answer["access"]} == {"ops", "seen"}
    assert as_(dina).get(f"{api}?search=stranger").json()["totalRecords"] == 0
    sheet = f"/access/scopes/{acme.training.pk}/access.csv"
    assert "stranger@acme.example" in {row["Subject"] for row in csv_of(as_(ada), sheet)}
    assert "stranger@acme.example" not in {row["Subject"] for row in csv_of(as_(dina), sheet)}
    text = text_of(as_(dina).get(f"/access/rules/{rule.pk}/changes/"))
    assert "Only some members of the group are shown" in text


def test_the_name_filter_normalizes_text(ada: User, acme: Organization, as_: SignedIn) -> None:
    factories.rule(
        factories.group("Größe", factories.person("jörg@acme.example")), "Viewer", acme.east
    )
    for name in ("GRÖSSE", "JÖRG"):
        rows = csv_of(as_(ada), f"/access/scopes/{acme.vision.pk}/access.csv?name={name}")
        assert len({row["Subject"] for row in rows}) == 1


def test_effects_of_a_hidden_rule_are_not_found(dina: User, ci: Application, as_: SignedIn) -> None:
    rule = AccessRule.objects.get(subject__name="ops")
    assert as_(dina).get(f"/access/rules/{rule.pk}/changes/").status_code == 404


def test_resource_types_of_one_entity_share_a_row_on_the_page(
    acme: Organization, ada: User, as_: SignedIn
) -> None:
    """The catalog has several types of data sources; the page shows them as one entity."""
    role = "Data source administrator"
    page, sheet, _ = subject_pages(factories.application("nightly", (role, acme.vision)))
    assert text_of(as_(ada).get(page)).count("Data sources") == 1
    rows = csv_of(as_(ada), sheet)
    (row,) = [row for row in rows if row["Entity"] == "Data sources"]
    assert "; " in row["Resource types"]


def test_an_action_in_a_narrower_scope_names_it(
    ada: User, acme: Organization, as_: SignedIn
) -> None:
    cd = factories.application("cd", ("Viewer", acme.east), ("L1 researcher", acme.vision))
    text = text_of(as_(ada).get(subject_pages(cd)[0]))
    narrower = " ".join(["department vision"] * 3)
    assert f"Workspaces Yes {narrower} cluster east Viewer also by 1 rule" in text


@pytest.mark.parametrize(
    ("asked", "shown", "hidden"),
    [
        ({"search": "WORKSP"}, "Workspaces", "Trainings"),
        ({"search": "nothing"}, "No access matches.", "Workspaces"),
        ({"action": "delete"}, "Workspaces", "Departments"),
        ({"action": "bogus"}, "Workspaces", "No access"),
    ],
)
def test_effective_access_is_filtered(
    ada: User, ci: Application, as_: SignedIn, asked: dict[str, str], shown: str, hidden: str
) -> None:
    main = text_of(as_(ada).get(subject_pages(ci)[0], asked)).partition("APPLY")[2]
    assert shown in main
    assert hidden not in main


def test_two_subjects_are_compared(
    ada: User, ci: Application, acme: Organization, as_: SignedIn
) -> None:
    factories.application("cd", ("L1 researcher", acme.east))
    page = as_(ada).get(subject_pages(ci)[0], {"compare": " CD ", "search": "workspaces"})
    assert (
        "Entity ci cd Workspaces View in department vision and 1 more"
        " Edit, Create, Delete in department vision"
        " View, Edit, Create, Delete in cluster east"
    ) in text_of(page)
    missing = text_of(as_(ada).get(subject_pages(ci)[0], {"compare": "nobody"}))
    assert "that you can see is named “nobody”." in missing
