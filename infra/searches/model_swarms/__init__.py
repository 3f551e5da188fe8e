"""Model Swarms (arXiv 2410.11163)."""
