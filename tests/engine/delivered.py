"""A stack whose services run on a fake Railway, one for each test."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.engine.in_process import tool_here
from tests.engine.program import Project
from tests.railway.fake import Fake
from tests.railway.given import GivenProject, GivenService

PRODUCTION = "production"
SECTION = {"project": "engarde", "environment": PRODUCTION}
REFERENCE = "${{Postgres.RAILWAY_PRIVATE_DOMAIN}}"
NAMES = {"madansara": "madansara", "sankore": "Sankore-API", "worker": "sankore-worker", "analytics": "metabase"}
STACK: dict[str, Any] = {
    "serviceAddress": {"host": REFERENCE},
    "unpooledAddress": {"host": "postgres.railway.internal", "port": 6543},
    "services": {
        "madansara": None,
        "sankore": {
            "urlFormat": "sqlalchemy+asyncpg",
            "railway": {
                "service": ["sankore-api", "sankore-worker"],
                "variables": {"DATABASE_URL": {}, "DATABASE_UNPOOLED_URL": {"urlFormat": "plain", "unpooled": True}},
            },
        },
        "onside": {"railway": {"service": []}},
    },
    "analytics": {"railway": {"service": "metabase", "variables": {"ANALYTICS_URL": {}}}},
    "railway": SECTION,
}
AT_ONCE = ["SUCCESS"]
"""A deployment that is up when one first looks."""


@dataclass(slots=True)
class Delivery:
    """One stack, one fake Railway with a service for each name, and all that the tool has printed."""

    stack: Project
    fake: Fake
    there: GivenProject
    services: dict[str, GivenService]
    postgres: GivenService
    token: str
    printed: list[str] = field(default_factory=list)

    def tool(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        done = tool_here(self.stack, "railway", *words, **{**self.fake.environment(self.token), **environment})
        self.printed += [done.stdout, done.stderr]
        return done

    def states(self, *words: str, code: int = 0) -> dict[str, str]:
        """What a push says of each Railway service."""
        done = self.tool("push", "--output", "json", *words)
        assert done.returncode == code, done.stdout + done.stderr
        return {load["railwayService"]: load["message"] for load in json.loads(done.stdout)["railwayServices"]}

    def plan(self, *words: str) -> dict[str, tuple[Mapping[str, str], str]]:
        """What would be done to each Railway service: its variables, its deployment."""
        done = self.tool("plan", "--output", "json", *words)
        services = json.loads(done.stdout)["railwayServices"]
        return {service["railwayService"]: (service["variables"], service["deployment"]) for service in services}

    def running(self, name: str) -> dict[str, str]:
        """The variables that a service runs with."""
        return self.services[name].running(PRODUCTION) or {}

    def quick(self, *statuses: str) -> None:
        """Has the next deployment of every service go through these, or succeed at once."""
        for service in self.services.values():
            service.next_deployments(PRODUCTION, statuses or AT_ONCE)


@contextmanager
def delivery(stack: Project, **options: Any) -> Iterator[Delivery]:
    """Every Railway service there, deployed, with a variable of its own and none of ours."""
    with Fake(**options) as fake:
        there = fake.project("engarde", PRODUCTION, "staging")
        services = {key: there.service(name, deployed=True, variables={"OWN": "x"}) for key, name in NAMES.items()}
        postgres = there.service("Postgres", variables={"RAILWAY_PRIVATE_DOMAIN": "db.internal"})
        yield Delivery(stack, fake, there, services, postgres, there.token(PRODUCTION))


def urls(stack: Project) -> dict[str, str]:
    """What has to arrive, by the keys of `NAMES`; of sankore's the one for its migrations apart."""
    outputs = stack.outputs()
    password = outputs["passwords"]["sankore_user"]
    return {
        "madansara": outputs["database_urls"]["madansara"],
        "sankore": outputs["database_urls"]["sankore"],
        "unpooled": f"postgresql://sankore_user:{password}@postgres.railway.internal:6543/railway",
        "analytics": outputs["analytics_url"],
    }
