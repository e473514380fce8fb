"""The doctor finds a PgBouncer between the operator and the server, and the URLs that it refuses."""

from devtools.server import ADMIN, HOST
from tests.conftest import Projects
from tests.drivers import pgbouncer
from tests.engine.admins import only_superuser
from tests.engine.doctor import examined, heal, told
from tests.engine.program import Project

pytestmark = only_superuser

SERVICES = {"plain": None, "field-notes": {"urlFormat": "options"}}
VERIFIERS = "SELECT rolname, rolpassword FROM pg_authid WHERE rolpassword IS NOT NULL"


def declare(project: Project, port: int, port_of_services: int) -> None:
    address = {"host": HOST, "port": port_of_services}
    project.declare(services=SERVICES, server={"port": port}, serviceAddress=address)


def test_a_pooler_in_between(projects: Projects) -> None:
    with projects() as project, pgbouncer.running(project.database.server) as pooler:
        direct = project.database.server.port
        declare(project, direct, direct)
        project.succeeds(project.up())
        pooler.learn({name: verifier for name, verifier in project.database.rows(VERIFIERS) if name == ADMIN})
        assert examined(project) == []

        declare(project, pooler.port, direct)
        at_operators = ("pooler", f"{HOST}:{pooler.port}")
        assert told(examined(project)) == {at_operators}

        declare(project, pooler.port, pooler.port)
        found = examined(project)
        assert told(found) == {at_operators, ("pooler", "field-notes")}
        [refused] = [each for each in found if each["subject"] == "field-notes"]
        heal(project, refused)
        assert told(examined(project)) == {at_operators}
