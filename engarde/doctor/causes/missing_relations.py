"""Causes of `relation … does not exist` and `schema … does not exist`."""

from engarde.declaration.model import Analytics, Service
from engarde.declaration.names import PUBLIC
from engarde.declaration.resource_names import login_name
from engarde.doctor import remedies
from engarde.doctor.causes.schemas import search_path_changed
from engarde.doctor.facts import Facts, Relation
from engarde.doctor.model import Answer, Cause, as_found, bring_back, confirmed, ruled_out, unknown
from engarde.output.findings import Finding, Remedy
from engarde.util.quoting import quoted

OPERATORS_TOOLS = ("psql", "pg_dump", "engarde", "terraform", "pulumi", "pgadmin", "dbeaver")
"""First words of the application names of tools: these sessions are no service's."""


def seekers(facts: Facts) -> tuple[Service | Analytics, ...]:
    """The logins that may have looked for the table; without a role in the text, the services that have one of this
    name, or else all."""
    if len(facts.suspects) < 2:
        return facts.suspects
    places = {relation.schema for relation in facts.relations}
    owners = tuple(service for service in facts.stack.services if service.schema_ in places)
    return owners or facts.suspects


def _written(facts: Facts) -> Relation | None:
    """The relation, if the error names it with its schema and it exists."""
    return next((relation for relation in facts.relations if relation.place in facts.guesses), None)


def found_by(facts: Facts, login: Service | Analytics) -> Relation | None:
    """The relation that the login finds under the name now."""
    if written := _written(facts):
        return written
    seen = (
        relation
        for schema in facts.search_path(login.role)
        for relation in facts.exact
        if relation.schema == schema and facts.may_use(login.role, schema)
    )
    return next(seen, None)


def _is_elsewhere(facts: Facts) -> Answer:
    for login in seekers(facts):
        if found_by(facts, login) or not (named := facts.exact):
            continue
        readable = [relation for relation in named if facts.sees(login, relation.schema, relation.name)]
        it, path = (readable or named)[0], facts.search_path(login.role)
        if it.schema in path:
            because = f"{login.role} lacks USAGE on schema {it.schema}, so it does not see {it.place}"
            return confirmed(because, bring_back(facts))
        if readable:
            because = f"its full name is {it.place}, and {login_name(login)} may read it"
            return confirmed(because, remedies.code(f"write {it.place}"))
        known = it.schema in facts.stack.schemas
        remedy = remedies.declaring(facts, [login], it.schema, it.name) if known else None
        return confirmed(f"its full name is {it.place}; the search_path is {', '.join(path)}", remedy)
    return ruled_out("no table of this name is only in another schema")


def _other_case(facts: Facts) -> Answer:
    exact = {relation.schema for relation in (*facts.exact, _written(facts)) if relation}
    for login in seekers(facts):
        for relation in facts.relations:
            if found_by(facts, login) is None and relation.schema not in exact:
                name = quoted(relation.name)
                because = f"{relation.schema} has {name}; without quotes, PostgreSQL reads a name in lower case"
                return confirmed(because, remedies.code(f"write {name}, with its quotes"))
    return ruled_out("no table's name differs in upper and lower case only")


def _not_migrated(facts: Facts) -> Answer:
    if facts.relations:
        return ruled_out("a table of this name exists")
    if facts.named.object is None:
        return unknown("the text does not say what is missing")
    filled = {relation.schema for relation in facts.catalog.relations}
    migrated = {relation.schema for relation in facts.relations_called(["alembic_version"])}
    schemas = [login.schema_ for login in seekers(facts) if isinstance(login, Service)]
    because = "no schema has a table of this name"
    if empty := [schema for schema in schemas if schema not in filled]:
        return confirmed(f"{because}; {', '.join(empty)} has no tables")
    if bare := [schema for schema in schemas if schema not in migrated]:
        return confirmed(f"{because}; {', '.join(bare)} has no alembic_version")
    return confirmed(because)


def _other_role(facts: Facts) -> Answer:
    said = facts.role
    if facts.login:
        return ruled_out(f"{said} is a role of the stack")
    if said:
        what = "the admin" if facts.is_admin else "not a role of this stack"
        return confirmed(f"{said} is {what}; its search_path has no service's schema")
    for client in facts.clients:
        here = client.database == facts.stack.server.database and client.role not in facts.declared_roles
        if here and not client.application.lower().startswith(OPERATORS_TOOLS):
            return unknown(f"the text names no role; a session that is no service's is open now: {client}")
    return ruled_out("only roles of the stack are connected now")


def _is_gone(facts: Facts, finding: Finding) -> bool:
    schema = finding.subject.removeprefix("schema ")
    if facts.named.object is None:
        return schema in [service.schema_ for service in facts.services]
    return schema == facts.known_as([service.schema_ for service in facts.stack.services])


def _schema_in_other_case(facts: Facts) -> Answer:
    lowered = {name.lower(): name for name in facts.catalog.schemas}
    found = facts.known_as(facts.catalog.schemas)
    alike = next((lowered[guess.lower()] for guess in facts.guesses if guess.lower() in lowered), None)
    if alike and not found:
        name = quoted(alike)
        return confirmed(
            f"the schema is {name}; without quotes, PostgreSQL reads a name in lower case",
            remedies.code(f"write {name}"),
        )
    return ruled_out("no schema's name differs in upper and lower case only")


def _schema_of_service(facts: Facts) -> Answer:
    if facts.named.object is None or facts.known_as(facts.catalog.schemas):
        return ruled_out("the schema exists")
    by_name = {service.name: service for service in facts.stack.services}
    if (found := by_name.get(facts.known_as(by_name) or "")) and found.schema_ not in facts.guesses:
        return confirmed(f"{found.name}'s schema is {found.schema_}", remedies.code(f"write {found.schema_}"))
    if facts.known_as([*(s.schema_ for s in facts.stack.services), PUBLIC]):
        return ruled_out("the schema is declared")
    name = facts.guesses[-1]
    return confirmed(
        "no service in the stack file has this schema", remedies.edit("engarde:services", name, value="{}")
    )


def _migrate(facts: Facts) -> Remedy:
    who = remedies.only(facts.suspects)
    url = f'DATABASE_URL="$(bin/engarde url {who} --stack {facts.stack.name})"'
    return remedies.command(f"{url} alembic upgrade head")


_QUOTE = remedies.code("write the name in double quotes, exactly as it was created")
_SAY_WHERE = remedies.code("write the table's name with its schema")

SEARCH_PATH = search_path_changed("the role's search_path is not the declared one", seekers)
OTHER_CASE = Cause("the table's name has capitals and needs quotes", _other_case, _QUOTE)
ELSEWHERE = Cause("the table is in another schema", _is_elsewhere, _SAY_WHERE)
NOT_MIGRATED = Cause("the service's migrations have not run", _not_migrated, _migrate)
OTHER_ROLE = Cause("the service logs in as another role", _other_role, remedies.new_url)
GONE = Cause.of_check(
    "the schema was dropped, or not created yet",
    "schema",
    because="{subject} {actual}",
    otherwise="every declared schema in question exists",
    so=_is_gone,
    heal=as_found,
)
SCHEMA_CASE = Cause("the schema's name has capitals and needs quotes", _schema_in_other_case, _QUOTE)
UNDECLARED = Cause("no service has this schema", _schema_of_service, _SAY_WHERE)
