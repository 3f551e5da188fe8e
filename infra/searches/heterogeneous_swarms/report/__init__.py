"""The report of a Heterogeneous Swarms run."""
