"""What lies on the document server? Lists, letters, profiles and contracts, and files that cannot be read."""

from __future__ import annotations

import csv
import functools
import io
from collections.abc import Callable, Sequence
from datetime import date, timedelta

from docx.document import Document

from sandbox.population import office_files
from sandbox.population.days import at
from sandbox.population.ordinary import PER_SCALE, Ordinary
from sandbox.population.people import Person, national
from sandbox.population.story import Story

Filling = Callable[[Sequence[Person], date, Document], None]


def file(story: Story, people: Sequence[Ordinary]) -> None:
    """Plan every file. Subjects of a file are the people whose address stands in it."""
    _marketing_lists(story, people)
    _profiles(story)
    _letters(story)
    _contracts(story)
    _unreadable(story)
    _without_anybody(story)
    _ordinary_lists(story, people)


def _who(story: Story, name: str, position: int = 0) -> Person:
    return story.cases[name].people[position]


def _marketing_lists(story: Story, people: Sequence[Ordinary]) -> None:
    days = story.days
    old = days.ago(years=7, days=11)
    names = ["expired", "expired_lead", "touched_by_integration"]
    _list(story, f"marketing/leads-{old.year}.csv", old, names)

    new = days.ago(years=1, days=3)
    live = [one.person for one in people if one.collected < new and one.opted_out is None and _is_kept(story, one)]
    names = ["unsubscribed_in_salesforce_only", "customer_live", "opted_out_of_calls_only"]
    jimbo = _who(story, "address_inside_another", 1)
    _list(story, f"marketing/leads-{new.year}.csv", new, names, [*live[:4], jimbo])

    new = days.ago(days=120)
    names = ["unsubscribed_lead", "leap_day_not_due", "wildcard_address", "formula_in_a_field"]
    # As a spreadsheet program of another country saves it: semicolons, a byte order mark, CRLF.
    _list(story, "marketing/newsletter-export.csv", new, names, delimiter=";", encoding="utf-8-sig", ending="\r\n")

    old = days.ago(years=6, days=100)
    _list(story, f"imports/crm-import-{old.year}.csv", old, ["expired_by_creation_date", "two_people_one_name"])

    new = days.ago(years=2, days=8)
    names = ["apostrophe_address", "plus_tag_address", "mixed_case_address", "shared_mailbox"]
    _list(story, f"imports/trade-fair-{new.year}.csv", new, names, [_who(story, "plus_tag_address", 1)])


def _list(
    story: Story, path: str, day: date, names: Sequence[str], others: Sequence[Person] = (), **dialect: str
) -> None:
    """A list of the first person of each case, and of others; it is a place of those cases."""
    rows = [(person, day) for person in (*(_who(story, name) for name in names), *others)]
    story.file(path, at(day), functools.partial(_table, rows, **dialect), *names)


def _is_kept(story: Story, one: Ordinary) -> bool:
    return one.collected >= story.days.oldest_kept


def _profiles(story: Story) -> None:
    days = story.days
    _profile(story, "preferences-0417", ["unsubscribed_in_hubspot_only"], days.ago(days=300), _preferences)

    # Copying gave the file a new date of its own; the document still knows when it was made.
    made, copied = days.ago(years=7, days=90), days.ago(days=31)
    _profile(story, "preferences-0033", ["copied_recently"], made, _preferences, modified=copied)

    _profile(story, "guest-seating", ["duplicate_in_salesforce", "customer_live"], days.ago(days=200), _seating)


def _profile(
    story: Story, title: str, names: Sequence[str], created: date, fill: Filling, modified: date | None = None
) -> None:
    people = [_who(story, name) for name in names]
    write = functools.partial(office_files.word_document, at(created), functools.partial(fill, people, created))
    story.file(f"marketing/profiles/{title}.docx", at(modified or created), write, *names)


def _preferences(people: Sequence[Person], day: date, document: Document) -> None:
    (person,) = people
    document.add_heading("Preferences", 1)
    document.add_paragraph(f"Asked on {day.isoformat()}. Contact: {person.email}, {person.phone}.")


def _seating(people: Sequence[Person], day: date, document: Document) -> None:
    """The first person in every corner that Word has, the second in two of them."""
    leaver, guest = people
    document.add_heading("Guests", 1)
    office_files.split_over_runs(document, "First table: ", leaver.email, " (vegetarian)")
    document.sections[0].header.paragraphs[0].text = f"Questions to {leaver.email}"
    document.sections[0].footer.paragraphs[0].text = f"Copy for {guest.email}"
    table = document.add_table(rows=2, cols=2)
    for row, (seat, who) in zip(table.rows, (("1", leaver), ("2", guest)), strict=True):
        row.cells[0].text, row.cells[1].text = seat, who.email
    last = document.add_paragraph("Seats are as agreed.")
    comment = document.add_comment(last.runs, text=f"Ask {leaver.email} about the seat", author="Office", initials="O")
    # python-docx dates a comment by the machine's clock; the bytes must hang on nothing but the seed.
    comment._comment_elm.date = at(day)


def _agreement(people: Sequence[Person], day: date, document: Document) -> None:
    (customer,) = people
    document.add_heading("Service agreement", 1)
    document.add_paragraph(f"Between Example Ltd and {customer.full_name}, {customer.email}, {day.isoformat()}.")


