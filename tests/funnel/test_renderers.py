"""Rows become JSON bytes."""

from __future__ import annotations

import pytest

from funnel.renderers import OrjsonRenderer


def test_text_stays_utf_8():
    body = OrjsonRenderer().render([{"title": "猫 🐈"}])

    assert '[{"title":"猫 🐈"}]'.encode() == body


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_json_cannot_say_becomes_null(number):
    body = OrjsonRenderer().render({"trending_score": number})

    assert b'{"trending_score":null}' == body


def test_no_data_is_no_body():
    assert b"" == OrjsonRenderer().render(None)
