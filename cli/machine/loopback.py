"""Connections to this machine itself never go through a proxy.

A company's proxy is set by HTTP_PROXY and its like, often without NO_PROXY. It can't reach this machine's loopback
interface, where Prefect's server is: each request to it would wait for ever.
"""

import os

LOOPBACK = ("localhost", "127.0.0.1", "::1")


def connect_directly_to_loopback() -> None:
    """Add the loopback interface to NO_PROXY, for this process and those that it starts, where a proxy is set."""
    if not any(name.lower() in ("http_proxy", "https_proxy", "all_proxy") for name in os.environ):
        return
    without = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""  # the order in which Python looks
    hosts = [host for host in map(str.strip, without.split(",")) if host]
    if "*" not in hosts:
        hosts += [host for host in LOOPBACK if host not in hosts]
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = ",".join(hosts)
