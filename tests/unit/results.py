"""What commands find, made up for so many services of such names: one of each kind of text that is printed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import RenderableType

from devtools.local.up import shown as brought_up
from engarde.alembic.check import NOT_CHECKED
from engarde.alembic.scripts import Revision
from engarde.backup.inventory import Edge, Grant, Held, Inventory, Owned
from engarde.backup.inventory import Server as DumpedFrom
from engarde.backup.manifest import Manifest
from engarde.backup.report import Backups, Made, Restored
from engarde.checks.judging import Taken
from engarde.declaration.databases import restrict_to
from engarde.declaration.loader import parse
from engarde.declaration.model import Accepted, Stack
from engarde.doctor.diagnosis import Diagnosis
from engarde.doctor.model import confirmed, ruled_out
from engarde.errors import Refused
from engarde.explain import show as of_explanation
from engarde.explain.explanation import Passage, explanation
from engarde.explain.facts import Policy, Reading
from engarde.explain.indirect import Base, Through
from engarde.migrate.report import Migrated, Statuses, Upgraded
from engarde.migrate.report import Status as Where
from engarde.output.findings import Finding, Remedy
from engarde.output.layout import lines
from engarde.output.show import Findings, Result, Shown
from engarde.railway.audit import OldLogin
from engarde.railway.planning import Plan, Step
from engarde.railway.project import Deployment, Instance, Project
from engarde.railway.pushing import Preview, Push, Pushed
from engarde.retire.run import Retired
from engarde.rotate.report import Report as Rotations
from engarde.rotate.report import Rotated, Rotation
from engarde.server.functions import Extension
from engarde.split.inspect import Contents, Source, Target, TargetServer
from engarde.split.move import changes, move
from engarde.split.report import Finished, Moved, MovePlan
from engarde.status.collect import SETTINGS, Setting, Slot
from engarde.status.collect import Server as Seen
from engarde.status.connections import STATES, Blocked, Blocker, Connections, Lock
from engarde.status.exceeded import Exceeded
from engarde.status.report import Report as StatusReport
from engarde.status.report import Server, Service
from engarde.status.show import Status
from engarde.status.statement_stats import Slow, StatementStats, Unseen
from engarde.status.storage import AutovacuumOff, Bytes, IndexUse, InvalidIndex, NearEnd, Sized, Storage
from engarde.status.subjects import Subject, subjects
from engarde.util.quoting import word
from engarde.verify.report import Cell, Report, Row, as_json, as_text
from tests.unit.explained import entry, facts, thing

Names = Sequence[str]

SHORT = ("madansara", "sankore", "onside", "langflow")
URL = "`bin/engarde url {} --stack local --from service`"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def letter(number: int) -> str:
    """One that stands in no text of ours, of two bytes."""
    return chr(0x430 + number)


def long(number: int) -> str:
    """A name as long as the server has them."""
    return f"{'s' * 43}{letter(number) * 10}"


def names(many: int, length: str) -> tuple[str, ...]:
    """So many names of services."""
    short = [*SHORT, *(f"service_{number:02}" for number in range(len(SHORT), many))]
    return tuple(long(number) if length == "long" else short[number] for number in range(many))


def stack(services: Names) -> Stack:
    """Each of whose roles is called as its service."""
    declared: dict[str, Any] = {
        "server": {"host": "h", "database": "railway"},
        "services": {name: {"role": name} for name in services},
        "existingSchemas": {"public": {}},
        "analytics": {},
    }
    return parse("local", declared, {"adminPassword"})


def remedy(name: str) -> Remedy:
    """Which a line end of ours would break, wherever it were."""
    return Remedy(
        "sql",
        f'REVOKE EXECUTE ON ROUTINE public."a rather long name that {name} made"(integer) FROM PUBLIC; -- only now',
    )


def findings(services: Names) -> list[Finding]:
    return [
        Finding(
            "undeclared grant", f"{name} on table public.things", "nothing more than declared", "SELECT", remedy(name)
        )
        for name in services
    ]


def verified(services: Names, service: str | None = None) -> Result:
    """Of whom each reads everybody's, as wide as a matrix is."""
    schemas = [*services, "public"]
    rows = [
        Row(
            role, tuple(Cell(schema, "owns" if role == schema else "reads 2", role != schemas[1]) for schema in schemas)
        )
        for role in (*services, "analytics_readonly", "PUBLIC")
    ]
    notices = tuple(
        f"{name} is declared to read {services[0]}.things, which does not exist yet" for name in services[1:3]
    )
    found = findings(services)
    by = Accepted(check=found[0].check, subject=found[0].subject, reason="until it is moved", until=NOW.date())
    report = Report("local", tuple(found), notices, tuple(rows), 6, 180, 52, (Taken(found[0], by),), service)
    return Shown(partial(as_text, report), partial(as_json, report))


def looked_over(services: Names) -> Result:
    return Findings(findings(services), "nothing is wrong")


def checked(services: Names) -> Result:
    return Findings(findings(services), "nothing is wrong", {"service": services[0], "notChecked": NOT_CHECKED})


