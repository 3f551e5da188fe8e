"""The tests with a browser run where there is one."""

from browser import PROGRAMS
from installed import program, tested

BROWSER = tested("Chromium", program(*PROGRAMS) is not None, "apt-get install chromium")
collect_ignore = [] if BROWSER else ["test_prefect_form.py"]
