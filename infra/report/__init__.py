"""The report of a run, one self-contained HTML file: what the pages of all searches share.

To be imported from outside: `plain` (the page of a search that has none of its own), `asked_examples`, and for pages of
other searches `rendering`, `chart`, `contenders`, `formats`, `tasks`, `verdict` and `curve_svg`. It imports
`infra.observing`, `infra.records`, and what is below infra.
"""
