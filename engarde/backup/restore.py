"""Replaces everything in a service's schema by a backup, in one transaction."""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from engarde.backup import archive, manifest
from engarde.backup.backup import Options, of_others, refuse_pooler
from engarde.backup.clients import Client, client, major
from engarde.backup.inspect import grants, inspect, look_in, needed_by, owner_of, service_path
from engarde.backup.inventory import Edge, Held, Inventory, Owned, Server, contents
from engarde.backup.manifest import DUMP, LARGE_OBJECTS, Manifest
from engarde.backup.proof import begin, proved
from engarde.backup.report import Restored
from engarde.declaration.databases import database_of, service_of
from engarde.declaration.model import DatabaseStack, Service, Stack
from engarde.declaration.privileges import On, expected
from engarde.errors import Refused, Uncertain, Unfinished, Unreachable
from engarde.pulumi_cli.logins import access
from engarde.server import copy_in, functions
from engarde.server.credentials import Access
from engarde.server.functions import Extension, refuse_citus, refuse_event_triggers
from engarde.server.session import Session, session
from engarde.util.quoting import quoted
from engarde.util.terminal import Say, begin_change, first_few, indented, visible

PATIENCE = 10
"""How long a server has to notice a lost session [seconds]."""

SHOWN = 20
"""How many differences are shown."""

DROPPED_AS = {
    "aggregate": "ROUTINE",
    "function": "ROUTINE",
    "procedure": "ROUTINE",
    "statistics object": "STATISTICS",
}
"""Kind of object -> the word for it in DROP, if it is another one."""


def restore(
    stack: Stack, name: str, folder: Path, options: Options, say: Say, *, replace: bool, login: Access | None = None
) -> Restored:
    """Replaces everything in the schema by the backup, or changes nothing.

    :param login: a login of the service's role with another password than the state's.
    :raises Refused: the backup is damaged, does not fit, or would replace data.
    :raises Unfinished: it could not be loaded; nothing was changed.
    :raises Unreachable: the service's role could not log in, or the session was lost.
    """
    start = time.monotonic()
    if name in of_others(stack):
        raise Refused(
            f"the stack does not manage schema {name}. Nothing was changed. Restore its backups with pg_restore"
            " (docs/backup.md)"
        )
    service = service_of(stack, name)
    say("checking the backup's files")
    found = manifest.whole(folder)
    if found.inventory.schema != service.schema_:
        # Every name in a dump has its schema before it.
        raise Refused(
            f"this is a backup of schema {found.inventory.schema} (service {found.service} of stack {found.stack}), but"
            f" the schema of {service.name} is {service.schema_}. Nothing was changed"
        )
    login = login or access(stack, name)
    try:
        with session(login, "copy", read_only=False, one_snapshot=False) as asked:
            refuse_pooler(login, asked)
            refuse_citus(asked)
            programs = client(options.pg_bin, asked.major, major(found.client))
            refuse_event_triggers(asked, login.role, database_of(stack, service).server.user)
            before = _held(asked, service, found, replace=replace)
            if options.dry_run:
                proof = proved(database_of(stack, service), service.role, folder, found.inventory, programs, say)
                return Restored(name, folder, found, before, time.monotonic() - start, dry_run=True, proof=proof)
            transaction = begin(asked, service.schema_)
            # Nothing is changed before the commit; but that may be hours away.
            begin_change()
            say("dropping the old data")
            clear(asked, before.owned)
            load(asked, service.schema_, folder, found.inventory, programs, say)
            copy_in.run(asked, "grants", *_declared(database_of(stack, service), service, asked))
            now = set(grants(asked, service.schema_, service.role))
            lost = tuple(grant for grant in found.inventory.grants if grant not in now)
            say("committing")
            asked.commit()
    except Unfinished as error:
        advice = ". The schema is in use: stop the service, then run the command again" if "55P03" in str(error) else ""
        raise Unfinished(f"{error}\nNothing was changed{advice}") from None
    except Uncertain as error:
        if not _committed(login, transaction):
            raise Unreachable(f"lost {login.where} before the commit, so nothing was changed there") from None
        say(f"the restore was committed before the session was lost: {error}")
    return Restored(name, folder, found, before, time.monotonic() - start, lost)


def _held(asked: Session, service: Service, found: Manifest, *, replace: bool) -> Held:
    """The current contents of the schema, if the backup can replace them.

    :raises Refused: the backup does not fit the server, data may not be replaced, or other objects need them.
    """
    wanted = found.inventory
    [here] = asked.query("backup_pinned", Server)
    numbers = [item.number for item in wanted.large_objects]
    taken = asked.query("backup_numbers", dict, numbers=numbers)
    others = (large_object for large_object in taken if not large_object["own"])
    if faults := [
        *_faults(asked, here, service, wanted),
        *(f"large object {other['number']} of the backup belongs to {other['owner']} here" for other in others),
    ]:
        raise Refused(
            f"this backup cannot be restored to {service.name}. Nothing was changed. Reasons:\n"
            f"{indented(map(visible, faults))}"
        )
    owned = asked.query("backup_contents", Owned, schema=service.schema_)
    now = Held(tuple(owned), sum(large_object["own"] for large_object in taken))
    if str(now) and not replace:
        raise Refused(
            f"schema {service.schema_} holds data: {now}. Nothing was changed. Run `bin/engarde backup {service.name}`"
            " to keep a copy, then run the command with --yes-replace-data"
        )
    if needing := [visible(str(edge)) for edge in needed_by(asked, service.schema_)]:
        raise Refused(
            f"objects outside schema {service.schema_} need objects in it and would be dropped with them. Nothing was"
            f" changed. Drop them yourself, and create them again afterwards:\n{indented(needing)}"
        )
    return now


