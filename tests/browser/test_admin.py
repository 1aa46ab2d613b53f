"""The admin in a real browser: log in, see the charts, pause a relay."""

from __future__ import annotations

import datetime as dt
import time

import pytest
from django.utils import timezone
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select

from ingestion.models import RejectedHour, Relay, RelayMinute
from ingestion.relay_state import listed_and_paused
from tests.browser.chromium import browser, complaints, log_in, missing, wait_for_message
from tests.builders import a_reaction, a_video, alice, bob
from tests.published import publish

pytestmark = [
    pytest.mark.skipif(bool(missing()), reason=missing()),
    pytest.mark.django_db(transaction=True),
]

RELAY = "wss://relay.example"

# How many different colours a chart has: an empty canvas has one.
COLOURS = """
const canvas = arguments[0];
const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
const colours = new Set();
for (let at = 0; at < data.length; at += 4) colours.add(data.slice(at, at + 4).join());
return colours.size;
"""


@pytest.fixture
def relay(clickhouse):
    video = a_video(alice)
    publish(video, a_reaction(video, bob), now=int(time.time()))
    relay = Relay.objects.create(url=RELAY, state=Relay.State.LIVE)
    this = timezone.now().replace(second=0, microsecond=0)
    for back in range(1, 20):
        minute = this - dt.timedelta(minutes=back)
        RelayMinute.objects.create(relay=relay, minute=minute, events=10 * back)
    RejectedHour.objects.create(reason="bad_sig", hour=this.replace(minute=0), events=3)
    return relay


def test_staff_log_in_see_every_chart_drawn_and_pause_a_relay(
    live_server, django_user_model, relay
):
    django_user_model.objects.create_superuser("operator", password="of the tests")

    with browser() as driver:
        log_in(driver, live_server.url, name="operator", password="of the tests")

        charts = driver.find_elements(By.TAG_NAME, "canvas")
        drawn = {
            chart.get_attribute("data-chart"): driver.execute_script(COLOURS, chart)
            for chart in charts
        }
        assert {f"chart-{name}" for name in CHARTS} == drawn.keys()
        assert {} == {name: colours for name, colours in drawn.items() if colours < 10}
        assert "live" in driver.find_element(By.ID, "panel-relays").text
        # Whatever the policy keeps from being loaded or run is said here.
        assert [] == complaints(driver)

        driver.find_element(By.LINK_TEXT, "Relays").click()
        driver.find_element(By.NAME, "_selected_action").click()
        Select(driver.find_element(By.NAME, "action")).select_by_value("pause")
        driver.find_element(By.CSS_SELECTOR, "button[name=index]").click()

        wait_for_message(driver, "1 paused")
        assert ([], {RELAY}) == listed_and_paused()

        driver.find_element(By.LINK_TEXT, RELAY).click()
        driver.find_element(By.ID, "id_is_paused").click()
        driver.find_element(By.NAME, "_save").click()

        wait_for_message(driver, "was changed successfully")
        assert ([], set()) == listed_and_paused()
        assert [] == complaints(driver)


CHARTS = ("rate", "arrivals", "people", "days", "rejected", "tables")
