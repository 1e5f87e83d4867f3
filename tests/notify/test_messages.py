"""New bests in a row become one message."""

from __future__ import annotations

from movielens_recsys.notify.messages import Kind, Message, collapse_bests


def test_only_consecutive_new_bests_are_collapsed() -> None:
    def message(sequence: int, kind: Kind) -> Message:
        return Message("a", sequence, "", kind, kind.value)

    kinds = (Kind.BEST, Kind.BEST, Kind.WARNING, Kind.WARNING, Kind.BEST)
    result = collapse_bests(message(number, kind) for number, kind in enumerate(kinds))
    assert [message.sequence for message in result] == [1, 2, 3, 4]
    assert result[0].text == "The last of 2 new bests in a row."