def _letters(story: Story) -> None:
    days = story.days
    old, new = days.ago(years=7, days=40), days.ago(years=1, days=40)
    for number, name in enumerate(("expired", "documents_only", "already_deleted_in_one_system", "legal_hold"), 1):
        write = functools.partial(_letter, _who(story, name), old)
        story.file(f"correspondence/{old.year}/enquiry-{number:04d}.txt", at(old), write, name)
    letter = functools.partial(_letter, _who(story, "customer_live"), new)
    story.file(f"correspondence/{new.year}/enquiry-0101.txt", at(new), letter, "customer_live")

    edge = days.oldest_kept
    letter = functools.partial(_letter, _who(story, "one_day_short"), edge)
    story.file(f"correspondence/{edge.year}/enquiry-0202.txt", at(edge), letter, "one_day_short")
    edge = days.newest_expired
    letter = functools.partial(_letter, _who(story, "just_expired"), edge)
    story.file(f"correspondence/{edge.year}/enquiry-0201.txt", at(edge), letter, "just_expired")

    # Other programs, other encodings: both hold letters that plain ASCII reading would miss.
    letter = functools.partial(_letter, _who(story, "internationalised_domain"), new, encoding="utf-16")
    story.file(f"correspondence/{new.year}/enquiry-0102.txt", at(new), letter, "internationalised_domain")
    letter = functools.partial(
        _letter, _who(story, "secondary_address"), new, encoding="cp1252", closing="Café Fable, Zürich"
    )
    story.file(f"correspondence/{new.year}/enquiry-0103.txt", at(new), letter, "secondary_address")

    person = _who(story, "name_in_a_path")
    letter = functools.partial(_letter, person, old)
    story.file(f"correspondence/{old.year}/Letter to {person.full_name}.txt", at(old), letter, "name_in_a_path")


def _contracts(story: Story) -> None:
    days = story.days
    day = days.ago(days=100)
    fill = functools.partial(_agreement, [_who(story, "customer_live")], day)
    write = functools.partial(office_files.word_document, at(day), fill, "Sales desk")
    story.file(f"contracts/{day.year}/service-agreement-0007.docx", at(day), write, "customer_live")

    for name, day in (
        ("past_five_years_statutory_keep", days.ago(years=5, days=75)),
        ("unsubscribed_with_open_order", days.ago(days=45)),
    ):
        write = functools.partial(_letter, _who(story, name), day, subject="Order confirmation")
        story.file(f"contracts/{day.year}/order-confirmation-{day:%m%d}.txt", at(day), write, name)


def _unreadable(story: Story) -> None:
    case = story.case("damaged_document", "a transfer broke off: not readable, never 'nothing found'")
    day = story.days.ago(years=6, days=5)
    broken = functools.partial(_damaged_document, day)
    story.file(f"correspondence/{day.year}/minutes-0003.docx", at(day), broken, case.name)

    case = story.case("encrypted_document", "a password stands before the content")
    locked = functools.partial(office_files.encrypted_document, b"minutes")
    story.file(f"contracts/{day.year}/terms-0001.docx", at(day), locked, case.name)

    case = story.case("unknown_format", "nobody knows what this is")
    story.file("imports/scanner-0042.dat", at(day), lambda: bytes(range(256)) * 16, case.name)

    case = story.case("zip_bomb", "a small file that unfolds to a hundred megabytes")
    story.file("imports/attachment-0009.docx", at(story.days.ago(days=15)), office_files.zip_bomb, case.name)

    case = story.case("outside_the_folders", "lies where the policy names no folder")
    person, day = _who(story, "leap_day"), story.days.ago(years=2)
    story.file("scratch/note.txt", at(day), functools.partial(_letter, person, day), case.name)


def _without_anybody(story: Story) -> None:
    case = story.case("nobody_in_it", "old files that name no person")
    day = story.days.ago(years=8)
    guide = "Write plainly. Call the reader 'you'. Never promise what the warehouse cannot keep.\n"
    story.file("marketing/style-guide.txt", at(day), lambda: guide.encode(), case.name)
    story.file("marketing/empty.txt", at(day), lambda: b"", case.name)


def _ordinary_lists(story: Story, people: Sequence[Ordinary]) -> None:
    """A list for each fifteen people, and a letter for one of them."""
    for number, start in enumerate(range(0, len(people), PER_SCALE), 1):
        block = people[start : start + PER_SCALE]
        listed = [one for one in block if _is_kept(story, one)]
        if not listed:
            continue
        day = max(one.collected for one in listed) + timedelta(days=7)
        rows = [(one.person, one.collected) for one in listed]
        story.file(f"marketing/lists/list-{number:05d}.csv", at(day), functools.partial(_table, rows))
        one = block[0]
        letter = functools.partial(_letter, one.person, one.collected)
        story.file(f"correspondence/{one.collected.year}/letter-{number:05d}.txt", at(one.collected), letter)


def _table(
    rows: Sequence[tuple[Person, date]], delimiter: str = ",", encoding: str = "utf-8", ending: str = "\n"
) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=ending)
    writer.writerow(("first_name", "last_name", "email", "phone", "collected_on", "remark"))
    for person, collected in rows:
        phone = national(person.phone) if person.phone else ""
        remark = f"met at the fair, stand {collected.day}{delimiter} wants news"
        writer.writerow((person.first, person.last, person.email, phone, collected.isoformat(), remark))
    return text.getvalue().encode(encoding)


def _letter(
    person: Person, day: date, *, subject: str = "Your enquiry", encoding: str = "utf-8", closing: str = "Example Ltd"
) -> bytes:
    lines = (
        f"{day.isoformat()}",
        f"To: {person.full_name} <{person.email}>",
        f"Subject: {subject}",
        "",
        f"Dear {person.full_name},",
        "thank you for writing to us. We have noted what you asked for.",
        *((f"We shall ring you on {national(person.phone)}.",) if person.phone else ()),
        "",
        "Kind regards",
        closing,
        "",
    )
    return "\n".join(lines).encode(encoding)


def _damaged_document(day: date) -> bytes:
    def minutes(document: Document) -> None:
        document.add_paragraph("Minutes of the meeting.")

    return office_files.damaged(office_files.word_document(at(day), minutes))
