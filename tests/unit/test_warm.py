"""A process that is forked instead of started is to who starts it what another is: words, files, ends, signals."""

import signal
import subprocess
from pathlib import Path

from tests.warm.processes import python


def script(folder: Path, text: str) -> str:
    file = folder / "script.py"
    file.write_text(text)
    return str(file)


def test_it_has_what_it_was_given(tmp_path: Path) -> None:
    file = script(
        tmp_path,
        "import os, sys\n"
        "print(sys.argv[1:], os.environ['GIVEN'], 'HOME' in os.environ, os.getcwd(), __name__)\n"
        "print([name for name in sys.modules if name.startswith(('engarde', 'tests'))], 'pulumi' in sys.modules)\n"
        "sys.stderr.write(sys.stdin.read())\n"
        "sys.exit(7)\n",
    )
    done = subprocess.run(
        [python(), "-P", file, "one", "two words"],
        input="piped",
        env={"GIVEN": "a value"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines() == [f"['one', 'two words'] a value False {tmp_path} __main__", "[] True"]
    assert (done.stderr, done.returncode) == ("piped", 7)


def test_a_signal_reaches_it_and_its_end_is_the_others(tmp_path: Path) -> None:
    file = script(
        tmp_path,
        "import os, signal, sys\n"
        "signal.signal(signal.SIGTERM, lambda *_: os._exit(9))\n"
        "print(os.getpid(), flush=True)\n"
        "while True: signal.pause()\n",
    )
    with subprocess.Popen([python(), "-P", file], stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout
        assert int(client.stdout.readline()) != client.pid
        client.send_signal(signal.SIGTERM)
        assert client.wait(60) == 9


def test_it_does_not_outlive_one_that_is_killed(tmp_path: Path) -> None:
    file = script(tmp_path, "import time\nprint(0, flush=True)\ntime.sleep(600)\n")
    with subprocess.Popen([python(), "-P", file], stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout
        client.stdout.readline()
        client.kill()
        # Both have this pipe open, and the one that sleeps would have it for ten minutes more.
        assert client.stdout.read() == ""


def test_its_words_and_its_threads_at_its_end(tmp_path: Path) -> None:
    file = script(
        tmp_path,
        "import sys, threading, time\n"
        "threading.Thread(target=lambda: (time.sleep(0.2), print('a thread'))).start()\n"
        "sys.exit('why')\n",
    )
    done = subprocess.run([python(), "-P", file], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("a thread\n", "why\n", 1)


def test_what_ends_it_and_what_it_is_told_to_ignore(tmp_path: Path) -> None:
    file = script(tmp_path, "import os, signal\nos.kill(os.getpid(), 1)\nos.kill(os.getpid(), 15)\n")
    ignoring = subprocess.run(["sh", "-c", f"trap '' HUP; exec {python()} -P {file}"], check=False)
    assert ignoring.returncode == -signal.SIGTERM
    assert subprocess.run([python(), "-P", file], check=False).returncode == -signal.SIGHUP