def diagnosed(services: Names) -> Result:
    causes = {
        "the URL in use is not the service's": confirmed(f"{URL.format(word(services[0]))} prints another"),
        f"{services[-1]} has changed its password": ruled_out("the state's password lets it in"),
    }
    line = f'FATAL: password authentication failed for user "{services[0]}"'
    found = Diagnosis("28P01", "the server refuses the password", line, causes, remedy(services[0]), True, None, "")
    return Shown(partial(found.shown, "local"), found.data)


def migrated(services: Names) -> Result:
    said = f"Alembic has failed, see above; {URL.format(word(services[0]))} prints its URL"
    return Upgraded([Migrated(name, "failed", ("0001",), ("0002",), 12.3, said) for name in services])


def migrations(services: Names) -> Result:
    pending = (Revision("4f5a6b7c8d9e", (), (), (), "adds the table of things that are pending", Path("f"), 1),)
    said = f"holds a1b2c3, which its history lacks: {URL.format(word(services[0]))}"
    return Statuses([Where(name, "pending", ("a1b2c3d4e5f6",), ("4f5a6b7c8d9e",), pending, said) for name in services])


def railway_plan(services: Names) -> Plan:
    deployment = Deployment("d", "SUCCESS", NOW)
    steps = [
        Step(
            Instance(name, name, deployment, ()),
            (name,),
            (("DATABASE_URL", "change"), ("DIRECT_URL", "unknown")),
            "deploy",
            {},
        )
        for name in services
    ]
    return Plan(Project("p", "e", {}, {}, {}), tuple(steps), {})


def to_deliver(services: Names) -> Result:
    old = [
        OldLogin(
            services[0],
            "OLD_URL",
            services[0],
            "`bin/engarde railway push` does not write it, so delete it there",
        )
    ]
    return Preview(railway_plan(services), old)


def delivered(services: Names) -> Result:
    says = "DIRECT_URL is sealed, so its value cannot be compared; `--write-sealed` writes it"
    return Push(tuple(Pushed(step, False, says) for step in railway_plan(services).steps))


def rotated(services: Names) -> Result:
    logins = stack(services).services
    done = tuple(Rotated(Rotation(login, 1, 2, False)) for login in logins)
    failed = (services[-1], Refused(f"no token: {URL.format(word(services[0]))}"))
    return Rotations("local", False, False, False, done, failed, ())


def to_move(services: Names) -> Result:
    way = move(stack(services), services[0], None, services[-1], ["citext"])
    source = Source(17, "UTF8", "en_US.UTF-8", "en_US.UTF-8", "i", "en-US", 10**10, 10**7, [], 0)
    held = Contents(
        services[0], source, ("things",), (), 1, (("function", 3),), (Extension("citext", "public", "1"),), (), ()
    )
    stands = f"{services[0]} holds things of {services[-1]}: {URL.format(word(services[-1]))} shows where it runs"
    target = Target(TargetServer(17, True, None, False, False), frozenset({"citext"}))
    return MovePlan(way, held, target, (stands,), changes(way.before, way.after))


def moved(services: Names) -> Result:
    return Moved(services[0], "railway", services[-1], False, folder="/backups", notes=(f"{services[0]} is done",))


def dropped(services: Names) -> Result:
    return Finished(services[0], "railway", services[0], holding(services), "/backups", True)


def holding(services: Names) -> Held:
    return Held((Owned("table", f"{services[0]}.things", services[0]),), 2)


def inventory(services: Names) -> Inventory:
    server = DumpedFrom("17.6", 17, "UTF8", "railway")
    needing = (Edge("view", f"{services[-1]}.looking"),)
    return Inventory(server, services[0], services[0], (), (), (), (), (), (), (), (), needing)


def backed_up(services: Names) -> Result:
    return Made(services[0], Path("/backups"), "17.6", 1.2, 10**9, inventory(services))


def all_backed_up(services: Names) -> Result:
    made = Made(services[0], Path("/backups"), "17.6", 1.2, 10**9, inventory(services))
    return Backups([made], {services[-1]: Refused("it has no schema")})


def restored(services: Names) -> Result:
    manifest = Manifest(1, NOW.isoformat(), "local", services[0], "17.6", (), inventory(services), ())
    extra = Grant(f"table {services[0]}.things", services[-1], "SELECT", False)
    return Restored(services[0], Path("/backups"), manifest, holding(services), 1.2, (extra,))


def retired(services: Names) -> Result:
    return Retired(services[0], (f"schema {services[0]} is dropped",), False, Path("/backups"), 1.2, (services[0],))


