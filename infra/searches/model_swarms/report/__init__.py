"""The report of a Model Swarms run: what is read from the records (`evidence`), figures, tables, and the page.

From outside: `evidence.read_evidence` and `page.render_report`. May import `infra.report` and what is below it.
"""
