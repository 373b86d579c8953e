"""`python -m local.child COMMAND ...`: becomes the command, which ends with who started it."""

import os
import sys

from lib.processes import end_with_parent

if __name__ == "__main__":
    end_with_parent()
    os.execv(sys.argv[1], sys.argv[1:])
