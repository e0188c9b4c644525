"""What does a web page say, shown or not? Text by block, whatever tags split it, attributes and comments."""

from __future__ import annotations

from selectolax.lexbor import LexborHTMLParser, LexborNode

from connectors.documents.formats import plain_text
from connectors.documents.formats.budget import Budget, Emit
from connectors.documents.formats.stamps import Stamps

_INLINE = frozenset(
    (
        *("a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i"),
        *("img", "ins", "kbd", "label", "mark", "nobr", "q", "s", "samp", "small", "span", "strike", "strong", "sub"),
        *("sup", "time", "tt", "u", "var", "wbr"),
    )
)
_SPOKEN = frozenset(
    ("href", "content", "value", "title", "alt", "placeholder", "action", "src", "cite", "label", "summary")
)
_APART = frozenset(("script", "style", "textarea", "title"))
_DATES = frozenset(("date", "dcterms.created", "dcterms.modified", "article:published_time", "article:modified_time"))


def read(content: bytes, emit: Emit, budget: Budget) -> Stamps:
    """Every block of text, every attribute that can hold words, every comment and script."""
    stamps = Stamps()
    for text in plain_text.readings(content):
        stamps.merge(read_text(text, emit))
    return stamps


def read_text(text: str, emit: Emit) -> Stamps:
    """A page that is decoded already."""
    stamps = Stamps()
    waiting = [text]
    while waiting:
        root = LexborHTMLParser(waiting.pop()).root
        if root is not None:
            waiting += _walk(root, emit, stamps)
    return stamps


def _walk(root: LexborNode, emit: Emit, stamps: Stamps) -> list[str]:
    """One pass in document order; returns what lies in templates, which are documents of their own."""
    block: list[str] = []
    templates: list[str] = []
    current = -1

    def flush() -> None:
        said = "".join(block)
        if said.strip():
            emit(said)
        block.clear()

    for node in root.traverse(include_text=True):
        tag = node.tag or ""
        if tag == "-text":
            holder = _block_of(node)
            if holder != current:
                flush()
                current = holder
            block.append(node.text_content or "")
        elif tag == "-comment":
            emit(node.comment_content or "")
        elif tag == "br":
            block.append("\n")
        else:
            _attributes(node, tag, emit, stamps)
            if tag not in _INLINE:
                flush()
            if tag == "template":
                templates.append((node.html or "").partition(">")[2])
    flush()
    return templates


def _block_of(node: LexborNode) -> int:
    """Which element cuts a text from its neighbours: the nearest one around it that is not part of a line."""
    parent = node.parent
    while parent is not None and parent.tag in _INLINE and parent.tag not in _APART:
        parent = parent.parent
    return parent.mem_id if parent is not None else 0


def _attributes(node: LexborNode, tag: str, emit: Emit, stamps: Stamps) -> None:
    attributes = node.attributes
    if not attributes:
        return
    for name, value in attributes.items():
        if value and (name in _SPOKEN or "@" in value or "%40" in value or name.startswith("data-")):
            emit(value)
    if tag == "meta":
        name = str(attributes.get("name") or attributes.get("property") or "").lower()
        if name in _DATES:
            stamps.add(f"page: {name}", attributes.get("content") or "")
