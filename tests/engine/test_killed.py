"""kill -9 at any moment of `make up`: the next one succeeds, and the state knows every password in force."""

import logging
import os
import random
import signal
import time
from collections.abc import Iterator

import pytest
from ruamel.yaml import YAML

from tests.engine.clone import CLOSED, Clone, clone
from tests.engine.forgotten import forget, leave
from tests.parts import sampled

IN_ONE_CLONE = pytest.mark.xdist_group("killed")
log = logging.getLogger(__name__)

SEED = 20_260_214
ROUNDS = 5
KILLS = 2
LINES = 150
"""What a first `make up` says, about."""

ROLES = {"analytics_readonly", "langflow_user", "madansara_user", "onside_user", "sankore_user"}


def killed_up(made: Clone, chance: random.Random, lines: int) -> str:
    """Kills a `make up` after some line of what it says, alone or with its engine; says what was under way.

    Lines rather than seconds: they pass where the work is, on a busy machine too.
    """
    output = made.root.parent / "output"
    moment, delay, whole_group = chance.randrange(lines), chance.uniform(0, 0.2), chance.random() < 0.7
    run = made.start("up", output)
    while run.poll() is None and output.read_bytes().count(b"\n") < moment:
        time.sleep(0.005)
    time.sleep(delay)
    if run.poll() is None:
        (os.killpg if whole_group else os.kill)(run.pid, signal.SIGKILL)
    run.wait()
    return f"killed after {moment} lines and {delay:.2f} s, {'with' if whole_group else 'without'} its engine"


def assert_whole(made: Clone, roles: set[str]) -> None:
    assert made.roles_that_log_in() == roles
    assert not made.latest().get("pending_operations")


@pytest.mark.parametrize("round_", sampled(range(ROUNDS), 0))
def test_the_first_make_up(round_: int) -> None:
    chance = random.Random(SEED + round_)
    with clone(CLOSED) as made:
        for _ in range(KILLS):
            log.warning(killed_up(made, chance, LINES))
        made.up()
        assert_whole(made, ROLES)


@pytest.fixture(scope="module")
def brought_up() -> Iterator[Clone]:
    with clone() as made:
        made.up()
        yield made


def declare(made: Clone, *extra: str, rotation: int | None = None) -> None:
    """Makes these the services beside production's, and asks for the passwords of that rotation, if it is given."""
    yaml = YAML()
    document = yaml.load(made.stack_file)
    services = document["config"]["engarde:services"]
    for name in [name for name in services if name.startswith("extra")]:
        del services[name]
    services |= {name: {"reads": ["public.users"]} for name in extra}
    if rotation:
        services["onside"] = {"rotation": rotation}
    yaml.dump(document, made.stack_file)


@IN_ONE_CLONE
@pytest.mark.parametrize("round_", sampled(range(ROUNDS), 0))
def test_a_later_make_up(brought_up: Clone, round_: int) -> None:
    chance = random.Random(SEED - 1 - round_)
    extra = ["extra_a", "extra_b"][: round_ % 3]
    declare(brought_up, *extra, rotation=round_ + 2)
    for _ in range(KILLS):
        log.warning(killed_up(brought_up, chance, LINES // 3))
    brought_up.up()
    assert_whole(brought_up, ROLES | {f"{name}_user" for name in extra})


@IN_ONE_CLONE
def test_a_role_that_was_in_flight_is_taken_over(brought_up: Clone) -> None:
    declare(brought_up)
    brought_up.up()
    role = forget(brought_up.state_file, "sankore")
    before = brought_up.state_file.read_text()
    refused = brought_up.target("up")
    assert refused.returncode == 2
    assert "not in the state of stack local: sankore_user. Nothing was changed" in refused.stderr
    assert brought_up.state_file.read_text() == before
    leave(brought_up.state_file, "creating", {key: role[key] for key in ("urn", "type", "inputs", "parent", "custom")})
    brought_up.up()
    assert_whole(brought_up, ROLES)


@IN_ONE_CLONE
def test_a_role_that_was_just_dropped_is_not_missed(brought_up: Clone) -> None:
    declare(brought_up, "extra_a")
    brought_up.up()
    with brought_up.admin() as session:
        for statement in ("DROP SCHEMA extra_a", "DROP OWNED BY extra_a_user", "DROP ROLE extra_a_user"):
            session.execute(statement.encode())
    leave(brought_up.state_file, "deleting", forget(brought_up.state_file, "extra_a"))
    declare(brought_up)
    brought_up.up()
    assert_whole(brought_up, ROLES)
