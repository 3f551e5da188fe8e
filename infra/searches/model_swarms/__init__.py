"""Model Swarms (arXiv 2410.11163): everything of it but the numbers (`swarm.pso`), tasks and flow.

To be imported from outside: `search` (the record of the table), and by the flow `config`, `inputs`, `outcome` and
`view`. It imports the files of `infra.searches`, what these may import, and `swarm`.
"""
