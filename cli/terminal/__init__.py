"""What commands take from the terminal and show there: options, results, progress, the live table."""
