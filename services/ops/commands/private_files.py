"""Files with people's data in them: only who asked for one may read it.

Owns how such a file is written. What stands in it is each command's.
"""

from __future__ import annotations

import os
from pathlib import Path

from services.ops.commands.failures import UsageMistake

MODE = 0o600


def write(file: Path, content: bytes) -> None:
    """Write it whole, closed to others also where it was there before. Raises UsageMistake."""
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, MODE), "wb") as out:
            os.fchmod(out.fileno(), MODE)
            out.write(content)
    except OSError as error:
        raise UsageMistake(f"{file} cannot be written: {error.strerror}") from None
