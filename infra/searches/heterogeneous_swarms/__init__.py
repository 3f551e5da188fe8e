"""Heterogeneous Swarms (arXiv 2502.04510): everything of it but the numbers (`swarm.heterogeneous`), tasks and flow.

To be imported from outside: `search` (the record of the table), and by the flow `config`, `outcome` and `view`. It
imports the files of `infra.searches`, what these may import, `infra.systems`, and `swarm`.
"""
