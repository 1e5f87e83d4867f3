"""``python -m movielens_recsys`` is the command ``recsys``."""

import sys

from movielens_recsys.cli.main import main

sys.exit(main())
