"""How deployments come about and go on."""

from __future__ import annotations

from collections.abc import Iterable

from tests.railway.rendering import references, rendered, written
from tests.railway.world import SCRIPT, UP, Deployment, Environment, Instance, Refusal, Variable, World

OVERLAP = "Cannot redeploy yet, please wait for the original deployment to finish building, then try again."
NO_SNAPSHOT = "Cannot redeploy without a snapshot"


def deploy(world: World, instance: Instance) -> Deployment:
    """Starts a deployment because it was asked for."""
    if world.refuses_overlaps and instance.latest and not instance.latest.ended:
        raise Refusal(OVERLAP)
    return start(world, instance)


def start(world: World, instance: Instance) -> Deployment:
    """Starts a deployment with the variables of this moment."""
    status, *script = instance.scripts.popleft() if instance.scripts else SCRIPT
    now = world.clock.tick()
    deployment = Deployment(
        instance=instance,
        script=script,
        status="INITIALIZING",
        created=now,
        changed=now,
        written=written(instance.environment, instance.service, sealed=True),
        rendered=rendered(instance.environment, instance.service, sealed=True),
    )
    instance.deployments.append(deployment)
    _become(world, deployment, status)
    return deployment


def redeploy(world: World, instance: Instance) -> Deployment:
    if not instance.deployments:
        raise Refusal(NO_SNAPSHOT)
    return deploy(world, instance)


def deploy_change(world: World, environment: Environment, service_id: str | None, names: Iterable[str]) -> None:
    """Deploys what a change of variables concerns and has been deployed before."""
    for instance in environment.instances:
        concerned = (
            _refers(environment.of(instance.service), {f"shared.{name}" for name in names})
            if service_id is None
            else instance.service.id == service_id
        )
        if concerned and instance.deployments:
            start(world, instance)


def advance(world: World, deployment: Deployment) -> None:
    """Takes a deployment one status further."""
    if deployment.script:
        status, *deployment.script = deployment.script
        _become(world, deployment, status)


def settle(world: World, deployment: Deployment) -> None:
    """Takes a deployment to its end."""
    while deployment.script:
        advance(world, deployment)


def _become(world: World, deployment: Deployment, status: str) -> None:
    others = deployment.instance.deployments
    at = others.index(deployment)
    if status in UP and deployment.status not in UP:
        if any(other.status in UP for other in others[at + 1 :]):
            # A later one is in its place already.
            status, deployment.script = "SKIPPED", ()
        for other in others[:at]:
            if other.status in UP:
                other.status, other.script, other.changed = "REMOVED", (), world.clock.tick()
    deployment.status, deployment.changed = status, world.clock.tick()


def _refers(variables: Iterable[Variable], to: set[str]) -> bool:
    return any(to.intersection(references(variable.value)) for variable in variables)
