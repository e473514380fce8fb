"""What ends a command and is no `EngardeError`: one line, and a traceback only for whoever asks for it."""

import os
import traceback
from pathlib import Path

from engarde.errors import INTERNAL, EngardeError, Unfinished
from engarde.util.masking import masked
from engarde.util.terminal import complain, has_begun_change

DEBUG = "ENGARDE_DEBUG"
"""With `1` a traceback is printed, too."""


def unforeseen(error: Exception) -> int:
    """Says what happened, and gives the exit code; the error's own words may hold anything, but for the system's."""
    if os.environ.get(DEBUG) == "1":
        complain(masked("".join(traceback.format_exception(error)).rstrip("\n")))
    begun = "; something was changed before: run the same command again" if has_begun_change() else ""
    if isinstance(error, ImportError):
        complain(f".venv is not complete ({error}): run `make up`{begun}")
    elif isinstance(error, OSError):
        complain(f"{masked(str(error))}{begun}")
    else:
        *_, (code, line) = ((frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__))
        where = f"{Path(code.co_filename).name}:{line}"
        complain(f"a fault of the tool's own, {type(error).__name__} in {where}{begun}; {DEBUG}=1 tells more of it")
        return INTERNAL
    return Unfinished.exit_code if begun else EngardeError.exit_code