def explained(services: Names) -> Result:
    owner, reader = services[0], services[-1]
    of_stack = restrict_to(stack(services), None)
    schema = thing(40, "schema", owner, owner, schema=None)
    target = thing(41, "table", "things", owner, owner, row_security=True)
    view = thing(42, "view", "seen", owner, owner)
    known = facts(
        entry(target, "SELECT", reader, by=owner),
        entry(view, "SELECT", reader, by=owner),
        target=target,
        things=(schema, view),
        readings=(Reading(42, 41, False),),
        policies=(Policy("own", "SELECT", True, reader, "true", None),),
    )
    found = explanation(known, of_stack, reader)
    used = Through(view, (target,), ("SELECT",), owner, None, True)
    led = Passage(used, found.lines[0].ways, "", undeclared=True)
    found = replace(found, bases=(Base(target, owner, True, True, True),), passages=(led,))
    return Shown(partial(of_explanation.table, found), partial(of_explanation.data, found))


def brought(services: Names) -> RenderableType:
    made = {
        name: {
            "schema": name,
            "role": name,
            "connectionLimit": 10.0,
            "reads": [f"{other}.things" for other in services[:2]],
        }
        for name in services
    }
    return brought_up(made)


def statement(name: str, number: int) -> Slow:
    text = f"SELECT count(*) FROM {name}.things WHERE word = $1 AND other_word = $2 AND yet_another_word = $3"
    return Slow(str(number), text, 12_345_678, 123_456_789.0, 1234.5, 12_345_678, 0.987, 0)


def stored(subject: Subject) -> Storage | None:
    if not subject.schemas:
        return None
    tables = tuple(
        Sized(
            subject.schemas[0],
            f"{subject.name}",
            0,
            Bytes(10**9, 10**8, 10**7),
            123_456_789,
            12_345,
            NOW.timestamp(),
            None,
        )
        for _ in range(2)
    )
    index = IndexUse(subject.schemas[0], "things", f"by {subject.name}", "things_pkey", 10**7)
    return Storage(
        Bytes(10**11, 10**10, 10**9),
        2,
        (),
        1_234_567_890,
        12_345_678,
        tables,
        tables[:1],
        2**31,
        2**31,
        (NearEnd(subject.schemas[0], subject.name, 0.9, 10),),
        0,
        (index,),
        (index,),
        (InvalidIndex(subject.schemas[0], "things", subject.name, 10**7),),
        (AutovacuumOff(subject.schemas[0], subject.name),),
    )


def glanced(services: Names, *, blocked: bool = False) -> Status:
    every = subjects(restrict_to(stack(services), None))
    waits = Blocked(1, services[0], "things", "ShareLock", 1.5, None, (Blocker(2, services[-1], services[-1]),))
    held = Lock(
        role=services[0],
        schema=services[-1],
        service=services[-1],
        mode="ShareLock",
        granted=True,
        count=1,
        seconds=1.5,
    )
    found = [
        Service(
            subject,
            stored(subject),
            Connections(10, 10, dict.fromkeys(STATES, 2), 1234.5, 0, (waits,) * blocked, (held,)),
            StatementStats(
                123_456_789,
                10**9,
                12.3,
                1,
                0.999,
                0,
                (statement(subject.name, 1),),
                (statement(subject.name, 2),),
                9,
                1.5,
                1,
                1,
            ),
            ("a1b2c3d4e5f6",),
        )
        for subject in every
    ]
    seen = Seen("17.6", "postgres", True, 1, False, NOW.timestamp() - 10**6, None, 99, 1, 0, 0, 1, 1)
    settings = {name: Setting(name, "1234MB", name == "work_mem") for name in SETTINGS}
    server = Server(
        seen,
        settings,
        50,
        97,
        97,
        100,
        40,
        {services[0]: 3},
        0,
        10**11,
        (Slot(services[0], "logical", services[0], 10**10),),
    )
    unseen = Unseen("the statements of all services", "the database has none", remedy(services[0]))
    report = StatusReport("local", "railway", NOW.timestamp(), server, tuple(found), (unseen,), True)
    return Status(report, (Exceeded(services[0], "size", 1, 2, "93.1 GB (threshold 10.0 GB)"),))


RESULTS: dict[str, Callable[[Names], Result]] = {
    "verify": verified,
    "verify SERVICE": lambda services: verified(services, services[0]),
    "doctor": looked_over,
    "doctor TEXT": diagnosed,
    "explain": explained,
    "status": lambda services: glanced(services, blocked=True),
    "alembic check": checked,
    "migrate": migrated,
    "migrate status": migrations,
    "railway plan": to_deliver,
    "railway push": delivered,
    "railway audit": looked_over,
    "rotate": rotated,
    "backup": backed_up,
    "backup --all": all_backed_up,
    "restore": restored,
    "split plan": to_move,
    "split run": moved,
    "split finish": dropped,
    "retire": retired,
}


def text(command: str) -> Callable[[Names], RenderableType]:
    return lambda services: RESULTS[command](services).text()


TEXTS: dict[str, Callable[[Names], RenderableType]] = {
    **{command: text(command) for command in RESULTS},
    "make up": brought,
    "a message": lambda services: lines(f"{services[0]} is in {services[-1]}"),
}
COPIED = frozenset(remedy(name).text for length in ("short", "long") for name in names(50, length))
"""The lines that are copied."""
