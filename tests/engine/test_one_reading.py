"""The program, through the engine, and the tool, from the file, read the same stack."""

import json
import pickle

import pytest

from engarde.pulumi_cli import stacks
from launcher.paths import PROJECT
from tests.engine.conftest import Projects
from tests.engine.program import BLANK, STACK, STACK_FILE

PROGRAM = """
import pickle
from pathlib import Path

from components.engine import declared_stack

Path(__file__).with_name("declared").write_bytes(pickle.dumps(declared_stack()))
"""
PRODUCTION = (PROJECT / "Pulumi.prod.yaml").read_text().replace("# host:", "host:").replace("# port:", "port:")
ODD = """
# Whatever YAML can be misread.
config:
  engarde:server: {host: "::1", port: 0o12470, database: "2026-01-01", sslmode: disable, connectionBudget: 400}
  engarde:serviceAddress:
    host: ${{Postgres.RAILWAY_PRIVATE_DOMAIN}}
  engarde:services:
    zeta:
    on: {rotation: 2, reads: [public.no, {table: '"Odd.Schema"."a.b"', columns: [null_column, "1"]}]}
    "yes": ~
    '007': {connectionLimit: 1_0}
    alpha:
      schema: "Ünïcode 'quoted' schema"
      idleInTransactionSessionTimeout: 0
      urlFormat: sqlalchemy+psycopg2
      protect: true
      adopt: false
      executes: ['public."Odd.Name"( int, "x, y".z[] )', '"Odd.Schema".f()']
      settings: {work_mem: 16MB, lock_timeout: 5000, log_min_duration_statement: -1, random_page_cost: 1.0, jit: off}
  engarde:existingSchemas:
    public:
    Odd.Schema: {service: null, creators: [b, a]}
  engarde:analytics:
  engarde:extensions: {uuid-ossp: , citext: {schema: Odd.Schema, version: "1.6"}}
  engarde:outsideRoles:
    backend:
      schemas: {public: [USAGE, CREATE], Odd.Schema: [USAGE]}
      database: [CONNECT]
      reads: [public.no, {table: '"Odd.Schema"."a.b"', references: true}]
  engarde:accepted:
    - {check: owner's right, subject: "on: 1", reason: it stays, until: 2027-03-31}
    - {check: grant, subject: "a: b", reason: "yes", until: "2027-04-01"}
"""


@pytest.mark.parametrize("text", [PRODUCTION, ODD], ids=["production", "odd"])
def test_the_program_and_the_tool_read_the_same(projects: Projects, text: str) -> None:
    with projects() as project:
        blank = json.loads((project.folder / BLANK).read_text())
        password = json.dumps(blank["config"]["engarde:adminPassword"])
        (project.folder / STACK_FILE).write_text(
            text.replace("\nconfig:\n", f"\nconfig:\n  engarde:adminPassword: {password}\n")
            + f"encryptionsalt: {blank['encryptionsalt']}\n"
        )
        (project.folder / "__main__.py").unlink()
        (project.folder / "__main__.py").write_text(PROGRAM)
        project.succeeds(project.preview())
        declared = pickle.loads((project.folder / "declared").read_bytes())
        assert declared == stacks.read(project.folder, STACK)
