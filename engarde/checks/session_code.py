"""Code that other roles' sessions run by accident: event triggers, and objects with names from pg_catalog."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from engarde.checks.admin_capabilities import AdminCapabilities
from engarde.checks.naming import some
from engarde.checks.observed import Observed
from engarde.checks.registry import Question, Stage, check
from engarde.declaration.model import DatabaseStack
from engarde.declaration.names import PUBLIC, SYSTEM
from engarde.declaration.parameters import split_path
from engarde.output.findings import Finding, Remedy, Verb
from engarde.server.catalog import Shadow
from engarde.server.functions import EventTrigger
from engarde.util.quoting import quoted

REFUSED = ": 42501 "


@check(
    Question(
        "event trigger",
        "an event trigger whose function a role other than the admin may change, or that refuses what services may do",
        "sql",
        "`DISABLE`; a decision if it only refuses",
    ),
    group="isolation",
    stage=Stage.CODE,
)
def of_event_triggers(stack: DatabaseStack, observed: Observed) -> Iterator[Finding]:
    """Event triggers whose function another role may change: the next `up` would run it as the admin."""
    for trigger in observed.event_triggers:
        if trigger.changers:
            yield Finding(
                "event trigger",
                f"event trigger {trigger.name}",
                "a function that only the admin and superusers may change",
                f"runs {trigger.code}, which {some(trigger.changers)} may change, with the privileges of everybody who "
                + ("logs in" if trigger.event == "login" else "creates, changes or drops anything, also superusers"),
                observed.admin.sql(Verb.DISARM, trigger.disable, superusers=True),
            )


def blamed(admin: AdminCapabilities, triggers: Sequence[EventTrigger], tried: Iterable[Finding]) -> Iterator[Finding]:
    """The findings of trying, without statements that event triggers refused; one finding names each such trigger."""
    refused: dict[str, list[str]] = {}
    for finding in tried:
        kept = []
        for line in finding.actual.split("\n"):
            if by := next((trigger.name for trigger in triggers if _is_in(trigger, line)), None):
                refused.setdefault(by, []).append(line)
            else:
                kept.append(line)
        if kept:
            yield replace(finding, actual="\n".join(kept))
    for trigger in triggers:
        # A trigger that another role may change has its own finding.
        if trigger.name in refused and not trigger.changers:
            yield _refusing(admin, trigger, refused[trigger.name])


def _is_in(trigger: EventTrigger, line: str) -> bool:
    """Whether the line names the trigger's function; its schema is missing if it is on the search_path."""
    function = line.rpartition(", in function ")[2]
    return function != line and f".{trigger.code}".endswith(f".{function}")


def _refusing(admin: AdminCapabilities, trigger: EventTrigger, lines: Sequence[str]) -> Finding:
    heal = disable = admin.sql(Verb.DISARM, trigger.disable, superusers=True)
    if REFUSED in lines[0] and not trigger.definer:
        path = f"pg_catalog, {quoted(trigger.schema)}, pg_temp"
        lend = f"ALTER FUNCTION {trigger.code} SECURITY DEFINER SET search_path = {path}"
        # An unqualified name in its body could then lead to code of any role that may create in its schema.
        safe = f"-- if anybody may do all that its body does as {trigger.owner}, and each name in it has its schema:"
        text = "\n".join((safe, admin.sql(Verb.DISARM, lend).text, "-- if not:", disable.text))
        heal = Remedy("decision", text, by_superuser=True)
    return Finding(
        "event trigger",
        f"event trigger {trigger.name}",
        f"{trigger.code} refuses nothing that the roles of the stack may do",
        f"it refused {len(lines)} of the statements that were tried. The first one:\n{lines[0]}",
        heal,
    )


@check(
    Question(
        "shadow",
        "a function, an operator or a relation in `public`, or in a schema on another role's `search_path`, that has a"
        " name from `pg_catalog` and is not the admin's",
        "sql",
        "drop or rename it (a decision)",
    ),
    group="isolation",
    stage=Stage.CODE,
)
def of_shadows(stack: DatabaseStack, observed: Observed) -> Iterator[Finding]:
    found, schemas = observed.catalog.settings, observed.catalog.schemas
    paths = [(setting.role, split_path(setting.value)) for setting in found if setting.name == "search_path"]
    # `public` is on everybody's path, and `"$user"` on the one that the server starts with.
    on_a_path = {PUBLIC, *(name for name in observed.catalog.roles if name in schemas and schemas[name].owner != name)}
    for role, path in paths:
        on_a_path |= {name for name in path if name in schemas and schemas[name].owner != role}
    ahead = {name for _, path in paths if SYSTEM in path for name in path[: path.index(SYSTEM)]}
    asked = {"schemas": sorted(on_a_path), "ahead": sorted(ahead)}
    for shadow in observed.session.query("shadows", Shadow, admin=stack.server.user, **asked):
        # Once it is moved to its service's schema, it shadows nothing.
        if shadow.identity in observed.moved:
            continue
        yield Finding(
            "shadow",
            f"{shadow.kind} {shadow.identity}",
            f"a name from {SYSTEM} only for what the admin or a superuser owns",
            f"{shadow.owner} may change it, and sessions with {shadow.schema} on their search_path may use it instead",
            observed.admin.sql(Verb.END, shadow.remedy, of=(shadow.owner,)),
            frozenset({shadow.schema, shadow.owner}),
        )
