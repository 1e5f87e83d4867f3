"""Loading of a case, and the comparison of what comes back with what is right."""

from __future__ import annotations

import re
import resource
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from movielens_recsys.data.load import load_ratings
from movielens_recsys.data.ratings import Ratings
from movielens_recsys.errors import RecsysError
from movielens_recsys.schema import Severity
from movielens_recsys.settings import Settings

from .case import Case, Kept, Outcome, Refused, Row

MOST_MB = 300
"""No case has so much to read that it needs this much more memory than those before it."""
_NEVER_SAID = ("this is a bug", "found None", "Traceback")


@dataclass(frozen=True)
class CheckResult:
    """What became of a case (``accepted``, ``repaired``, ``refused``), and why that is wrong, if it is."""

    became: str
    complaint: str = ""


def check_case(case: Case) -> CheckResult:
    """Load a case by default and with bad rows rejected; both must be right."""
    with tempfile.TemporaryDirectory() as folder:
        path = write(case, Path(folder) / "odd")
        settings = Settings(data=Path(folder) / "data")
        before = _peak_mb()
        result = _check_once(case, path, settings, "refuse", case.right)
        rejecting = _check_once(case, path, settings, "reject", case.rejecting or case.right)
        grown = _peak_mb() - before
    if grown > MOST_MB:
        return CheckResult(result.became, f"took {grown:.0f} MB")
    if rejecting.complaint and not result.complaint:
        return CheckResult(result.became, f"bad_rows='reject': {rejecting.complaint}")
    return result


def write(case: Case, folder: Path) -> Path:
    """Write the files of a case; return what is to be loaded."""
    folder.mkdir(parents=True)
    for name, content in {case.file: case.content, **case.beside}.items():
        if isinstance(content, pl.DataFrame):
            content.write_parquet(folder / name)
        else:
            (folder / name).write_bytes(_bytes(content))
    return folder if case.by_folder else folder / case.file


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


def _check_once(
    case: Case, path: Path, settings: Settings, bad_rows: str, right: Sequence[Outcome]
) -> CheckResult:
    options = {**case.options, "bad_rows": bad_rows}
    if case.items:
        options["items"] = path.with_name(case.items)
    try:
        ratings = load_ratings(path, settings, **options)
        again = load_ratings(path, settings, **options)
    except RecsysError as exc:
        complaints = [_about_refusal(str(exc), case.file, outcome) for outcome in right]
        return CheckResult("refused", "" if "" in complaints else complaints[0])
    except Exception as exc:  # Anything else is what a user would see as a bug, so it is a result here.
        return CheckResult("refused", f"{type(exc).__name__}: {str(exc)[:150]}")
    complaints = [_about_rows(ratings, case, outcome) for outcome in right]
    complaint = "" if "" in complaints else complaints[0]
    if not complaint and found_rows(again) != found_rows(ratings):
        complaint = "the cache gives other rows"
    warned = any(finding.severity is not Severity.INFO for finding in ratings.findings)
    return CheckResult("repaired" if warned else "accepted", complaint)


def _about_refusal(message: str, file: str, right: Outcome) -> str:
    if isinstance(right, Kept):
        return f"refused: {message}"
    names = (file,) if right.names_file else ()
    lacks = [word for word in (*names, *right.says) if word not in message]
    if right.line is not None and not re.search(rf"\b(lines?|rows?) {right.line}\b", message):
        lacks.append(f"line {right.line}")
    said = [word for word in _NEVER_SAID if word in message]
    if lacks or said:
        return f"refused without {lacks}: {message}" if lacks else f"says {said}: {message}"
    return ""


def _about_rows(ratings: Ratings, case: Case, right: Outcome) -> str:
    found = found_rows(ratings)
    if isinstance(right, Refused):
        return f"kept {_short(found)}, expected a refusal with {right.says or right.line or 'the reason'}"
    expected = [(user, item, float(np.float32(rating)), time) for user, item, rating, time in right.rows]
    if [tuple(map(repr, row)) for row in found] != [tuple(map(repr, row)) for row in expected]:
        differing = [pair for pair in zip(found, expected, strict=False) if pair[0] != pair[1]]
        some = differing[0] if differing else (_short(found), _short(expected))
        return f"{len(found)} rows, expected {len(expected)}: {some[0]}, expected {some[1]}"
    if ratings.rows_rejected != right.rejected or ratings.rows_read != len(found) + right.rejected:
        return f"read {ratings.rows_read}, rejected {ratings.rows_rejected}, expected {right.rejected}"
    lines = physical_lines(case)
    if lines is not None and ratings.rows_read + right.joined_lines != lines:
        return f"{ratings.rows_read} rows of {lines} lines"
    said = " ".join(f"{finding.name} {finding.advice}" for finding in ratings.findings)
    if right.says not in said:
        return f"no finding says {right.says!r}: {said or 'none'}"
    titles = {item: ratings.titles(np.array([ratings.item_index(item)]))[0] for item in right.titles}
    return "" if titles == dict(right.titles) else f"titles {titles}"


def found_rows(ratings: Ratings) -> list[Row]:
    """Return the rows with their original ids, as plain values."""
    times = [None] * len(ratings) if ratings.timestamps is None else ratings.timestamps.tolist()
    users, items = (
        [ids[index] for index in column.tolist()]
        for ids, column in (
            (ratings.user_ids.tolist(), ratings.users),
            (ratings.item_ids.tolist(), ratings.items),
        )
    )
    return list(zip(users, items, ratings.ratings.tolist(), times, strict=True))


def physical_lines(case: Case) -> int | None:
    """Return the lines of a text that are neither blank nor a header; None where lines are not rows."""
    if case.header_lines is None or isinstance(case.content, pl.DataFrame):
        return None
    lines = re.split(rb"\r\n|\n|\r", _bytes(case.content).removeprefix(b"\xef\xbb\xbf"))
    blank = b" " if b"\t" in lines[0] else b" \t"
    return sum(bool(line.strip(blank)) for line in lines) - case.header_lines


def _short(rows: Sequence[Row]) -> str:
    return f"{list(rows[:4])}{'...' if len(rows) > 4 else ''}"


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
