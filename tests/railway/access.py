"""Who asks, and what they may see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.railway.world import Deployment, Environment, Instance, Project, Refusal, Token, World

NOT_AUTHORIZED = "Not Authorized"
NO_PROJECT_TOKEN = "Project Token not found"
NO_INSTANCE = "ServiceInstance not found"
PROJECT_HEADER = "Project-Access-Token"
ACCOUNT_HEADER = "Authorization"


def kind_of(headers: Mapping[str, str]) -> str:
    """What a request shows: `project`, `account`, `both` or `none`."""
    if PROJECT_HEADER in headers:
        return "both" if ACCOUNT_HEADER in headers else "project"
    return "account" if ACCOUNT_HEADER in headers else "none"


@dataclass(frozen=True, slots=True)
class Access:
    """What the tokens of one request open."""

    world: World
    kind: str
    token: Token | None
    account: bool

    @classmethod
    def of(cls, world: World, headers: Mapping[str, str]) -> Access:
        kind = kind_of(headers)
        token = world.tokens.get(headers[PROJECT_HEADER]) if kind == "project" else None
        account = kind == "account" and headers[ACCOUNT_HEADER] == f"Bearer {world.account_token}"
        return cls(world, kind, token, account)

    def check(self) -> None:
        """Refuses what shows no token that opens anything."""
        if not self.account and not self.token:
            raise Refusal(NOT_AUTHORIZED)

    def project_token(self) -> Token:
        if self.token is None:
            raise Refusal(NO_PROJECT_TOKEN if self.kind in ("project", "account") else NOT_AUTHORIZED)
        return self.token

    def project(self, wanted: str) -> Project:
        self.check()
        found = self.world.project(wanted)
        if self.token and found is not self.token.environment.project:
            raise Refusal(NOT_AUTHORIZED)
        if found is None:
            raise Refusal("Project not found")
        return found

    def opens(self, environment: Environment) -> bool:
        return self.account or (self.token is not None and self.token.environment is environment)

    def environment(self, wanted: str, project_id: str | None = None) -> Environment:
        self.check()
        found = self.world.environment(wanted)
        if self.token and found is not self.token.environment:
            raise Refusal(NOT_AUTHORIZED)
        if found is None:
            raise Refusal("Environment not found")
        if project_id is not None and self.project(project_id) is not found.project:
            raise Refusal("Environment not found")
        return found

    def instance(self, environment_id: str, service_id: str, project_id: str | None = None) -> Instance:
        found = self.environment(environment_id, project_id).instance(service_id)
        if found is None:
            raise Refusal(NO_INSTANCE)
        return found

    def deployment(self, wanted: str) -> Deployment:
        self.check()
        found = self.world.deployment(wanted)
        if self.token and (found is None or not self.opens(found.instance.environment)):
            raise Refusal(NOT_AUTHORIZED)
        if found is None:
            raise Refusal("Deployment not found")
        return found
