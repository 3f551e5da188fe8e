"""One run that this process drives: read and check what it needs, open it, and end it.

`search.py` is the contract of an algorithm; `comparison.py` the test that every algorithm's summary rests on.

From outside: all of it. May import: serving, report and what is below them.
"""
