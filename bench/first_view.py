"""The cost of the first view of the Applications page for a browser with an empty cache.

    .venv/bin/python bench/first_view.py

Starts a server with the example organization, signs in, and prints bytes over the wire, requests,
other hosts and layout shift. Exits with 1 if a limit is exceeded.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402

from tests.conftest import CHROMIUM_ARGUMENTS, chromium_path  # noqa: E402
from tests.servers import Server, launch  # noqa: E402

LIMITS = {"bytes": 60_000, "other hosts": 0, "layout shift": 0.0}
SHIFTS = """() => new Promise((done) => {
    let sum = 0;
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (!entry.hadRecentInput) sum += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
    setTimeout(() => done(sum), 500);
})"""


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = launch(
            Path(folder),
            database=f"sqlite:///{folder}/bench.sqlite3",
            environment={"RUNAI_ACCESS_EXAMPLE": "1"},
        )
        server.wait_until_ready()
        browser = playwright.chromium.launch(
            executable_path=chromium_path(), args=CHROMIUM_ARGUMENTS
        )
        try:
            figures = measure(browser, server)
        finally:
            browser.close()
            server.kill()
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    return int(any(figures[name] > limit for name, limit in LIMITS.items()))


def measure(browser: Browser, server: Server) -> dict[str, float]:
    """Open the page with a user's cookies and an empty cache."""
    signed_in = browser.new_context()
    page = signed_in.new_page()
    page.goto(f"{server.url}/sign-in/")
    page.get_by_label("Email").fill(server.admin_email)
    page.get_by_label("Password").fill(server.admin_password)
    page.get_by_role("button", name="SIGN IN").click()
    page.wait_for_url("**/applications/")
    fresh = browser.new_context(storage_state=signed_in.storage_state(), timezone_id="Asia/Kolkata")
    return _first_view(fresh.new_page(), server.url)


def _first_view(page: Page, url: str) -> dict[str, float]:
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    lengths: list[float] = []
    asked: list[str] = []
    session.on("Network.loadingFinished", lambda event: lengths.append(event["encodedDataLength"]))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{url}/applications/", wait_until="networkidle")
    shift: float = page.evaluate(SHIFTS)
    return {
        "bytes": sum(lengths),
        "requests": len(asked),
        "other hosts": sum(not address.startswith(url) for address in asked),
        "layout shift": round(shift, 4),
    }


if __name__ == "__main__":
    raise SystemExit(main())
