"""Code that one role may change and that runs with the privileges of others, or makes their reads fail."""

import re
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Sequence

from engarde.checks.admin_capabilities import AdminCapabilities
from engarde.checks.closure import closure
from engarde.checks.naming import called, grantee, some, up
from engarde.checks.observed import Observed
from engarde.checks.registry import Question, Stage, check
from engarde.declaration.model import DatabaseStack
from engarde.declaration.names import PUBLIC
from engarde.output.findings import Finding, Notice, Remedy, Verb
from engarde.pulumi_cli.state import Outputs
from engarde.server.catalog import Catalog, CodeUse, StatementRunner, View
from engarde.util.quoting import printable

READ = ("view", "policy", "partition key")
"""Kinds of use whose code runs when somebody reads the table."""
NO_WRITES = frozenset({"SELECT", "REFERENCES"})
"""Privileges on a table whose use runs none of its triggers."""
EVALUATED = ("index", "check", "statistics", "partition key")
"""Kinds of use whose constant calls the plan of a plain SELECT evaluates."""
MOST = 300_000
"""Uses of code that are checked: the server keeps them in memory, some 400 bytes each."""
TOO_MANY = "drop the nested types that cause them, or move the service to a database of its own"
UNREAD = "unread"
FOREIGN_KEY = "foreign key"
"""Its code runs with the privileges of the referenced table's owner, whoever writes."""
TOKENS = re.compile(
    r"\\.|(?P<row>\{(?:VAR|PARAM) )|(?P<open>\{)|(?P<close>\})|(?P<call>:(?:funcid|opno) \d+ )", re.DOTALL
)
"""Of a stored tree: what is escaped, what depends on a row, where a node begins and ends, and what it calls."""
Calls = dict[tuple[str, str | None, str | None], set[str]]
"""Kind, relation and name of what planning looks at -> the calls in it that planning evaluates."""


@check(
    Question(
        "code of others",
        "code that one role may change and that runs with the privileges of another"
        " ([when](verify.md#code-that-runs-with-the-rights-of-others))",
        "sql",
        "drop it (a decision), or `REVOKE EXECUTE`",
    ),
    Question(
        "read",
        "a declared read, or a read by analytics, that fails because its plan calls a function that the reader may not"
        " execute",
        "sql",
        "drop what calls the function (a decision)",
    ),
    Question("view", "a declared read of a table that has become a view", "command", "`bin/pulumi up` records it"),
    group="isolation",
    needs=("catalogs", "state"),
    stage=Stage.CODE,
)
def findings(stack: DatabaseStack, observed: Observed) -> Iterator[Finding | Notice]:
    """Every use of code that roles other than the admin may change, and declared reads that have become views."""
    said = [*_said(stack, observed)]
    yield from (finding for finding in said if isinstance(finding, Finding))
    yield from sorted({notice for notice in said if isinstance(notice, Notice)})
    yield from _turned(stack, observed.catalog, observed.recorded.outputs)


def _turned(stack: DatabaseStack, catalog: Catalog, known: Outputs) -> Iterator[Finding]:
    """Declared reads that were tables at the last run and are now views of other roles."""
    views = {(relation.schema, relation.name): relation for relation in catalog.relations if relation.view}
    trusted = catalog.trusted(stack.server.user)
    for service in stack.services:
        seen = known.views.get(service.name, ())
        for read in service.reads:
            view = views.get((read.schema_, read.table))
            if view and view.owner not in {*trusted, service.role} and f"{read.schema_}.{read.table}" not in seen:
                yield Finding(
                    "view",
                    f"{service.role} on table {view.identity}",
                    "a table, or a view that the last `up` recorded",
                    f"a view: {view.owner} decides what runs with the privileges of {service.role}",
                    up(stack, refresh=False),
                    frozenset({service.role, view.schema, view.owner}),
                )


