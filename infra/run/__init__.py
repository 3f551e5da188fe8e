"""One run that this process drives: what it needs is read and checked, and it is opened and ended.

`search.py` is the contract of an algorithm; `comparison.py` the test that every algorithm's summary rests on.

From outside: all of it. May import: serving, report and what is below them.
"""
