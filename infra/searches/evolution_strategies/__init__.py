"""Evolution strategies (arXiv 2509.24372): everything of it but the numbers (`swarm.es`), tasks and flow.

To be imported from outside: `search` (the record of the table), and by the flow and its tasks `config`, `inputs`,
`members`, `outcome`, `probe` and `view`. It imports the files of `infra.searches`, what these may import, and `swarm`.
"""
