"""Whatever happens to the mail between the nights, does the catalogue know exactly what is there?"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from retention.vocabulary import Token
from tests.contract.microsoft365_tenant import Folder, Tenant, message
from tests.contract.microsoft365_world import connect

FOLDERS = ("inbox", "sent", "deleteditems", "new")
EVENTS = st.one_of(
    st.tuples(st.just("arrives"), st.sampled_from(FOLDERS[:3]), st.integers(0, 9)),
    st.tuples(st.just("moves"), st.sampled_from(FOLDERS), st.integers(0, 9)),
    st.tuples(st.just("changes"), st.just(""), st.integers(0, 9)),
    st.tuples(st.just("goes"), st.just(""), st.integers(0, 9)),
    st.tuples(st.just("becomes ours"), st.just(""), st.integers(0, 9)),
)


class Catalogue:
    """What the core keeps of the pages it is given."""

    def __init__(self) -> None:
        self.versions: dict[str, str] = {}
        self.groups: dict[str, str] = {}
        self.token: Token | None = None

    def read(self, tenant: Tenant, page_size: int, most_pages: int | None) -> None:
        """Take over a pass, or its first pages where the task dies after them."""
        named: set[str] = set()
        for number, page in enumerate(connect(tenant, page_size=page_size).changes(self.token)):
            if number == most_pages:
                return
            named |= {finding.ref.key for finding in page.findings}
            self.versions |= {finding.ref.key: finding.ref.version for finding in page.findings}
            self.groups |= {finding.ref.key: finding.group for finding in page.findings}
            for ref in page.gone:
                self.versions.pop(ref.key, None)
            if page.whole:
                self.versions = {key: version for key, version in self.versions.items() if key in named}
            lost = {key for key in self.versions if self.groups[key] in page.whole_groups and key not in named}
            self.versions = {key: version for key, version in self.versions.items() if key not in lost}
            if page.next is not None:
                self.token = Token(bytes(page.next))  # type: ignore[arg-type]


def happen(tenant: Tenant, what: str, folder: str, number: int) -> None:
    box = tenant.boxes["u1"]
    if what == "arrives":
        tenant.add("message", message(f"p{number}@example.com", "sales@ours.example"), folder=folder)
        return
    if not box.items:
        return
    item = sorted(box.items)[number % len(box.items)]
    match what:
        case "moves":
            if folder == "new":
                box.folders.setdefault("u1-new", Folder("New"))
            if box.items[item].folder != f"u1-{folder}":
                tenant.move("u1", item, f"u1-{folder}")
        case "changes":
            tenant.touch("u1", item, subject="again")
        case "goes":
            tenant.remove("u1", item)
        case "becomes ours":
            tenant.touch("u1", item, **message("bob@ours.example", "sales@ours.example"))


@settings(max_examples=40, deadline=None)
@given(
    nights=st.lists(
        st.tuples(st.lists(EVENTS, max_size=8), st.one_of(st.none(), st.integers(0, 4))), min_size=1, max_size=5
    ),
    page_size=st.integers(1, 4),
)
def test_after_a_whole_pass_the_catalogue_holds_all_mail_with_people_from_outside_and_nothing_else(
    nights: list[tuple[list[tuple[str, str, int]], int | None]], page_size: int
) -> None:
    tenant = Tenant()
    tenant.add_box()
    catalogue = Catalogue()
    for events, most_pages in nights:
        for what, folder, number in events:
            happen(tenant, what, folder, number)
        catalogue.read(tenant, page_size, most_pages)
    catalogue.read(tenant, page_size, None)
    assert catalogue.versions == {
        f"u1/{item}": stored.row["changeKey"]
        for item, stored in tenant.boxes["u1"].items.items()
        if stored.row["from"]["emailAddress"]["address"].endswith("@example.com")
    }
