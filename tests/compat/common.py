"""Shared by `make_golden.py` and the tests; nothing here imports the package."""

from __future__ import annotations

import json
import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).resolve().parent / "golden"
ARCHIVE = "home.tar.xz"
TABLE = "table.json"
EXPECTED = "expected.json"
OUTPUTS = "outputs.json"
ANSWERS = "answers.npz"
OWN_FILE, PLAIN_FILE = "own.csv", "plain.csv"
OWN_COLUMNS = "user=who,item=what,rating=liked,timestamp=when"

_LIBRARIES = ("numpy", "scipy", "torch", "numba", "scikit-learn", "polars")
_SWITCHES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_CORETYPE",
    "ATEN_CPU_CAPABILITY",
    "NUMBA_CPU_NAME",
    "NPY_DISABLE_CPU_FEATURES",
)
_EXTENSIONS = ("avx2", "avx512f", "avx512_bf16", "amx_tile", "asimd", "sve")


def fingerprint() -> dict[str, Any]:
    """Return what decides the last bits of a result: CPU, libraries and the settings of their kernels.

    Runs of one fingerprint are compared bit for bit, runs of different ones within a tolerance.
    """
    found: dict[str, str] = {}
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        lines = cpuinfo.read_text(encoding="utf-8").split("\n\n")[0].splitlines()
        found = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    flags = set(found.get("flags", found.get("Features", "")).split())
    return {
        "machine": f"{platform.system()} {platform.machine()}",
        "cpu": [found.get(key, "") for key in ("vendor_id", "cpu family", "model", "model name", "stepping")],
        "extensions": [name for name in _EXTENSIONS if name in flags],
        "cores": os.cpu_count(),
        "python": ".".join(map(str, sys.version_info[:2])),
        "libraries": {name: version(name) for name in _LIBRARIES},
        "environment": {name: os.environ.get(name, "") for name in _SWITCHES},
    }


def write_ml_100k(folder: Path, table: dict[str, Any]) -> Path:
    """Write the generated table in ML-100K's layout, so that the name ``ml-100k`` stands for it."""
    folder.mkdir(parents=True)
    names = ["unknown", *table["genres"]]
    user_lines = [f"{user}|{'|'.join(map(str, rest))}" for user, *rest in table["users"]]
    item_lines = [
        f"{item}|{title}|01-Jan-{year}||http://example.org|"
        + "|".join(str(int(name in genres)) for name in names)
        for item, title, year, genres in table["items"]
    ]
    rows = ["\t".join(map(str, row)) for row in table["ratings"]]
    genre_lines = [f"{name}|{number}" for number, name in enumerate(names)]
    for name, lines in (("data", rows), ("item", item_lines), ("user", user_lines), ("genre", genre_lines)):
        (folder / f"u.{name}").write_text("\n".join(lines) + "\n", encoding="latin-1")
    return folder


def write_own(folder: Path, table: dict[str, Any]) -> None:
    """Write the ratings as a user's files: one with columns that need a mapping, and a plain one.

    The first has text ids, half stars and dates, the second seconds since 1970.
    """
    own, plain = ["who,what,liked,when"], ["user,item,rating,timestamp"]
    for user, item, rating, time in table["ratings"]:
        half = rating - 0.5 * ((user + item) % 2)
        own.append(f"u{user:03},{item},{half:g},{datetime.fromtimestamp(time, UTC):%Y-%m-%d %H:%M:%S}")
        plain.append(f"{user},{item},{rating},{time}")
    for name, lines in ((OWN_FILE, own), (PLAIN_FILE, plain)):
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def without_paths(values: Any, folders: dict[str, Path]) -> Any:
    """Return plain JSON values with the folders of this machine replaced by their names in braces."""
    text = json.dumps(values)
    for name, folder in folders.items():
        text = text.replace(json.dumps(str(folder))[1:-1], f"{{{name}}}")
    return json.loads(text)
