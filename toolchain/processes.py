"""Other processes of this machine: is the one that a pid file or a lock names still there?"""

import subprocess
from pathlib import Path


def command_of(pid: int) -> str:
    """The command line of a process; empty when there is none, also for a dead one that nobody has reaped."""
    if Path("/proc/self/cmdline").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            return ""
    shown = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.strip()
