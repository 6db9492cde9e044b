"""`python -m services.profile.contract`: write OpenAPI and AsyncAPI; with --break also where they take away.

Owns the lines people read.
"""

import sys

from services.profile.contract import CALLS, EVENTS, write

lost = write()
for sentence in lost:
    sys.stderr.write(f"{sentence}\n")
if lost and "--break" not in sys.argv:
    sys.stderr.write("nothing was written: clients would break; if that is meant, say --break\n")
    sys.exit(1)
sys.stdout.write(f"{CALLS} and {EVENTS} are written\n")
