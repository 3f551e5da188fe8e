"""Random search among experts: a whole algorithm in one folder, as docs/adding_a_search.md explains it."""
