"""What a relay says, as it may come over the wire."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.messages import (
    AuthMessage,
    ClosedMessage,
    EoseMessage,
    EventMessage,
    NoticeMessage,
    OkMessage,
    UnreadableFrame,
    close,
    parse_message,
    reason_prefix,
    req,
)
from tests.ingestion.fake_relay import GARBAGE


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (b'["EVENT","s",{"id":"x"}]', EventMessage("s", {"id": "x"}, 24)),
        (b'["EVENT","s",null]', EventMessage("s", None, 18)),
        (b'["EOSE","s"]', EoseMessage("s")),
        (b'["CLOSED","s","error: no"]', ClosedMessage("s", "error: no")),
        (b'["CLOSED","s"]', ClosedMessage("s", "")),
        (b'["OK","id",true,""]', OkMessage("id", True, "")),
        (b'["OK","id",false,"restricted: no"]', OkMessage("id", False, "restricted: no")),
        (b'["AUTH","c"]', AuthMessage("c")),
        (b'["NOTICE","hello"]', NoticeMessage("hello")),
        (b'["CLOSED","s",7]', ClosedMessage("s", "")),
        (b'["OK","id",1,""]', UnreadableFrame(16)),
        (b'["EVENT","s",{},{}]', UnreadableFrame(19)),
        (b'["WHAT","s"]', UnreadableFrame(12)),
        (b"\xff", UnreadableFrame(1)),
        (b"", UnreadableFrame(0)),
    ],
)
def test_a_frame_is_read_for_what_it_says(frame, message):
    assert message == parse_message(frame)


@given(st.binary(max_size=60))
def test_no_bytes_raise(frame):
    parse_message(frame)


@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=6)),
        lambda inner: st.lists(inner, max_size=4),
        max_leaves=8,
    )
)
def test_no_json_raises(value):
    for verb in ("EVENT", "EOSE", "CLOSED", "OK", "AUTH", "NOTICE"):
        parse_message(json.dumps([verb, value]).encode())
        parse_message(json.dumps([verb, "s", value]).encode())


@pytest.mark.parametrize("frame", GARBAGE)
def test_garbage_is_never_taken_for_the_end_of_a_page(frame):
    message = parse_message(frame if isinstance(frame, bytes) else frame.encode())

    assert not isinstance(message, EoseMessage | ClosedMessage) or (
        message.subscription == "nobody asked"
    )


def test_what_we_say_is_as_nip_01_writes_it():
    assert '["REQ","s",{"limit":0},{"kinds":[1],"since":5}]' == req(
        "s", {"limit": 0}, {"kinds": [1], "since": 5}
    )
    assert '["CLOSE","s"]' == close("s")


@pytest.mark.parametrize(
    ("text", "prefix"),
    [("auth-required: who?", "auth-required"), ("sorry", ""), ("", ""), ("error:", "error")],
)
def test_the_machine_readable_part_stands_before_the_colon(text, prefix):
    assert prefix == reason_prefix(text)
