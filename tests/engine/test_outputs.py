"""What deploy scripts read: `pulumi stack output --json`, with and without its secrets."""

import json
import re
from typing import Any

import pytest

from devtools.server import HOST
from tests.engine.program import Project

pytestmark = pytest.mark.xdist_group("shared")

URLS = {
    "madansara": r"postgresql://madansara_user:{password}@{address}/railway",
    "sankore": r"jdbc:postgresql://{address}/railway\?user=sankore_user&password={password}",
    "onside": r"postgresql\+asyncpg://onside_user:{password}@{address}/railway",
    "langflow": r"postgresql://langflow_user:{password}@{address}/railway",
    "field-notes": r"postgresql://field-notes_user:{password}@{address}/railway"
    r"\?options=-c%20search_path%3D%22Field%5C%20Notes%22%2Cpublic",
}


@pytest.fixture(scope="module")
def plain(shared: Project) -> dict[str, Any]:
    return dict(json.loads(shared.pulumi("stack", "output", "--json").stdout))


def test_without_secrets_only_services_can_be_read(plain: dict[str, Any]) -> None:
    assert plain == {
        **dict.fromkeys(("database_urls", "analytics_url", "passwords"), "[secret]"),
        "services": plain["services"],
    }
    assert plain["services"] == {
        "madansara": {
            "schema": "madansara",
            "role": "madansara_user",
            "connectionLimit": 2,
            "reads": ["public.users", "public.brands(id)"],
        },
        "field-notes": {"schema": "Field Notes", "role": "field-notes_user", "connectionLimit": 10, "reads": []},
        **{
            name: {"schema": name, "role": f"{name}_user", "connectionLimit": 10, "reads": []}
            for name in ("sankore", "onside", "langflow")
        },
    }


def test_with_secrets_there_is_a_url_for_each_login_and_a_password_for_each_role(
    shared: Project, plain: dict[str, Any]
) -> None:
    outputs = json.loads(shared.pulumi("stack", "output", "--json", "--show-secrets").stdout)
    assert outputs == shared.outputs(), "the tests read the state as Pulumi does"
    passwords = outputs["passwords"]
    address = f"{HOST}:{shared.database.server.port}"
    assert outputs.keys() == plain.keys()
    assert outputs["services"] == plain["services"]
    assert passwords.keys() == {f"{name}_user" for name in URLS} | {"analytics_readonly"}
    for name, pattern in URLS.items():
        password = passwords[f"{name}_user"]
        assert re.fullmatch(pattern.format(password=password, address=address), outputs["database_urls"][name])
    assert outputs["database_urls"].keys() == URLS.keys()
    assert outputs["analytics_url"] == (
        f"postgresql://analytics_readonly:{passwords['analytics_readonly']}@{address}/railway"
    )


def test_every_password_is_of_32_letters_and_digits_and_nobody_elses(shared: Project) -> None:
    passwords = list(shared.outputs()["passwords"].values())
    assert all(re.fullmatch(r"[A-Za-z0-9]{32}", password) for password in passwords)
    assert len(set(passwords)) == len(passwords) == 6
