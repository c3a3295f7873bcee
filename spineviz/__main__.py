"""``python -m spineviz`` is the command line."""

import sys

from spineviz.cli import main

sys.exit(main())
