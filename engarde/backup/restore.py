"""Brings a backup back in the place of what its service's schema holds, in one transaction."""

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
"""How long a server that has lost a session is given to notice [seconds]."""

SHOWN = 20
"""How many differences are told."""

DROPPED_AS = {
    "aggregate": "ROUTINE",
    "function": "ROUTINE",
    "procedure": "ROUTINE",
    "statistics object": "STATISTICS",
}
"""What DROP calls a kind of object, where that is not its name."""


def restore(
    stack: Stack, name: str, folder: Path, options: Options, say: Say, *, replace: bool, login: Access | None = None
) -> Restored:
    """Loads the backup in the place of what the schema holds: all of it, or nothing is changed.

    :param login: another one of the service's role than with the state's password.
    :raises Refused: the backup is damaged, does not fit, or would replace data.
    :raises Unfinished: it could not be loaded; what was there is there as it was.
    :raises Unreachable: the service's role was not let in, or the session was lost.
    """
    start = time.monotonic()
    if name in of_others(stack):
        raise Refused(f"schema {name} is not the stack's to restore; pg_restore reads its backups (docs/backup.md)")
    service = service_of(stack, name)
    say("checking the backup's files")
    found = manifest.whole(folder)
    if found.inventory.schema != service.schema_:
        # Every name in a dump has its schema before it.
        raise Refused(
            f"this is a backup of schema {found.inventory.schema} (service {found.service} of stack {found.stack}),"
            f" and {service.name}'s schema is {service.schema_}"
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
            # Nothing stays of it before its end; but that may be hours away.
            begin_change()
            say("dropping what is there")
            clear(asked, before.owned)
            load(asked, service.schema_, folder, found.inventory, programs, say)
            copy_in.run(asked, "grants", *_declared(database_of(stack, service), service, asked))
            now = set(grants(asked, service.schema_, service.role))
            lost = tuple(grant for grant in found.inventory.grants if grant not in now)
            say("committing")
            asked.commit()
    except Unfinished as error:
        advice = "\nSomebody works in it: stop the service meanwhile" if "55P03" in str(error) else ""
        raise Unfinished(f"{error}{advice}\nNothing was changed: what was there before is there as it was") from None
    except Uncertain as error:
        if not _committed(login, transaction):
            raise Unreachable(f"lost {login.where} before the end, so nothing was changed there") from None
        say(f"the session was lost after its end: {error}")
    return Restored(name, folder, found, before, time.monotonic() - start, lost)


def _held(asked: Session, service: Service, found: Manifest, *, replace: bool) -> Held:
    """What is there now, on a server that can take the backup.

    :raises Refused: it cannot, or holds data that may not be replaced, or that somebody else needs.
    """
    wanted = found.inventory
    [here] = asked.query("backup_pinned", Server)
    numbers = [item.number for item in wanted.large_objects]
    taken = asked.query("backup_numbers", dict, numbers=numbers)
    others = (large_object for large_object in taken if not large_object["own"])
    if faults := [
        *_faults(asked, here, service, wanted),
        *(f"large object {other['number']} of the backup is {other['owner']}'s here" for other in others),
    ]:
        raise Refused(
            f"this backup cannot be restored to {service.name}; nothing was changed:\n{indented(map(visible, faults))}"
        )
    owned = asked.query("backup_contents", Owned, schema=service.schema_)
    now = Held(tuple(owned), sum(large_object["own"] for large_object in taken))
    if str(now) and not replace:
        raise Refused(
            f"schema {service.schema_} holds data: {now}. Nothing was changed. --yes-replace-data replaces it, and"
            f" `bin/engarde backup {service.name}` keeps a copy before"
        )
    if needing := [visible(str(edge)) for edge in needed_by(asked, service.schema_)]:
        raise Refused(
            f"outside of schema {service.schema_} this needs what is in it, and would be dropped with it; nothing was"
            f" changed. Drop it yourself, and make it again afterwards:\n{indented(needing)}"
        )
    return now


def _faults(asked: Session, here: Server, service: Service, wanted: Inventory) -> Iterator[str]:
    source, owner = wanted.server, owner_of(asked, service.schema_)
    if here.major < source.major:
        yield f"the server is PostgreSQL {here.version}, older than the {source.version} that the backup is of"
    if here.encoding != source.encoding:
        yield f"database {here.database} is in {here.encoding}, and the backup in {source.encoding}"
    if owner != service.role:
        yield f"schema {service.schema_} belongs to {owner} instead of {service.role}; `bin/pulumi up` heals it"
    there = {extension.name: extension.schema for extension in asked.query("backup_extensions", Extension)}
    for extension in wanted.extensions:
        name, schema = extension.name, extension.schema
        if name not in there:
            yield (
                f"extension {name} is not in the database: declare it under engarde:extensions (schema {schema}), then"
                " `bin/pulumi up`"
            )
        elif there[name] != schema:
            yield f"extension {name} is in schema {there[name]} here, and was in {schema}"
    for missing in asked.query("backup_missing", Edge, needs=json.dumps(list(map(asdict, wanted.needs)))):
        yield f"{missing} is not here, and the backup needs it"


def clear(asked: Session, found: Sequence[Owned]) -> None:
    """Drops what stands in a schema, and the role's large objects; all of it comes back with the transaction's end."""
    drops = [f"DROP {DROPPED_AS.get(item.kind, item.kind.upper())} IF EXISTS {item.name} CASCADE" for item in found]
    if drops:
        copy_in.run(asked, "the old data cannot be dropped", *drops)
    asked.execute_file("backup_unlink")


def load(asked: Session, schema: str, folder: Path, wanted: Inventory, client: Client, say: Say) -> Inventory:
    """Loads a dump into an empty schema as the session's role, and finds in it exactly what the manifest lists.

    :raises Unfinished: it could not be loaded, or something is not as it was.
    """
    # A dump names schemas; the service's functions, which indexes and checks call, need not.
    look_in(asked, service_path(schema, wanted.extensions))
    with archive.opened(folder / DUMP, client) as dump:
        say("making tables, types and functions")
        archive.run_definitions(asked, "definitions before the rows", dump.definitions("pre-data"))
        with dump.rows() as tables:
            for number, (copy, parts) in enumerate(tables, 1):
                name = copy.removeprefix("COPY ").removesuffix(" FROM stdin")
                say(f"loading table {number} of {wanted.stored}: {name.partition(' (')[0]}")
                copy_in.rows(asked, name, copy, parts)
        _set_sequences(asked, schema, wanted)
        say("making indexes, constraints, triggers and views' contents")
        archive.run_definitions(asked, "definitions after the rows", dump.definitions("post-data"))
    if wanted.large_objects:
        say(f"loading {len(wanted.large_objects)} large objects")
        archive.load_large_objects(asked, folder / LARGE_OBJECTS, wanted.large_objects)
    # A planner that knows nothing of new tables is slow until autovacuum has seen them.
    if names := [quoted(schema, table.name) for table in wanted.tables if table.rows]:
        copy_in.run(asked, "statistics", f"ANALYZE {', '.join(names)}")
    say("comparing with the manifest")
    found = inspect(asked, schema, say)
    if differences := [visible(str(difference)) for difference in contents(wanted, found)]:
        listed = first_few(differences, SHOWN, "\n  ", "\n  and ")
        raise Unfinished(f"what was loaded is not what the manifest lists:\n  {listed}")
    return found


def _set_sequences(asked: Session, schema: str, wanted: Inventory) -> None:
    reached = [
        {"name": quoted(schema, sequence.name), "last": sequence.last, "called": sequence.called}
        for sequence in wanted.sequences
    ]
    asked.execute_file("backup_set_sequences", sequences=json.dumps(reached))


def _declared(database: DatabaseStack, service: Service, asked: Session) -> Iterator[str]:
    """What other services may read and call of it; analytics gets its own by default privileges."""
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
    """Whether a transaction whose end was not heard of has come to it.

    :raises Unfinished: nobody knows.
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
        "the session was lost at its very end, and the server does not say whether the backup is in: look at the data"
        " before you run this again; it is either the backup's, or as it was before"
    )
