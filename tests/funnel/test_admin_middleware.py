"""The admin has sessions and forms that nobody else can send; the API has neither."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

PASSWORD = "of the tests"
LOGIN = "/admin/login/?next=/admin/"


@pytest.fixture
def browser(db):
    User.objects.create_superuser("operator", password=PASSWORD)
    return Client(enforce_csrf_checks=True)


def signed_in(browser, token):
    form = {"username": "operator", "password": PASSWORD, "csrfmiddlewaretoken": token}
    return browser.post(LOGIN, form)


def test_an_operator_signs_in_and_out_by_the_forms_of_the_pages(browser):
    [token] = re.findall(r'csrfmiddlewaretoken" value="(\w+)"', browser.get(LOGIN).content.decode())

    assert 302 == signed_in(browser, token).status_code
    page = browser.get("/admin/")
    assert 200 == page.status_code
    assert b"operator" in page.content


def test_a_form_from_elsewhere_is_refused(browser):
    browser.get(LOGIN)

    assert 403 == signed_in(browser, "x" * 64).status_code
    assert 302 == browser.get("/admin/").status_code


def test_an_answer_of_the_api_sets_no_cookie_and_looks_at_none(client):
    client.cookies["sessionid"] = "x"

    response = client.get("/api/videos?limit=wrong")

    assert not response.cookies
    assert "Cookie" not in response.get("Vary", "")
