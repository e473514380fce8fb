"""What may stand nowhere in a stack file: a MySQL address, and a secret that is not the admin's password."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.test_faults import SECRETS, SERVER, faults, only_fault


@pytest.mark.parametrize(
    "address", ["mysql://u:hunter2@h/db", "mysql+pymysql://u:hunter2@h", "jdbc:mysql://h", "MariaDB://u:hunter2@h"]
)
@pytest.mark.parametrize("place", ["server", "services", "analytics"])
def test_mysql_is_refused_by_name_wherever_it_stands(address: str, place: str) -> None:
    section: dict[str, Any] = {
        "server": {**SERVER, "host": address},
        "services": {"scheduler": {"url": [{"deep": address}]}},
        "analytics": {address: 1},
    }
    sections = {place: section[place]}
    found = [fault for fault in faults(**sections) if "MySQL address" in fault]
    assert len(found) == 1
    assert "hunter2" not in str(faults(**sections))


def test_the_admins_password_is_a_secret_and_nothing_else_is() -> None:
    assert (
        "is in clear text; set it with `pulumi config set --secret adminPassword"
        in faults(secrets=set(), adminPassword="hunter2")[0]
    )
    assert faults(secrets=set())[0].startswith("engarde:adminPassword: missing; set it with")
    assert only_fault(secrets={*SECRETS, "services"}, services={"a": None}).startswith(
        "engarde:services: must not be a secret"
    )
    nested = faults(services={"a": {"schema": {"secure": "v1:x"}}})
    assert "engarde:services.a.schema: must not be a secret; only the admin's password is one" in nested
