"""Downloads: one file over HTTP, continued where it broke off and checked; folders of pulled data sets.

From outside: `download` (one file), `pulled_data` (a folder of data sets), and `http.is_allowed`; `partial_file` and
the rest of `http` are parts of them. It imports `infra.files`, `data.catalogue`, `experts.files` and what lies below.
"""
