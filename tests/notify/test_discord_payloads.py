"""Any message fits Discord's limits, pings no user, and is shown as plain text."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.notify.discord_server import validation_error

from movielens_recsys.notify.discord_payloads import payload, plain_payload
from movielens_recsys.notify.messages import Kind, Message

MESSAGE = Message("demo", 1, "2026-11-23T12:00:00+00:00", Kind.START, "Started")
TEXT = st.text(max_size=40) | st.builds(str.__mul__, st.text(min_size=1, max_size=3), st.integers(0, 7000))


@given(
    st.lists(
        st.builds(
            Message,
            run_id=TEXT,
            sequence=st.integers(1),
            time=st.just(MESSAGE.time),
            kind=st.sampled_from(Kind),
            title=TEXT,
            text=TEXT,
            fields=st.lists(st.tuples(TEXT, TEXT), max_size=30).map(tuple),
            commands=st.lists(TEXT, max_size=4).map(tuple),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_any_messages_fit(messages: list[Message]) -> None:
    body, count = payload(messages)
    assert validation_error(body) == ""
    assert 1 <= count == len(body["embeds"]) <= 10
    assert json.loads(json.dumps(body).encode()) == body
    assert validation_error(plain_payload(messages[0])) == ""


def test_ten_messages_fit_one_request() -> None:
    body, count = payload([replace(MESSAGE, sequence=number, title=f"{number}") for number in range(12)])
    assert count == 10
    assert [embed["title"] for embed in body["embeds"]] == [str(number) for number in range(10)]
    assert body["content"] == "demo: 0; 1; 2; 3; 4; 5; 6; 7; 8; 9"


def test_messages_that_are_too_long_together_are_separate() -> None:
    long = replace(MESSAGE, fields=tuple((f"{number}", "x" * 1000) for number in range(4)))
    assert payload([long, long])[1] == 1


@pytest.mark.parametrize("text", ["@everyone", "<@123456789>", "[free](https://example.org)", "**loud**"])
def test_no_user_is_pinged_and_nothing_is_markup(text: str) -> None:
    body, _ = payload([replace(MESSAGE, title=text, text=text, fields=((text, text),))])
    assert body["allowed_mentions"] == {"parse": []}
    assert text not in json.dumps(body).replace("\\\\@", "")
    assert body["embeds"][0]["title"].replace("\\", "") == text


def test_a_command_is_shown_as_code() -> None:
    body, _ = payload([replace(MESSAGE, text="It broke.", commands=("recsys experiment show a_b",))])
    assert body["embeds"][0]["description"] == "It broke.\nNext: `recsys experiment show a_b`"
