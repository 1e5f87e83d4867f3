"""`python experiments/run_experiment.py ID [--dry-run]` is `recsys experiment run ID [--dry-run]`."""

import sys

try:
    from movielens_recsys.cli.main import main
except ModuleNotFoundError as exc:
    sys.exit(f"error: {sys.executable} lacks {exc.name}; activate .venv, or run `make setup` first")

if __name__ == "__main__":
    sys.exit(main(["experiment", "run", *sys.argv[1:]]))
