"""Projects and services as a test arranges and reads them, past the API."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from threading import RLock

from tests.railway import deploying, mutations, rendering
from tests.railway.world import (
    Deployment,
    Environment,
    Instance,
    Project,
    Proxy,
    Service,
    Token,
    World,
)


def _environment(project: Project, name: str) -> Environment:
    return next(environment for environment in project.environments if environment.name == name)


@dataclass(frozen=True, slots=True)
class GivenProject:
    world: World
    lock: RLock
    made: Project

    @property
    def id(self) -> str:
        return self.made.id

    def environment(self, name: str, *, ephemeral: bool = False) -> str:
        """Adds an empty environment and gives its id."""
        with self.lock:
            made = Environment(self.made, name, ephemeral)
            self.made.environments.append(made)
        return made.id

    def environment_id(self, name: str) -> str:
        return _environment(self.made, name).id

    def token(self, environment: str) -> str:
        """A new token of this project for one environment."""
        with self.lock:
            made = Token(_environment(self.made, environment), f"engarde {environment}")
            self.world.tokens[made.value] = made
        return made.value

    def service(
        self,
        name: str,
        *,
        deployed: bool = False,
        environments: Collection[str] | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> GivenService:
        """Adds a service to these environments, or to all there are; one that is `deployed` runs with `variables`."""
        with self.lock:
            made = Service(self.made, name)
            self.made.services.append(made)
            given = GivenService(self.world, self.lock, made)
            for environment in self.made.environments:
                if environments is None or environment.name in environments:
                    environment.instances.append(Instance(made, environment))
                    given.set(environment.name, **(variables or {}))
                    if deployed:
                        given.deploy(environment.name)
        return given

    def share(self, environment: str, /, **variables: str) -> None:
        """Writes variables of a whole environment, without deploying."""
        with self.lock:
            mutations.write(self.world, _environment(self.made, environment), None, variables)

    def shared(self, environment: str) -> dict[str, str]:
        """What is written for a whole environment."""
        with self.lock:
            return rendering.written(_environment(self.made, environment), None, sealed=True)


@dataclass(frozen=True, slots=True)
class GivenService:
    world: World
    lock: RLock
    made: Service

    @property
    def id(self) -> str:
        return self.made.id

    @property
    def name(self) -> str:
        return self.made.name

    def set(self, environment: str, /, **variables: str) -> None:
        """Writes variables as the dashboard does, without deploying."""
        with self.lock:
            mutations.write(self.world, self._instance(environment).environment, self.id, variables)

    def seal(self, environment: str, name: str, value: str) -> None:
        """Writes a variable that no read shows."""
        with self.lock:
            self.set(environment, **{name: value})
            self._instance(environment).environment.variables[self.id, name].sealed = True

    def unset(self, environment: str, *names: str) -> None:
        with self.lock:
            for name in names:
                del self._instance(environment).environment.variables[self.id, name]

    def variables(self, environment: str) -> dict[str, str]:
        """What is written, sealed ones too."""
        with self.lock:
            return rendering.written(self._instance(environment).environment, self.made, sealed=True)

    def deploy(self, environment: str) -> Deployment:
        """Deploys past the API; it is up at once."""
        with self.lock:
            made = deploying.start(self.world, self._instance(environment))
            deploying.settle(self.world, made)
        return made

    def roll_back(self, environment: str) -> Deployment:
        """Restores what was written when the deployment before the active one was made, as the dashboard does."""
        with self.lock:
            instance = self._instance(environment)
            earlier = [deployment for deployment in instance.deployments if deployment.status == "REMOVED"][-1]
            mutations.erase(instance.environment, self.id, but=earlier.written)
            self.set(environment, **earlier.written)
            return self.deploy(environment)

    def next_deployments(self, environment: str, *scripts: Sequence[str]) -> None:
        """Gives the statuses that the next deployments go through, one list for each."""
        with self.lock:
            self._instance(environment).scripts.extend(tuple(script) for script in scripts)

    def deployments(self, environment: str) -> list[Deployment]:
        """All of them, oldest first."""
        with self.lock:
            return list(self._instance(environment).deployments)

    def running(self, environment: str) -> dict[str, str] | None:
        """The variables that the active deployment was given, references resolved; none if there is none."""
        with self.lock:
            active = self._instance(environment).active
            return dict(active[-1].rendered) if active else None

    def proxy(self, environment: str, domain: str, port: int, application_port: int = 5432) -> None:
        with self.lock:
            instance = self._instance(environment)
            instance.proxies.append(Proxy(instance, domain, port, application_port))

    def _instance(self, environment: str) -> Instance:
        found = _environment(self.made.project, environment).instance(self.id)
        assert found, f"{self.name} is not in {environment}"
        return found
