"""A read in a schema whose name has to be quoted wherever SQL is made of it."""

from tests.engine.conftest import Projects
from tests.engine.denied import denied


def test_a_table_is_found_and_granted(projects: Projects) -> None:
    services = {"madansara": {"reads": ['"O\'Brien".articles']}, "o-brien": {"schema": "O'Brien"}}
    with projects(services=services) as project:
        project.succeeds(project.up())
        with project.connect("o-brien") as owner:
            owner.execute("CREATE TABLE articles (id int)")
            owner.execute("CREATE TABLE drafts (id int)")
        assert project.succeeds(project.up()).ops == {"madansara-reads-O'Brien.articles": "create"}
        with project.connect("madansara") as reader:
            reader.execute("""SELECT id FROM "O'Brien".articles""")
            denied(reader, """SELECT id FROM "O'Brien".drafts""")
