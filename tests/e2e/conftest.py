"""The tests with a browser run where there is one: apt-get install chromium."""

import shutil

from browser import PROGRAMS

collect_ignore = [] if any(map(shutil.which, PROGRAMS)) else ["test_prefect_form.py"]
