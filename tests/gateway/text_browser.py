"""A browser without JavaScript, for tests: reads a page and sends its forms."""

from __future__ import annotations

from html.parser import HTMLParser

import httpx

# Where what stands inside is not shown as text.
_SILENT = {"style", "script", "title"}


class _Form(dict):
    """A form's hidden fields; its buttons are (name, value) by label."""

    def __init__(self) -> None:
        super().__init__()
        self.buttons: dict[str, tuple[str, str]] = {}
        self.has_text = False


class Page(HTMLParser):
    """A page's tags, visible text and forms."""

    def __init__(self, html: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.forms: list[_Form] = []
        self.draft = ""
        self._open: list[str] = []
        self._button: tuple[str, str] | None = None
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        fields = dict(attrs)
        self.tags.append((tag, fields))
        self._open.append(tag)
        if tag == "form":
            self.forms.append(_Form())
        elif tag == "input":
            self._open.pop()
            self.forms[-1][fields["name"]] = fields["value"] or ""
        elif tag in ("meta", "link", "br"):
            self._open.pop()
        elif tag == "textarea":
            self.forms[-1].has_text = True
        elif tag == "button" and self.forms:
            self._button = (fields["name"] or "", fields["value"] or "")

    def handle_endtag(self, tag):
        while self._open and self._open.pop() != tag:
            pass
        if tag == "button":
            self._button = None

    def handle_data(self, data):
        if self._open and self._open[-1] in _SILENT:
            return
        if self._open and self._open[-1] == "textarea":
            self.draft += data
            return
        self.text += data
        if self._button is not None and data.strip():
            self.forms[-1].buttons[data.strip()] = self._button

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def buttons(self) -> list[str]:
        return [label for form in self.forms for label in form.buttons]

    @property
    def choices(self) -> list[str]:
        """The buttons that answer the assistant."""
        return [
            label
            for form in self.forms
            for label, (name, _) in form.buttons.items()
            if name == "button"
        ]


class TextBrowser:
    """One visitor with such a browser.

    Attributes:
        page: the page that is shown.
        response: the answer it came with.
        addresses: everything that a history or a proxy's log would have.
    """

    def __init__(self, web: httpx.AsyncClient):
        self._web = web
        self.addresses: list[str] = []

    async def visit(self, address: str, **headers: str) -> TextBrowser:
        return self._shows(await self._web.get(address, headers=headers))

    async def press(self, label: str) -> TextBrowser:
        """Press the button with this label."""
        form = next((form for form in self.page.forms if label in form.buttons), None)
        assert form is not None, f"{label!r} is not among {self.page.buttons}: {self.page.text}"
        name, value = form.buttons[label]
        return await self.send({**form, name: value})

    async def write(self, text: str) -> TextBrowser:
        """Type a text and send it."""
        [form] = [form for form in self.page.forms if form.has_text]
        return await self.send({**form, "text": text, "do": "send"})

    async def send(self, fields: dict[str, str], **headers: str) -> TextBrowser:
        """Send a form as it is."""
        headers = {"Sec-Fetch-Site": "same-origin", "Origin": "http://handrail", **headers}
        self.sent = fields
        return self._shows(await self._web.post("/chat", data=fields, headers=headers))

    @property
    def text(self) -> str:
        return self.page.text

    def _shows(self, response: httpx.Response) -> TextBrowser:
        self.response = response
        self.addresses.append(str(response.url))
        self.page = Page(response.text)
        return self
