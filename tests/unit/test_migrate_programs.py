"""What a service's code gets of the process that starts it, and that it ends with it."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engarde.alembic.programs import environment
from engarde.declaration.loader import parse
from engarde.errors import ConfigError
from engarde.migrate.run import _limits

PROJECT = Path(__file__).parent.parent.parent
SECRET = "of-the-operator-alone"
only_linux = pytest.mark.skipif(sys.platform != "linux", reason="prctl and /proc are Linux's")
READING = "-sys_ptrace,-perfmon,-sys_admin"
without_ptrace = ["setpriv", f"--bounding-set={READING}", f"--inh-caps={READING}"] if os.geteuid() == 0 else []
"""With it, as a superuser has it, a process reads every other's memory."""

STARTING = """
import subprocess, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from engarde.alembic import programs
programs.GRACE = 1.0
given, made = {"PATH": "/usr/bin:/bin"}, programs.Programs()
opened = open("/dev/null", "rb"); import os; os.set_inheritable(opened.fileno(), True)
with made.ending_with_this():
    with made.running("a", sys.argv[2:], Path("/"), given, errors=subprocess.STDOUT) as process:
        for line in process.stdout:
            sys.stdout.buffer.write(line)
            sys.stdout.flush()
        sys.exit(process.wait())
"""
SPYING = """
import os
files = sorted(os.listdir("/proc/self/fd"))
import ctypes  # whose library may keep a file of its own open
parent = os.getppid()
def tried(what):
    try:
        what()
        return "read"
    except OSError:
        return "refused"
print(tried(lambda: open(f"/proc/{parent}/environ", "rb").read()), tried(lambda: open(f"/proc/{parent}/mem", "rb")),
      tried(lambda: os.readlink(f"/proc/{parent}/fd/1")), tried(lambda: os.readlink(f"/proc/{parent}/cwd")),
      "read" if ctypes.CDLL(None).ptrace(0x4206, parent, 0, 0) == 0 else "refused")
print(repr(open(f"/proc/{parent}/cmdline").read()))
print(sorted(os.environ), files, os.getsid(0) == os.getpid())
"""
ENDLESS = "import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(60)"
STUBBORN = f"import signal\nfor each in (1, 2, 15): signal.signal(each, signal.SIG_IGN)\n{ENDLESS}"


def starting(code: str) -> "subprocess.Popen[str]":
    return starting_command(sys.executable, "-c", code)


def starting_command(*command: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*without_ptrace, sys.executable, "-c", STARTING, str(PROJECT), *command],
        cwd="/",
        env={"PATH": os.environ["PATH"], "PULUMI_CONFIG_PASSPHRASE": SECRET},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


@only_linux
def test_a_services_code_reads_nothing_of_its_parents() -> None:
    said, complained = starting(SPYING).communicate(timeout=60)
    tried, command, own = said.splitlines()
    assert tried == "refused refused refused refused refused", complained
    assert SECRET not in command
    names, files, apart = own.replace("] ", "]\n").splitlines()
    assert names == "['LC_CTYPE', 'PATH']"
    # The last one is that of the look itself.
    assert files == "['0', '1', '2', '3']"
    assert apart == "True"


def gone(pid: int) -> bool:
    end = time.monotonic() + 5
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if Path(f"/proc/{pid}/stat").exists() and ") Z " in Path(f"/proc/{pid}/stat").read_text():
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("code", [ENDLESS, STUBBORN], ids=["endless", "stubborn"])
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_ends_with_its_parent(how: signal.Signals, code: str) -> None:
    parent = starting(code)
    assert parent.stdout
    child = int(parent.stdout.readline())
    parent.send_signal(how)
    parent.communicate(timeout=60)
    assert gone(child)
    assert parent.returncode == -how


@only_linux
def test_it_ends_where_its_parent_is_killed() -> None:
    parent = starting(ENDLESS)
    assert parent.stdout
    child = int(parent.stdout.readline())
    parent.kill()
    parent.communicate(timeout=60)
    assert gone(child)


@only_linux
@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user without a password")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_another_os_user_reads_nothing_and_ends_with_it(how: signal.Signals) -> None:
    look = "cat /proc/$PPID/environ /proc/1/environ | wc -c; id -u; echo $$; exec sleep 600"
    runuser = shutil.which("runuser")
    assert runuser
    parent = starting_command(runuser, "-u", "nobody", "--", "/bin/sh", "-c", f"exec 2>/dev/null; {look}")
    assert parent.stdout
    read, user, child = (int(parent.stdout.readline()) for _ in range(3))
    assert (read, user) == (0, pwd.getpwnam("nobody").pw_uid)
    parent.send_signal(how)
    parent.communicate(timeout=60)
    assert gone(child)


def test_what_is_inherited() -> None:
    usual = ("HOME", "LC_ALL", "PATH", "TZ")
    certificates = ("PGSSLCERT", "PGSSLCRL", "PGSSLCRLDIR", "PGSSLKEY", "PGSSLROOTCERT")
    cloud = ("AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "PULUMI_CONFIG_PASSPHRASE", "RAILWAY_TOKEN")
    urls = ("ENGARDE_POSTGRES_URL", "STATUS_URL", "PGPASSWORD", "DATABASE_URL", "OTHER_DATABASE_URL")
    given = dict.fromkeys((*usual, *certificates, *cloud, *urls, "LD_PRELOAD", "PYTHONPATH", "FLASK_APP"), "x")
    assert sorted(environment(given, ())) == sorted((*usual, *certificates))
    assert sorted(environment(given, ("FLASK_APP", "NOT_SET"))) == sorted(("FLASK_APP", *usual, *certificates))


@pytest.mark.parametrize("name", ["PULUMI_CONFIG_PASSPHRASE", "RAILWAY_API_TOKEN", "no name"])
def test_what_no_stack_file_hands_over(name: str) -> None:
    with pytest.raises(ConfigError, match=r"services\.a\.migrations\.environment"):
        parse("local", values(environment=[name]), {"adminPassword"})


@pytest.mark.parametrize("name", _limits())
@pytest.mark.parametrize(("key", "where"), [("environment", r"environment\[0\]"), ("variable", "variable")])
def test_what_the_tool_sets_itself(key: str, where: str, name: str) -> None:
    migrations = {key: [name] if key == "environment" else name}
    with pytest.raises(ConfigError, match=rf"{where}: .*is set by `migrate` itself") as raised:
        parse("local", values(**migrations), {"adminPassword"})
    assert str(raised.value).count("migrations") == 1


def values(**migrations: object) -> dict[str, object]:
    services = {"a": {"migrations": {"path": "x", **migrations}}}
    return {"server": {"host": "h", "database": "d"}, "services": services}
