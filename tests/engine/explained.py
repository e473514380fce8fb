"""Asks for explanations on a test's server, and tries them as the role they are about."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import psycopg
from psycopg import sql

from engarde.declaration.databases import restrict_to
from engarde.explain import explain, show
from engarde.explain.explanation import Explanation, Line
from engarde.pulumi_cli import stacks
from engarde.server.credentials import Access
from tests.engine.admins import PASSWORD
from tests.engine.program import STACK, Project

DENIED = "42501"


@dataclass(frozen=True, slots=True)
class Asked:
    """Explanations of one stack's server, asked as its admin."""

    project: Project

    def explain(self, who: str, what: str) -> Explanation:
        """The explanation, with which the server agrees."""
        stack = restrict_to(stacks.read(self.project.folder, STACK), None)
        login = Access(stack.server, stack.server.database, stack.server.user, PASSWORD)
        found = explain(stack, login, who, what)
        assert found.disagreements == ()
        return found

    def line(self, who: str, what: str, right: str) -> Line:
        """The answer for one right on the object itself."""
        [found] = [line for line in self.explain(who, what).lines if line.right == right and line.on == "object"]
        return found

    def tries(self, role: str, *statements: str) -> str:
        """The SQLSTATE that the statements end with as this role, nothing of which stays; 00000 when they are done."""
        with self.project.database.session() as session, session.transaction(force_rollback=True):
            # A superuser's own connection: the role needs no password, and none of its membership is the superuser's.
            session.execute(sql.SQL("SET LOCAL SESSION AUTHORIZATION {}").format(sql.Identifier(role)))
            for statement in statements:
                try:
                    session.execute(statement.encode())
                except psycopg.Error as error:
                    return str(error.sqlstate)
            return "00000"


def said(line: Line, role: str) -> str:
    """All that stands beside a right."""
    return "\n".join(show.reasons(line, role))


def run_what_works(project: Project, statements: Sequence[str]) -> int:
    """Runs statements as the superuser, leaves out those that the server refuses, and counts the rest."""
    done = 0
    with project.database.session() as session:
        for statement in statements:
            with suppress(psycopg.Error):
                session.execute(statement.encode())
                done += 1
    return done
