"""`python auto_train_with_notification.py ID` is `recsys auto ID`."""

import sys

try:
    from movielens_recsys.cli.main import main
except ModuleNotFoundError as exc:
    sys.exit(f"error: {sys.executable} lacks {exc.name}; activate .venv, or run `make setup` first")

if __name__ == "__main__":
    sys.exit(main(["auto", *sys.argv[1:]]))
