"""Evolution strategies (arXiv 2509.24372)."""
