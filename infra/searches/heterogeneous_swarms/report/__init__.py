"""The report of a Heterogeneous Swarms run: the system's picture, its collaborative gain, and the page.

From outside: `page`. May import `infra.systems`, `infra.report` and what is below them.
"""
