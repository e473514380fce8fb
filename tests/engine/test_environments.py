"""Values of ESC environments reach the tool: real Pulumi, and a fake of what it asks Pulumi Cloud for them."""

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import psycopg
import pytest

from devtools.server import HOST
from tests.engine.admins import PASSWORD, only_superuser
from tests.engine.conftest import Projects
from tests.engine.database import NAME

pytestmark = [pytest.mark.xdist_group("environments"), only_superuser]

STACK = {"orgName": "acme", "projectName": "engarde", "stackName": "prod", "activeUpdate": "", "tags": {}, "version": 1}


def of_environment(value: Any, *, secret: bool = False) -> dict[str, Any]:
    """A value as an opened environment has it."""
    inner = (
        {key: of_environment(one, secret=key == "engarde:adminPassword") for key, one in value.items()}
        if (isinstance(value, dict))
        else value
    )
    return {"value": inner, "secret": secret, "trace": {}}


@contextmanager
def cloud(values: Mapping[str, Any]) -> Iterator[str]:
    """The address of a Pulumi Cloud that has stack acme/engarde/prod, and these values in each environment."""

    class Answers(BaseHTTPRequestHandler):
        def answer(self) -> None:
            given = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
            path = self.path.partition("?")[0]
            known: dict[str, Any] = {
                "/api/user": {"githubLogin": "me", "organizations": [{"githubLogin": "acme"}]},
                "/api/capabilities": {"capabilities": []},
                "/api/stacks/acme/engarde/prod": STACK,
                "/api/stacks/acme/engarde/prod/encrypt": {"ciphertext": given.get("plaintext")},
                "/api/stacks/acme/engarde/prod/decrypt": {"plaintext": given.get("ciphertext")},
                "/api/stacks/acme/engarde/prod/batch-decrypt": {
                    "plaintexts": {cipher: cipher for cipher in given.get("ciphertexts") or ()}
                },
                "/api/esc/environments/acme/yaml/open": {"id": "it"},
                "/api/esc/environments/acme/yaml/open/it": {"properties": {"pulumiConfig": of_environment(values)}},
            }
            found = known.get(path)
            content = json.dumps(found or {"code": 404, "message": f"no {path}"}).encode()
            self.send_response(200 if found else 404)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = answer

        def log_message(self, *words: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer((HOST, 0), Answers) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://{HOST}:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_what_environments_say_is_as_if_it_stood_in_the_file(projects: Projects, tmp_path: Path) -> None:
    with projects(services={}) as project:
        admin, port = project.database.admin.user, project.database.server.port
        server = {"host": HOST, "port": port, "database": NAME, "user": admin}
        values = {"engarde:server": server, "engarde:adminPassword": PASSWORD, "engarde:services": {"madansara": {}}}
        (project.folder / "Pulumi.prod.yaml").write_text(
            "environment: [engarde/prod]\nconfig:\n  engarde:analytics: {}\n"
        )
        with cloud(values) as address:
            operator = {
                "PULUMI_BACKEND_URL": address,
                "PULUMI_ACCESS_TOKEN": "pul-of-a-test",
                "PULUMI_CREDENTIALS_PATH": str(tmp_path),
            }
            url = project.tool("url", "admin", "--stack", "acme/prod", **operator)
            assert url.returncode == 0, url.stderr
            with psycopg.connect(url.stdout.strip()) as session:
                assert session.execute("SELECT current_user").fetchone() == (admin,)
            unknown = project.tool("url", "nobody", "--stack", "acme/engarde/prod", **operator)
            said = "engarde: stack acme/engarde/prod has no login nobody; it has madansara, analytics, admin\n"
            assert unknown.stderr == said
        encoded = base64.b64encode(PASSWORD.encode()).decode()
        assert not [secret for secret in (PASSWORD, encoded) if secret in url.stderr + unknown.stderr]