def _faults(asked: Session, here: Server, service: Service, wanted: Inventory) -> Iterator[str]:
    source, owner = wanted.server, owner_of(asked, service.schema_)
    if here.major < source.major:
        yield f"the server is PostgreSQL {here.version}, which is older than {source.version}, the backup's server"
    if here.encoding != source.encoding:
        yield f"database {here.database} has encoding {here.encoding}, but the backup has {source.encoding}"
    if owner != service.role:
        yield f"schema {service.schema_} belongs to {owner} instead of {service.role}: run `bin/pulumi up`"
    there = {extension.name: extension.schema for extension in asked.query("backup_extensions", Extension)}
    for extension in wanted.extensions:
        name, schema = extension.name, extension.schema
        if name not in there:
            yield (
                f"extension {name} is not in the database: declare it under engarde:extensions (schema {schema}), then"
                " run `bin/pulumi up`"
            )
        elif there[name] != schema:
            yield f"extension {name} is in schema {there[name]} here, but the backup needs it in {schema}"
    for missing in asked.query("backup_missing", Edge, needs=json.dumps(list(map(asdict, wanted.needs)))):
        yield f"{missing} does not exist here, but the backup needs it"


def clear(asked: Session, found: Sequence[Owned]) -> None:
    """Drops everything in a schema, and the role's large objects; a rollback brings all of it back."""
    drops = [f"DROP {DROPPED_AS.get(item.kind, item.kind.upper())} IF EXISTS {item.name} CASCADE" for item in found]
    if drops:
        copy_in.run(asked, "the old data cannot be dropped", *drops)
    asked.execute_file("backup_unlink")


def load(asked: Session, schema: str, folder: Path, wanted: Inventory, client: Client, say: Say) -> Inventory:
    """Loads a dump into an empty schema as the session's role, and compares the result with the manifest.

    :raises Unfinished: it could not be loaded, or the result differs.
    """
    # A dump names schemas, but the service's functions, which indexes and checks call, may not.
    look_in(asked, service_path(schema, wanted.extensions))
    with archive.opened(folder / DUMP, client) as dump:
        say("creating tables, types and functions")
        archive.run_definitions(asked, "definitions before the rows", dump.definitions("pre-data"))
        with dump.rows() as tables:
            for number, (copy, parts) in enumerate(tables, 1):
                name = copy.removeprefix("COPY ").removesuffix(" FROM stdin")
                say(f"loading table {number} of {wanted.stored}: {name.partition(' (')[0]}")
                copy_in.rows(asked, name, copy, parts)
        _set_sequences(asked, schema, wanted)
        say("creating indexes, constraints and triggers, and filling materialized views")
        archive.run_definitions(asked, "definitions after the rows", dump.definitions("post-data"))
    if wanted.large_objects:
        say(f"loading {len(wanted.large_objects)} large objects")
        archive.load_large_objects(asked, folder / LARGE_OBJECTS, wanted.large_objects)
    # Queries on new tables are slow until the planner has statistics.
    if names := [quoted(schema, table.name) for table in wanted.tables if table.rows]:
        copy_in.run(asked, "statistics", f"ANALYZE {', '.join(names)}")
    say("comparing with the manifest")
    found = inspect(asked, schema, say)
    if differences := [visible(str(difference)) for difference in contents(wanted, found)]:
        listed = first_few(differences, SHOWN, "\n  ", "\n  and ")
        raise Unfinished(f"the loaded data differs from the manifest:\n  {listed}")
    return found


def _set_sequences(asked: Session, schema: str, wanted: Inventory) -> None:
    reached = [
        {"name": quoted(schema, sequence.name), "last": sequence.last, "called": sequence.called}
        for sequence in wanted.sequences
    ]
    asked.execute_file("backup_set_sequences", sequences=json.dumps(reached))


def _declared(database: DatabaseStack, service: Service, asked: Session) -> Iterator[str]:
    """Grants what other services may read and call in it; default privileges grant analytics its own."""
    there = asked.tables([service.schema_])
    for privilege in sorted(expected(database), key=str):
        table = privilege.table
        if privilege.on in (On.TABLE, On.COLUMNS) and table and (privilege.schema, table) in there:
            columns = f" ({', '.join(map(quoted, privilege.columns))})" if privilege.columns else ""
            rights = ", ".join(f"{right}{columns}" for right in privilege.rights)
            yield f"GRANT {rights} ON {quoted(service.schema_, table)} TO {quoted(privilege.grantee)}"
    for caller in database.services:
        for function in functions.find(asked, caller.executes).values():
            if function.schema == service.schema_:
                yield f"GRANT EXECUTE ON ROUTINE {function.identity} TO {quoted(caller.role)}"


def _committed(login: Access, transaction: str) -> bool:
    """Whether a transaction was committed whose session was lost during the commit.

    :raises Unfinished: the server does not tell.
    """
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            with session(login) as asked:
                [state] = asked.values("backup_committed", transaction=transaction)
            if state in ("committed", "aborted"):
                return bool(state == "committed")
        except Unreachable:
            pass
        time.sleep(0.5)
    raise Unfinished(
        "the session was lost during the commit, and the server does not tell whether the restore was committed. Look"
        " at the data before you run the command again: it is either the backup's, or unchanged"
    )
