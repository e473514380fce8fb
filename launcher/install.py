"""Gets an engine and its plugins onto this machine."""

from engarde.util.terminal import tell
from launcher.engine import NO_CODE, TO_STAND_INS, Engine, remember
from launcher.paths import PROJECT
from launcher.plugins import official
from launcher.sources import PINNED, built, installed, on_path, version_of


def engine() -> Engine:
    """Takes the first route that leads to an engine, sees to its plugins and remembers both.

    :raises ToolchainError: where no route leads there.
    """
    environment = {"PULUMI_SKIP_UPDATE_CHECK": "true", "ENGARDE_PROJECT": str(PROJECT)}
    binary = users_own = on_path()
    if not binary:
        # A language host of another engine's on PATH would win over the one beside ours.
        environment["PULUMI_IGNORE_AMBIENT_PLUGINS"] = "true"
        binary = installed()
    if not binary:
        environment |= NO_CODE
        binary = built()
    vendors = official(binary, environment)
    if not vendors:
        environment |= TO_STAND_INS
    version = str(version_of(users_own)) if users_own else PINNED
    chosen = Engine(str(binary), version, vendors, environment)
    remember(chosen)
    tell(f"engine {chosen.version} at {binary}, plugins: {'official' if vendors else 'stand-ins'}")
    return chosen
