"""`Tracker`: the interface of an experiment tracker that keeps copies of runs.

A tracker stores how far each copy has come, so an interrupted or failed sync is completed by the next one:
the event log has everything.
"""

from __future__ import annotations

from typing import Protocol


class Tracker(Protocol):
    """Keeps copies of runs; one process at a time writes to the copy of a run.

    Attributes
    ----------
    notice
        One line about the copies that the user should read; empty if there is none.
    """

    notice: str

    def sync(self, run_id: str) -> bool:
        """Bring the copy of a run up to date, and return whether anything was new.

        Raises
        ------
        TrackingError
            The sync failed; nothing is lost, and the next one resumes it.
        """

    def close(self) -> None:
        """Return once everything that was handed over has arrived.

        Raises
        ------
        TrackingError
            Something has not arrived; the next sync hands it over again.
        """
