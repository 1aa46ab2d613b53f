"""The page about the API in a real browser: everything is drawn under its security policy."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions
from selenium.webdriver.support.ui import WebDriverWait

from tests.browser.chromium import WAIT_SECONDS, browser, complaints, missing

pytestmark = [
    pytest.mark.skipif(bool(missing()), reason=missing()),
    pytest.mark.django_db(transaction=True),
]


def test_an_endpoint_is_opened_and_nothing_is_refused(live_server, migrated_clickhouse):
    with browser() as driver:
        waiting = WebDriverWait(driver, WAIT_SECONDS)
        driver.get(f"{live_server.url}/api/docs")
        endpoint = (By.CSS_SELECTOR, ".opblock-summary-control")
        waiting.until(expected_conditions.element_to_be_clickable(endpoint)).click()
        waiting.until(
            expected_conditions.visibility_of_element_located((By.CLASS_NAME, "opblock-body"))
        )

        # From funnel/static, in place of what the page has inside it by itself.
        background = driver.find_element(By.TAG_NAME, "body").value_of_css_property(
            "background-color"
        )
        assert "rgba(250, 250, 250, 1)" == background
        assert [] == complaints(driver)
