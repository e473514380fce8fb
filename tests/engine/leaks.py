"""Where no password may ever stand in clear."""

from tests.engine.program import STACK_FILE, Project

STATEMENTS = "SELECT coalesce(string_agg(query, E'\\n'), '') FROM pg_stat_statements"


def assert_none(project: Project) -> None:
    """Neither the engine's output, nor its files, nor the server's log and statistics hold a password."""
    with project.database.session(database="postgres") as session:
        [(statements,)] = session.execute(STATEMENTS)
    places = {
        "what the engine printed": project.printed,
        "the state": project.state(),
        "the stack file": (project.folder / STACK_FILE).read_text(),
        "the server's log": project.database.server.log.read_text(errors="replace"),
        "pg_stat_statements": statements,
    }
    leaks = [where for where, text in places.items() if any(password in text for password in project.passwords)]
    assert not leaks, f"a password stands in clear in {', '.join(leaks)}"
