"""The searches: one folder for each algorithm, with everything that differs from algorithm to algorithm.

To be imported from outside: each folder's `search` (the record for `flows/searches.py`), and for a search of your own
`experts`, `recipe_search`, `recipe_export` and `best_recipe` (`docs/adding_a_search.md`). A folder may import the files
of this one and every room of infra but `deployments`, and no other algorithm's folder.
"""
