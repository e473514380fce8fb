"""Which server the stack `local` is on, and how the admin logs in there."""

import json
from dataclasses import asdict, dataclass, field

from devtools.local import files
from launcher.paths import PRIVATE

RECORD = PRIVATE / "server.json"


@dataclass(frozen=True, slots=True)
class Admin:
    """An address and a login."""

    embedded: bool
    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str | None = None
    """None for the one that the stack file names"""

    sslmode: str | None = None
    superuser: bool = True

    def __str__(self) -> str:
        return "the embedded server" if self.embedded else f"{self.host}:{self.port}/{self.database}"

    def same_server(self, other: "Admin") -> bool:
        """Ours stays the same one on another port."""
        return str(self) == str(other)


def remembered() -> Admin | None:
    """What the stack file was last written for."""
    return Admin(**json.loads(RECORD.read_text())) if RECORD.exists() else None


def remember(admin: Admin) -> None:
    files.write(RECORD, json.dumps(asdict(admin)))
