"""`python -m services.profile.contract`: write the OpenAPI document; with --break also where it takes something away.

Owns the lines people read.
"""

import sys

from services.profile.contract import PUBLISHED, write

lost = write()
for sentence in lost:
    sys.stderr.write(f"{sentence}\n")
if lost and "--break" not in sys.argv:
    sys.stderr.write("nothing was written: clients would break; if that is meant, say --break\n")
    sys.exit(1)
sys.stdout.write(f"{PUBLISHED} is written\n")
