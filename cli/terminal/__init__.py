"""What commands take from the terminal and show there: options, results, progress, the live table.

All of it may be imported by commands and by `cli.runs`. It imports `infra.observing` and `infra.configs` alone.
"""
