"""A headless Chromium with a page of Prefect's UI."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, sync_playwright

from tests.installed import program

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the Chromium that is installed; playwright downloads none."""
    found = program(*PROGRAMS)
    if found is None:
        raise RuntimeError("Chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        # As root, Chromium has no sandbox; it opens pages of this machine alone.
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        try:
            yield browser
        finally:
            browser.close()


def open_form(browser: Browser, ui: str, deployment: object) -> Page:
    """Open the form with which a run of a deployment is started."""
    page = browser.new_page(viewport={"width": 1280, "height": 1600})
    page.set_default_timeout(120_000)
    page.goto(f"{ui}/deployments/deployment/{deployment}/run", wait_until="domcontentloaded")
    page.get_by_text("Run Name").first.wait_for()
    return page


def picture(page: Page, path: Path) -> None:
    """Write what the page shows as a PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=path, full_page=True)


def fill(page: Page, title: str, value: str) -> None:
    """Write `value` into the innermost field of a form that has this title."""
    field(page, title).locator("input, textarea").last.fill(value)


def field(page: Page, title: str) -> Locator:
    """Return the innermost field of a form that has this title."""
    return page.locator(".schema-form-property", has=page.locator(".schema-form-property__label", has_text=title)).last


def submit(page: Page) -> None:
    """Start the run that the form describes."""
    page.get_by_role("button", name="Submit").click()
