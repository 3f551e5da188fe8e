"""Parts of bench/ops_test.py: the servers that it starts, what it asks of them, and what it does to them."""
