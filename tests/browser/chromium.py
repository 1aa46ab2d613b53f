"""Debian's Chromium without a screen, driven by selenium; nothing is downloaded."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator

from selenium import webdriver
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions as expected
from selenium.webdriver.support.ui import WebDriverWait

WAIT_SECONDS = 30


def missing() -> str:
    """Why there is no browser; empty where there is one."""
    names = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    return f"{' and '.join(names)} not installed" if names else ""


@contextlib.contextmanager
def browser(*, width: int = 1280, height: int = 1000) -> Iterator[WebDriver]:
    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for argument in (
        "--headless=new",
        # Its sandbox wants a user of its own and its shared memory more than a container has.
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--hide-scrollbars",
        f"--window-size={width},{height}",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(
        options=options, service=webdriver.ChromeService(shutil.which("chromedriver"))
    )
    # A click may return before the page that it leads to is there.
    driver.implicitly_wait(WAIT_SECONDS)
    try:
        yield driver
    finally:
        driver.quit()


def log_in(driver: WebDriver, address: str, *, name: str, password: str) -> None:
    """Opens the admin's first page by way of the log-in form."""
    driver.get(f"{address}/admin/")
    driver.find_element(By.NAME, "username").send_keys(name)
    driver.find_element(By.NAME, "password").send_keys(password)
    driver.find_element(By.CSS_SELECTOR, "[type=submit]").click()
    wait_for_charts(driver)


def complaints(driver: WebDriver) -> list[str]:
    """What the pages' console said since the last time: errors, and what the policy refused."""
    lines = [entry["message"] for entry in driver.get_log("browser")]
    # Chromium asks every site for one.
    return [line for line in lines if "/favicon.ico" not in line]


def wait_for_message(driver: WebDriver, text: str) -> None:
    """Until the admin says `text` on top of a page; the form may be on its way until then."""
    place = (By.CLASS_NAME, "messagelist")
    WebDriverWait(driver, WAIT_SECONDS).until(expected.text_to_be_present_in_element(place, text))


def wait_for_charts(driver: WebDriver) -> None:
    """Until every chart of the page is drawn."""

    def all_drawn(driver: WebDriver) -> bool:
        drawn = driver.find_elements(By.CSS_SELECTOR, "canvas[data-drawn]")
        return bool(drawn) and len(drawn) == len(driver.find_elements(By.TAG_NAME, "canvas"))

    WebDriverWait(driver, WAIT_SECONDS).until(all_drawn)
