"""Take the pictures of docs/pictures: the form, the running flow's graph, the live artifact, the report.

    python docs/take_pictures.py

On the loopback: a Prefect server with its UI, a worker, a search of a tiny random Llama started from the form in a
headless Chromium. Everything is stopped at the end.
"""

import signal
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import httpx  # noqa: E402
from playwright.sync_api import Browser, Page  # noqa: E402

from bench.operating.telling import wait_for  # noqa: E402
from tests.browser import chromium, field, fill, open_form, picture, submit  # noqa: E402
from tests.prefect_server import api_client, prefect_server  # noqa: E402
from tests.prefect_worker import prefect_worker  # noqa: E402
from tests.swarm_command import swarm  # noqa: E402
from tests.tiny_search import RUN, make_search  # noqa: E402

PICTURES = ROOT / "docs" / "pictures"
DRAWN = 4000
"""Milliseconds that a page needs to draw itself when all its data is there."""


def main() -> None:
    """Take every picture."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="pictures-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        config = make_search(folder)
        patient = {"PREFECT_SERVER_DATABASE_TIMEOUT": "60"}
        with prefect_server(folder / "prefect", patient, with_ui=True) as found, chromium() as browser:
            places = {"SWARM_RUNS": str(folder / "runs"), "SWARM_CACHE": str(folder / "cache")}
            environment = {**found, **places, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
            longer = ["--set", "search.max_iterations=20", "--set", "search.patience=30"]
            swarm(["deploy", str(config), *longer], environment)
            with prefect_worker(environment, folder / "worker.log"):
                _follow(browser, environment["PREFECT_API_URL"])
        _picture_of_report(folder / "runs" / RUN / "report.html")


def _follow(browser: Browser, api: str) -> None:
    """Start a run from the form, and take its pictures while it goes."""
    ui = api.removesuffix("/api")
    with api_client(api) as client:
        deployment = client.get(f"/deployments/name/model-swarms/{RUN}").raise_for_status().json()["id"]
        page = open_form(browser, ui, deployment)
        _picture_of_form(page)
        fill(page, "Particles (N)", "6")
        submit(page)
        page.wait_for_url(lambda url: not url.endswith("/run"))
        wait_for("the run begins", lambda: _states(client) == ["RUNNING"])
        wait_for("there is an artifact", lambda: _artifact(client) is not None)
        [run] = client.post("/flow_runs/filter", json={}).json()
        page.set_viewport_size({"width": 1280, "height": 960})
        page.goto(f"{ui}/runs/flow-run/{run['id']}", wait_until="domcontentloaded")
        page.wait_for_timeout(2 * DRAWN)
        picture(page, PICTURES / "running.png")
        page.set_viewport_size({"width": 1280, "height": 520})
        page.goto(f"{ui}/artifacts/artifact/{_artifact(client)}", wait_until="domcontentloaded")
        page.get_by_role("img", name="utility by iteration").wait_for()
        page.wait_for_timeout(DRAWN)
        picture(page, PICTURES / "artifact.png")
        wait_for("the run ends", lambda: _states(client) == ["COMPLETED"])


def _picture_of_form(page: Page) -> None:
    """Write a wrong value into the form, and take a picture of what it says to that."""
    page.set_viewport_size({"width": 1280, "height": 1000})
    fill(page, "Particles (N)", "1")
    submit(page)
    page.get_by_text("1 is less than the minimum of 2").first.wait_for()
    page.wait_for_timeout(DRAWN)
    field(page, "Space").evaluate("field => field.scrollIntoView({block: 'start'})")
    picture(page, PICTURES / "form.png")


def _artifact(client: httpx.Client) -> str | None:
    """Return the id of the run's curve, once there is one."""
    wanted = {"artifacts": {"key": {"any_": [f"{RUN}-curve"]}}}
    found = client.post("/artifacts/filter", json=wanted).raise_for_status().json()
    return str(found[0]["id"]) if found else None


def _states(client: httpx.Client) -> list[str]:
    return [run["state"]["type"] for run in client.post("/flow_runs/filter", json={}).json()]


def _picture_of_report(file: Path) -> None:
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 1400})
        page.set_default_timeout(120_000)
        page.goto(file.as_uri())
        page.wait_for_timeout(DRAWN)
        page.screenshot(path=PICTURES / "report.png")


if __name__ == "__main__":
    main()