def _said(stack: DatabaseStack, observed: Observed) -> Iterator[Finding | Notice]:
    """Findings and warnings about code that roles other than the admin may change."""
    uses: dict[tuple[str, str | None, str | None, str], list[CodeUse]] = defaultdict(list)
    constants: Calls = {}
    for use in observed.session.query("code_of_others", CodeUse, admin=stack.server.user, most=MOST):
        if use.kind == UNREAD:
            yield Finding(
                "code of others",
                use.owner,
                f"fewer than {MOST:,} uses of code that roles other than the admin may change",
                f"more, most of them by objects of {use.owner}; not all were checked",
                Remedy("code", TOO_MANY),
                frozenset({use.owner}),
            )
            continue
        uses[use.kind, use.relation, use.name, use.code_owner].append(use)
        if use.evaluated:
            constants[use.kind, use.relation, use.name] = _constants(use.evaluated)
    judge = _Judge(stack, observed.catalog, observed.admin, constants)
    for group in uses.values():
        yield from judge.of_uses(group)
    for runner in observed.session.query("statement_runners", StatementRunner, admin=stack.server.user):
        yield from judge.of_runner(runner)


class _Judge:
    def __init__(self, stack: DatabaseStack, catalog: Catalog, admin: AdminCapabilities, constants: Calls) -> None:
        self.stack = stack
        self.catalog = catalog
        self.admin = admin
        self.constants = constants
        self._acts_as = closure(stack, catalog).acts_as
        # Table or view -> right -> who has it; table or view -> the views that read it.
        self._grantees: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        self._above: dict[str, list[View]] = defaultdict(list)
        for entry in catalog.entries:
            if entry.kind == "table":
                self._grantees[entry.identity][entry.right].add(entry.grantee)
        for view in catalog.views:
            self._above[view.base].append(view)

    def of_uses(self, uses: Sequence[CodeUse]) -> Iterator[Finding | Notice]:
        """Findings and warnings about one thing and all code of one role that it uses."""
        use = uses[0]
        if use.owner not in self._acts_as(use.code_owner):
            yield from self._of_another(uses)
        elif use.kind == "view" and use.relation:
            yield from self._of_own_view(use.relation, uses)
        elif use.kind in EVALUATED:
            constants = self.constants.get((use.kind, use.relation, use.name), set())
            yield from self._of_plans([other for other in uses if _constant(other, constants)])
        elif use.kind == "column" and (ranged := [other for other in uses if other.ranged]):
            yield from self._of_a_range(ranged)

    def of_runner(self, runner: StatementRunner) -> Iterator[Finding]:
        """A view whose readers run a statement that is in a text."""
        if readers := self._endangered(runner.owner, self._readers(runner.view)):
            does = f"calls {runner.code}, through which {runner.owner} can run any statement"
            heal = self._drop([runner.view], runner.owner)
            yield self._finding(f"view {runner.view}", does, readers, heal, {runner.owner})

    def _of_another(self, uses: Sequence[CodeUse]) -> Iterator[Finding]:
        use = uses[0]
        # If a service is declared to read a view, the view's owner is known to it.
        reads = [read for service in self.stack.services if service.role == use.owner for read in service.reads]
        tables = {(read.schema_, read.table) for read in reads}
        views = {other.code for other in uses if other.code_kind == "view"} if tables else set()
        # There may be many uses, and many relations.
        relations = self.catalog.relations if views else ()
        declared = views & {found.identity for found in relations if (found.schema, found.name) in tables}
        shown = [other for other in uses if other.code_kind != "view" or other.code not in declared]
        others = self._runs_as(use) if use.relation and use.kind != FOREIGN_KEY else set()
        if shown and self._endangered(use.code_owner, {use.owner} | others):
            rights = [use.owner, *sorted(others - {use.owner} - self._acts_as(use.code_owner))]
            about = {use.owner, use.code_owner, use.schema or ""}
            yield self._finding(_subject(use), _verb(shown), rights, self._end(use), about)

    def _of_own_view(self, view: str, uses: Sequence[CodeUse]) -> Iterator[Finding | Notice]:
        use, readers = uses[0], self._endangered(uses[0].code_owner, self._readers(view))
        code = [other for other in uses if other.code_kind in ("function", "aggregate")]
        runs = {reader for reader in readers for call in code if self._may_execute(reader, call)}
        if runs:
            heal, about = self._revoke(code, runs), {use.owner, use.schema or ""}
            yield self._finding(_subject(use), _verb(code), sorted(runs), heal, about)
        for reader in sorted(set(readers) - runs - {PUBLIC}):
            if refused := [call.code for call in code if not self._may_execute(reader, call)]:
                text = f"{reader} cannot read view {view}, because it may not execute {some(refused)}"
                yield Notice(text, frozenset({reader, use.owner, use.schema or ""}))

    def _of_plans(self, uses: Sequence[CodeUse]) -> Iterator[Finding | Notice]:
        for use in uses:
            readers = self._endangered(use.code_owner, self._readers(use.relation or ""))
            runs = [reader for reader in readers if self._may_execute(reader, use)]
            if runs:
                does = f"{_subject(use)} runs {use.code} of {use.code_owner}"
                about = frozenset({*runs, use.owner, use.code_owner, use.schema or ""})
                yield Notice(f"when {some(runs)} reads {use.relation}, {does}", about)
            if fails := [reader for reader in readers if reader not in runs]:
                yield Finding(
                    "read",
                    f"{some(fails)} on table {use.relation}",
                    "can read it, as declared",
                    f"42501 permission denied for function {use.code}, which each plan calls for {_subject(use)}",
                    self._end(use),
                    frozenset({use.owner, use.schema or "", *fails}),
                )

    def _of_a_range(self, uses: Sequence[CodeUse]) -> Iterator[Finding]:
        use = uses[0]
        if readers := self._endangered(use.code_owner, self._readers(use.relation or "")):
            does, about = f"{_verb(uses)}, without a check of EXECUTE", {use.owner, use.schema or ""}
            yield self._finding(_subject(use), does, readers, self._end(use), about)

    def _finding(self, subject: str, does: str, rights: Sequence[str], heal: Remedy, about: Iterable[str]) -> Finding:
        return Finding(
            "code of others",
            subject,
            "runs nothing that another role may change",
            f"{does}, with the privileges of {some([called(right) for right in rights])}",
            heal,
            frozenset({*about, *rights} - {""}),
        )

    def _readers(self, relation: str) -> set[str]:
        """The roles that may read it, directly or through views, and the owners of materialized views of it."""
        found, seen, waiting = set(self._grantees[relation]["SELECT"]), {relation}, [relation]
        while waiting:
            for view in self._above[waiting.pop()]:
                found.add(view.owner)
                if view.identity not in seen and not view.stored:
                    seen.add(view.identity)
                    waiting.append(view.identity)
                    found |= self._grantees[view.identity]["SELECT"]
        return found

    def _runs_as(self, use: CodeUse) -> set[str]:
        relation = use.relation or ""
        reading = self._readers(relation) if use.kind in READ else set()
        if use.kind in ("view", "materialized view"):
            return reading
        return reading.union(*(who for right, who in self._grantees[relation].items() if right not in NO_WRITES))

    def _endangered(self, code_owner: str, roles: set[str]) -> list[str]:
        """Those of the roles that the stack protects and that the code's owner cannot act as anyway."""
        others = roles - self._acts_as(code_owner)
        if code_owner not in self.stack.roles:
            ours = {PUBLIC, self.stack.server.user, *self.stack.roles}
            others = {other for other in others if other in ours or self._superuser(other)}
        return sorted(others)

    def _superuser(self, role: str) -> bool:
        return role in self.catalog.roles and self.catalog.roles[role].superuser

    def _may_execute(self, role: str, use: CodeUse) -> bool:
        executors = {*use.executors, use.code_owner}
        return self._superuser(role) or not executors.isdisjoint(self._acts_as(role) | {PUBLIC})

    def _revoke(self, uses: Sequence[CodeUse], roles: set[str]) -> Remedy:
        through = {PUBLIC}.union(*(self._acts_as(role) for role in roles if role != PUBLIC))
        code = {use.code for use in uses}
        # If the stack file lets these roles call it, the next run would grant again what is revoked here.
        declared = [
            f"remove {call} from engarde:services.{service.name}.executes"
            for service in self.stack.services
            for call in service.executes
            if service.role in through and call in self.catalog.functions
            if self.catalog.functions[call].identity in code
        ]
        if declared:
            return Remedy("edit", "\n".join([*declared, f"then bin/pulumi up --stack {self.stack.name}"]))
        statements = []
        for use in uses:
            if given := sorted(through & set(use.executors)):
                revoke = f"REVOKE EXECUTE ON ROUTINE {use.code} FROM {', '.join(map(grantee, given))}"
                statements += self.admin.granting([revoke], use.code_owner, None)
        return self.admin.sql(Verb.REVOKE, *statements, of=(uses[0].code_owner,))

    def _end(self, use: CodeUse) -> Remedy:
        if use.kind in ("view", "materialized view"):
            return self._drop([use.relation or ""], use.owner, stored=use.kind == "materialized view")
        if use.remedy is None:
            return Remedy("code", f"recreate {_subject(use)} without {use.code}")
        dropped = self._drop(use.views, use.owner) if use.views else None
        steps = [line.rstrip(";") for line in dropped.text.splitlines()] if dropped else []
        steps += [f"DROP INDEX {index}" for index in use.indexes]
        if use.kind == "column" and use.owner != self.admin.name and not self._superuser(use.owner):
            # It rewrites the table, which runs the owner's checks and generated columns as the role that does it.
            return Remedy("code", f"as {use.owner}: {printable('; '.join([*steps, use.remedy]))};")
        owner = use.code_owner if use.kind == FOREIGN_KEY else use.owner
        return self.admin.sql(Verb.END, *steps, use.remedy, of=(owner,))

    def _drop(self, views: Sequence[str], owner: str, stored: bool = False) -> Remedy:
        """Drops views with all views that read them, those that nothing else reads first. Some may read each other."""
        found = dict.fromkeys(views, (stored, owner))
        below: dict[str, list[str]] = defaultdict(list)

        def readers(view: str) -> Iterator[str]:
            for above in self._above.get(view, ()):
                found.setdefault(above.identity, (above.stored, above.owner))
                below[above.identity].append(view)
                yield above.identity

        together, done = [], set[str]()
        for view in reversed(_last_first(views, readers, set())):
            if group := _last_first([view], lambda name: below[name], done):
                together.append(group)
        statements = []
        for group in reversed(together):
            materialized = [view for view in group if found[view][0]]
            plain = [view for view in group if not found[view][0]]
            if materialized and plain:
                # No statement drops both kinds, and CASCADE would drop columns of such a row's type, too.
                statements += [f"CREATE OR REPLACE VIEW {view} AS SELECT (NULL::{view}).*" for view in plain]
            statements += [f"DROP MATERIALIZED VIEW {', '.join(materialized)}"] if materialized else []
            statements += [f"DROP VIEW {', '.join(plain)}"] if plain else []
        return self.admin.sql(Verb.END, *statements, of=tuple(who for _, who in found.values()))


