"""The programs of a scenario, completed by what its recording leaves unsaid: some orders, and secrets."""

from collections.abc import Mapping, Sequence
from typing import Any

from engarde.server.credentials import scram_salt, scram_verifier
from tests.conformance.recording import Phase, Resource, Scenario

SECRET = "<secret>"

Needs = dict[str, frozenset[str]]


def programs(scenario: Scenario) -> list[list[dict[str, Any]] | None]:
    """The program to run in each phase; None where the last one stays."""
    result: list[list[dict[str, Any]] | None] = []
    generation = 0
    for number, phase in enumerate(scenario.phases):
        if phase.program is None:
            result.append(None)
            continue
        generation += _brings_new_secret(scenario.phases[:number], phase)
        needs = _needs(scenario.phases, number)
        result.append([_runnable(each, needs, generation) for each in _sorted(phase.program, needs)])
    return result


def _runnable(resource: Resource, needs: Needs, generation: int) -> dict[str, Any]:
    hidden = scram_verifier("secret", scram_salt("conformance", "local", resource.name, generation))
    props = {name: hidden if value == SECRET else value for name, value in resource.props.items()}
    return {
        "name": resource.name,
        "type": resource.type,
        "props": props,
        "after": sorted(resource.after | (needs[resource.name] - resource.needs)),
    }


def _brings_new_secret(before: Sequence[Phase], phase: Phase) -> bool:
    """Whether a hidden value must differ from the last one: the second of two equal `up`s changed something."""
    if not before or before[-1].do != "up" or phase.do != "up" or before[-1].program != phase.program:
        return False
    return any(step["op"] == "update" for step in phase.outcome.steps)


def _needs(phases: Sequence[Phase], number: int) -> Needs:
    """What each resource comes after: as recorded, and so that a failure strikes where it did then.

    The engine leaves it to chance which of two independent resources comes first, and stops at the first failure.
    """
    program = phases[number].program or ()
    needs = {each.name: each.needs for each in program}
    end = next((n for n in range(number + 1, len(phases)) if phases[n].program is not None), len(phases))
    for n in range(number, end):
        if phases[n].outcome.errors:
            _strike_as_recorded(needs, phases[n], _state_before(phases[:n]))
    return needs


def _strike_as_recorded(needs: Needs, phase: Phase, before: Mapping[str, Any]) -> None:
    tried = {step["name"] for step in phase.outcome.steps}
    after = {each["name"]: each for each in phase.outcome.state}
    # A failed update can leave its inputs in the state; it was then the only thing tried.
    [failed] = {name for name in tried if before.get(name) == after.get(name)} or tried
    done, never_tried = tried - {failed}, set(needs) - tried
    if phase.do == "destroy":  # it takes the resources the other way round
        done, never_tried = never_tried, done
    for name in sorted(done):
        _order(needs, name, failed)
    for name in sorted(never_tried):
        _order(needs, failed, name)


def _order(needs: Needs, first: str, then: str) -> None:
    if first not in _ancestors(needs, then) and then not in _ancestors(needs, first):
        needs[then] |= {first}


def _ancestors(needs: Needs, name: str) -> frozenset[str]:
    return needs[name].union(*(_ancestors(needs, need) for need in needs[name]))


def _sorted(program: Sequence[Resource], needs: Needs) -> list[Resource]:
    """The program with every resource after those it needs, otherwise as it was."""
    result: list[Resource] = []
    left = list(program)
    while left:
        ready = next(each for each in left if needs[each.name] <= {done.name for done in result})
        result.append(ready)
        left.remove(ready)
    return result


def _state_before(phases: Sequence[Phase]) -> dict[str, Any]:
    last = next((phase for phase in reversed(phases) if phase.do), None)
    return {each["name"]: each for each in last.outcome.state} if last else {}
