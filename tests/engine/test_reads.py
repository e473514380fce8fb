"""Declared reads of tables that come, go, and come back."""

from typing import Any

from tests.engine.conftest import Projects
from tests.engine.denied import denied
from tests.engine.program import Project

MADE = {
    "stays": "CREATE VIEW stays AS SELECT 1 AS id, 'a' AS word",
    "later": "CREATE TABLE later (id int, word text) PARTITION BY LIST (id)",
}
"""What is no plain table."""

COLUMNS = {"table": "sankore.by_column", "columns": ["id"]}
READS: list[Any] = ["sankore.stays", "sankore.later", "sankore.goes", "sankore.goes_undeclared", COLUMNS]


def make(project: Project, *tables: str) -> None:
    """As their owner does."""
    with project.connect("sankore") as session:
        for table in tables:
            session.execute(MADE.get(table, f"CREATE TABLE {table} (id int, word text)").encode())


def drop(project: Project, *tables: str) -> None:
    with project.connect("sankore") as session:
        session.execute(f"DROP TABLE {', '.join(tables)}".encode())


def declare(project: Project, *reads: Any) -> None:
    project.declare(services={"madansara": {"reads": list(reads)}, "sankore": None}, analytics={})


def test_tables_come_and_go_and_no_run_breaks(projects: Projects) -> None:
    with projects() as project:
        declare(project, *READS)
        first = project.succeeds(project.up())
        for read in ("stays", "later", "goes", "goes_undeclared", "by_column"):
            assert f"the declared read sankore.{read} does not exist yet" in first.output
        assert not [name for name in first.ops if "-reads-" in name]

        make(project, "stays", "goes", "goes_undeclared", "by_column")
        second = project.succeeds(project.up())
        assert second.ops == {
            f"madansara-reads-sankore.{table}": "create" for table in ("stays", "goes", "goes_undeclared", "by_column")
        }
        assert second.output.count("does not exist yet") == first.output.count("sankore.later does not exist yet")
        with project.connect("madansara") as reader:
            for table in ("stays", "goes", "goes_undeclared"):
                reader.execute(f"SELECT word FROM sankore.{table}".encode())
            reader.execute("SELECT id FROM sankore.by_column")
            denied(reader, "SELECT word FROM sankore.by_column")

        # Gone, declared or not, and one that came.
        drop(project, "goes", "goes_undeclared", "by_column")
        make(project, "later")
        declare(project, *[each for each in READS if each != "sankore.goes_undeclared"])
        before = project.database.mark()
        project.succeeds(project.preview())
        assert project.database.changes(before) == []
        third = project.succeeds(project.up())
        assert "the declared read sankore.goes no longer exists" in third.output
        assert "madansara-reads-sankore.later" in third.ops
        fourth = project.succeeds(project.up())
        assert fourth.ops == {"madansara-reads-sankore.goes_undeclared": "delete"}
        with project.connect("madansara") as reader:
            reader.execute("SELECT word FROM sankore.later")

        project.succeeds(project.refresh())
        project.succeeds(project.preview())
        project.succeeds(project.up("--refresh"))

        make(project, "goes", "by_column")
        with project.connect("madansara") as reader:
            denied(reader, "SELECT id FROM sankore.goes")
            denied(reader, "SELECT id FROM sankore.by_column")
            project.succeeds(project.up("--refresh"))
            reader.execute("SELECT word FROM sankore.goes")
            reader.execute("SELECT id FROM sankore.by_column")
            denied(reader, "SELECT word FROM sankore.by_column")
        assert project.succeeds(project.up("--refresh")).ops == {}

        # Undeclared while it is there: revoked.
        declare(project, *READS[1:3], COLUMNS)
        assert project.succeeds(project.up()).ops == {"madansara-reads-sankore.stays": "delete"}
        with project.connect("madansara") as reader:
            denied(reader, "SELECT id FROM sankore.stays")

        drop(project, "later", "goes", "by_column")
        project.database.run("DROP VIEW sankore.stays")
        project.succeeds(project.destroy())
