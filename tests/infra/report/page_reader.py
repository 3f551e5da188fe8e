"""What a browser finds in a report."""

from html.parser import HTMLParser


class Page(HTMLParser):
    """What a browser finds in a page: its elements, their attributes, its text, and what its scripts say."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.scripts: dict[str, list[str]] = {"": [], "application/json": []}
        self.text = ""
        self.policy = ""
        self._script: str | None = None
        self.feed(html)
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += attrs
        named = dict(attrs)
        self._script = (named.get("type") or "") if tag == "script" else None
        if named.get("http-equiv") == "Content-Security-Policy":
            self.policy = named["content"] or ""

    def handle_endtag(self, tag: str) -> None:
        self._script = None

    def handle_data(self, data: str) -> None:
        if self._script is None:
            self.text += data
        else:
            self.scripts[self._script].append(data)
