import importlib.util
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "docs" / "make_configuration.py"


def test_the_page_says_what_the_models_say():
    specification = importlib.util.spec_from_file_location("make_configuration", SCRIPT)
    script = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(script)
    assert script.PAGE.read_text(encoding="utf-8") == script.page(), "run: python docs/make_configuration.py"
