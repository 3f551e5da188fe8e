"""Downloads: one file over HTTP, continued where it broke off and checked; folders of pulled data sets."""
