"""Whom a Prefect API lets in who should not be: whoever may change a deployment there decides what workers run."""

import httpx

from infra.serving.server import is_local

_WEB_PAGE = "http://web-page.invalid"
"""The origin of a page that no server has heard of (RFC 2606)."""
_SECONDS = 3


def api_openness(url: str) -> list[str]:
    """Return what is wrong with whom the API at `url` lets in, one clause each; empty if nothing is.

    Raises:
        httpx.HTTPError: it does not answer, or says that it is not well.
        httpx.InvalidURL: `url` is no address.

    """
    with httpx.Client(timeout=_SECONDS) as client:
        base = url.rstrip("/")
        health = client.get(f"{base}/health", headers={"origin": _WEB_PAGE})
        health.raise_for_status()
        version = client.get(f"{base}/admin/version")
    problems = []
    if version.is_success:
        reach = (
            "programs and web pages on this machine" if is_local(httpx.URL(url).host) else "everybody who reaches it"
        )
        problems.append(f"it asks for no password, so that {reach} can use it")
    if health.headers.get("access-control-allow-origin") in ("*", _WEB_PAGE):
        problems.append("it lets every web page ask (CORS)")
    return problems
