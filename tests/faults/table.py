"""How often each fault is tried, and the table of losses.

A test of a fault carries ``@pytest.mark.fault(title, nothing_lost_means, short=..., long=...)`` and takes the
fixture ``trials``. `make test` tries each ``short`` times, `make prove` ``long`` times; the option
``--faults long,kill_training=500`` sets other counts. The name is the test's, without ``test_``.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import pytest

T = TypeVar("T")


class Trials:
    """Counts the trials of one fault, and the losses in them."""

    def __init__(self, wanted: int) -> None:
        self.wanted = wanted
        self.done = 0
        self.losses: list[str] = []
        self.notes: list[str] = []

    def __iter__(self) -> Iterator[int]:
        """Yield the number of each wanted trial."""
        return self.each(range(self.wanted))

    def each(self, steps: Iterable[T]) -> Iterator[T]:
        """Yield every one of ``steps``; each counts as a trial."""
        for step in steps:
            yield step
            self.done += 1

    def expect(self, kept: bool, loss: object) -> None:
        """Count the loss unless ``kept``."""
        if not kept:
            self.losses.append(f"trial {self.done + 1}: {loss}")

    def expect_equal(self, found: object, promised: object) -> None:
        """Count a loss unless both are the same."""
        self.expect(found == promised, f"{found} instead of {promised}")


@pytest.fixture
def trials(request: pytest.FixtureRequest) -> Trials:
    """The trials of this test; it fails at its end if there were losses."""
    form, counts = _parse(request.config.getoption("faults"))
    return Trials(counts.get(_name(request.node), _marker(request.node).kwargs[form]))


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Iterator[None]:
    trials = pyfuncitem.funcargs.get("trials")
    if not isinstance(trials, Trials):
        return (yield)
    started = time.monotonic()
    try:
        result = yield
    finally:
        title, meaning = _marker(pyfuncitem).args
        seconds = round(time.monotonic() - started)
        row = [title, trials.done, len(trials.losses), meaning, seconds, trials.notes]
        pyfuncitem.user_properties.append(("fault", row))
    assert trials.done > 0, "no trial was made"
    if trials.losses:
        pytest.fail("\n".join(trials.losses[:20]), pytrace=False)
    return result


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--faults",
        metavar="FORM,NAME=N,...",
        default="short",
        help="how often each fault of tests/faults is tried: short, long, and exceptions by name",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fault(title, nothing_lost_means, short, long): tries a fault")
    _parse(config.getoption("faults"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    named = set(_parse(config.getoption("faults"))[1])
    known = {_name(item) for item in items if item.get_closest_marker("fault")}
    if unknown := named - known:
        raise pytest.UsageError(f"--faults: unknown {', '.join(sorted(unknown))}; known: {sorted(known)}")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    rows = sorted(
        (report.nodeid, row) for report in reports for name, row in report.user_properties if name == "fault"
    )
    if not rows:
        return
    terminalreporter.section("faults")
    terminalreporter.write_line("| fault | trials | losses | nothing lost means | seconds |")
    terminalreporter.write_line("| --- | ---: | ---: | --- | ---: |")
    for _, (title, done, losses, meaning, seconds, _) in rows:
        terminalreporter.write_line(f"| {title} | {done:,} | {losses} | {meaning} | {seconds} |")
    for _, (title, *_, notes) in rows:
        for note in notes:
            terminalreporter.write_line(f"{title}: {note}")


def _parse(option: str) -> tuple[str, dict[str, int]]:
    """Return the form, and the counts of the named tests."""
    form, counts = "short", {}
    for word in filter(None, option.replace(" ", "").split(",")):
        name, _, count = word.partition("=")
        if count.isdecimal() and int(count):
            counts[name] = int(count)
        elif word in {"short", "long"}:
            form = word
        else:
            raise pytest.UsageError(f"--faults: {word!r}; expected short, long or NAME=N")
    return form, counts


def _marker(item: pytest.Item) -> pytest.Mark:
    marker = item.get_closest_marker("fault")
    assert marker is not None, "a test that takes `trials` carries @pytest.mark.fault"
    return marker


def _name(item: pytest.Item) -> str:
    return str(getattr(item, "originalname", item.name)).removeprefix("test_")