def _last_first(starts: Iterable[str], leads: Callable[[str], Iterable[str]], seen: set[str]) -> list[str]:
    """The nodes that can be reached and are not seen yet, each after all that it leads to (cycles apart)."""
    found, waiting = [], [(start, False) for start in starts]
    while waiting:
        node, left = waiting.pop()
        if left:
            found.append(node)
        elif node not in seen:
            seen.add(node)
            waiting.append((node, True))
            waiting += [(other, False) for other in leads(node)]
    return found


def _subject(use: CodeUse) -> str:
    if use.relation is None:
        return f"{use.kind} {use.name}"
    if use.name is None:
        return f"{use.kind} {use.relation}" if "view" in use.kind else f"{use.kind} of table {use.relation}"
    return f"{use.kind} {use.name} of table {use.relation}"


def _verb(uses: Sequence[CodeUse]) -> str:
    verbs = {"domain": "uses domain", "view": "reads view"}
    names = [f"{verbs.get(use.code_kind, 'runs')} {use.code}" for use in uses]
    return f"{some(names)}, which {uses[0].code_owner} may change"


def _constant(use: CodeUse, constants: Container[str]) -> bool:
    """Whether a plan runs the code: one of these calls is a call of it."""
    return any(call in constants for call in (use.called, *use.operated))


def _constants(tree: str) -> set[str]:
    """The calls in a stored tree, by function or operator, that depend on no row."""
    found = set[str]()
    # For each open node: its calls, and whether it depends on a row.
    calls, depends = [set[str]()], [False]
    for token in TOKENS.finditer(tree):
        match token.lastgroup:
            case "row" | "open":
                calls.append(set())
                depends.append(token.lastgroup == "row")
            case "close" if len(calls) > 1:
                of_node, row = calls.pop(), depends.pop()
                depends[-1] |= row
                found |= set() if row else of_node
            case "call":
                calls[-1].add(token[0])
    return found
