"""`python -m acp_lib.book`: see `build`."""

import sys

from acp_lib.book.build import main

if __name__ == "__main__":
    sys.exit(main())
