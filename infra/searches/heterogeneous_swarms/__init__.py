"""Heterogeneous Swarms (arXiv 2502.04510)."""
