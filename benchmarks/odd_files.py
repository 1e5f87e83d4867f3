"""What becomes of odd rating files, and whether that is right.

    python benchmarks/odd_files.py [--only WORD] [--list]

Protocol. Each file of the catalogue in `odd_catalogue` is written to an empty folder and loaded four times
with `load_ratings`: bad rows refused and rejected, each from the file and from the cache. What is right was
written down before, from the rules in `docs/how-to/import-your-ratings.md`, not from what the readers do:
the exact rows kept, the exact number of rows rejected, lines of the file = rows read, or an error that names
the file, the line and the value as it stands there. ``accepted`` files are read as they are; ``repaired``
ones with a finding that counts what was left out or changed; ``wrong`` is everything else, and must be 0.
Exits with 1 otherwise.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter

from odd_catalogue.check import check_case
from odd_catalogue.families import FAMILIES


def main() -> None:
    """Load every case; print a row for each family, and each case that is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default="", help="only families and cases whose names hold this word")
    parser.add_argument("--list", action="store_true", help="also print what became of each case")
    options = parser.parse_args()
    started = time.perf_counter()
    total: Counter[str] = Counter()
    wrong: list[str] = []
    print(f"{'family':14} {'files':>6} {'accepted':>9} {'repaired':>9} {'refused':>8} {'wrong':>6}")
    for family, cases in FAMILIES.items():
        counts: Counter[str] = Counter()
        for case in cases():
            if options.only not in f"{family}: {case.name}":
                continue
            result = check_case(case)
            counts.update(["files", "wrong" if result.complaint else result.became])
            if result.complaint:
                wrong.append(f"{family}: {case.name}: {result.complaint}")
            if options.list:
                print(f"  {result.became:9} {case.name}")
        total += counts
        print_counts(family, counts)
    print_counts("all", total)
    print(f"{time.perf_counter() - started:.0f} s")
    for line in wrong:
        print(f"wrong: {''.join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in line)}")
    raise SystemExit(bool(wrong))


def print_counts(family: str, counts: Counter[str]) -> None:
    """Print one row of the table."""
    print(
        f"{family:14} {counts['files']:6} {counts['accepted']:9} {counts['repaired']:9} "
        f"{counts['refused']:8} {counts['wrong']:6}",
        flush=True,
    )


if __name__ == "__main__":
    main()
