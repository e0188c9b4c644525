"""What have people written to us, and we to them? Enquiries, orders, lists sent on, meetings; in mailboxes of ours."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date
from typing import Any

from sandbox.population import office_files
from sandbox.population.days import at
from sandbox.population.mail_rows import OWN_DOMAIN as _OWN
from sandbox.population.mail_rows import Attachment, ContactPlan, MeetingPlan, MessagePlan, Plan
from sandbox.population.ordinary import Ordinary
from sandbox.population.people import Person
from sandbox.population.story import Story

SYSTEM = "microsoft365"
MESSAGES_OF_A_TEAM = 5000


def write(story: Story, people: Sequence[Ordinary], scale: int) -> None:
    """Fill the mailboxes. Nothing here draws on chance: the other systems stay as they are for a seed."""
    mail = story.mail
    mail.mailbox("sales", "Sales", purpose="shared", aliases=(f"verkauf@{_OWN}",))
    mail.mailbox("support", "Support", purpose="shared")
    mail.mailbox("erin.quay", "Erin Quay", archived=12)
    mail.mailbox("legal", "Legal", on_hold=True)
    mail.mailbox("board", "Board", in_scope=False)
    mail.without_mailbox += [
        (f"scanner@{_OWN}", "Scanner", False),
        ("visitor@larkfield.test", "A visitor", True),
    ]
    for number in range(1, scale if scale > 1 else 0):
        mail.mailbox(f"team-{number:03d}", f"Team {number:03d}", extra=MESSAGES_OF_A_TEAM)
    _enquiries(story)
    _orders(story)
    _threads(story)
    _hidden_people(story)
    _contacts_and_meetings(story)
    for number, one in enumerate(people):
        if number % 3 == 0:
            _put(story, _enquiry("sales", one.person, one.collected))


def _enquiries(story: Story) -> None:
    """One message of one person each."""
    days = story.days
    old, new = days.ago(years=6, days=61), days.ago(years=1, days=61)
    for name in ("expired", "legal_hold", "copied_recently"):
        _put(story, _enquiry("sales", _who(story, name), old), name)
    _put(story, _enquiry("sales", _who(story, "one_day_short"), days.oldest_kept), "one_day_short")
    _put(story, _enquiry("sales", _who(story, "just_expired"), days.newest_expired), "just_expired")
    _put(story, _enquiry("support", _who(story, "apostrophe_address"), new), "apostrophe_address")
    _put(story, _enquiry("support", _who(story, "internationalised_domain"), new), "internationalised_domain")
    person = _who(story, "unsubscribed_in_hubspot_only")
    _put(story, _enquiry("support", person, new), "unsubscribed_in_hubspot_only")
    _put(story, _enquiry("support", _who(story, "expired_lead"), old, folder="Inbox/Fairs/Old"), "expired_lead")
    person = _who(story, "expired_by_creation_date")
    _put(story, _enquiry("support", person, old, folder="Deleted Items"), "expired_by_creation_date")
    person = _who(story, "touched_by_integration")
    _put(
        story, _enquiry("erin.quay", person, old, folder="Notes of Erin", hidden_folder=True), "touched_by_integration"
    )
    _put(story, _enquiry("legal", _who(story, "open_complaint"), new), "open_complaint")


def _orders(story: Story) -> None:
    """Mail about sales, by its folder or by its category."""
    days = story.days
    person = _who(story, "past_five_years_statutory_keep")
    day = days.ago(years=5, days=75)
    _put(story, _enquiry("sales", person, day, folder="Orders", subject="Order 4711"), "past_five_years_statutory_keep")
    person = _who(story, "customer_live")
    order = _enquiry("support", person, days.ago(days=100), subject="Order 4811", categories=("Order",))
    _put(story, order, "customer_live")


def _threads(story: Story) -> None:
    """Several people from outside in one message, and one message in several mailboxes."""
    days = story.days
    old = days.ago(years=6, days=20)
    first, second = story.cases["two_people_one_name"].people[:2]
    for mailbox in ("sales", "support"):
        _put(story, _enquiry(mailbox, first, old, cc=(second.email,), subject="Both of us"), "two_people_one_name")
    tagged, plain = story.cases["plus_tag_address"].people[:2]
    new = days.ago(days=200)
    answer = MessagePlan(
        *(f"sales@{_OWN}", "Sent Items", f"sales@{_OWN}", (plain.email,), at(new)),
        *("Re: stand 12", "<p>As agreed.</p>"),
        bcc=(tagged.email,),
    )
    _put(story, answer, "plus_tag_address")
    # The display name is somebody else's address: only the address counts.
    decoy = _who(story, "leap_day_not_due")
    body = "<p>Please call back.</p>"
    live = _who(story, "customer_live")
    named = MessagePlan(
        *(f"support@{_OWN}", "Inbox", (decoy.email, live.email), (f"support@{_OWN}",), at(new), "A question", body)
    )
    _put(story, named, "customer_live")


def _hidden_people(story: Story) -> None:
    """People who are neither sender nor recipient: in a body, in a file, in a message in a message."""
    days = story.days
    old = days.ago(years=7, days=5)
    person = _who(story, "documents_only")
    local, _, domain = person.email.partition("@")
    split = f"<p>Please write to <b>{local}</b>&#64;<i>{domain}</i> about the fair.</p>"
    _put(story, _internal("erin.quay", old, "Whom to write to", split), "documents_only")
    person = _who(story, "duplicate_in_salesforce")
    table = Attachment("guests.csv", _table([person]))
    note = _internal("erin.quay", days.ago(years=1), "The list", "<p>Attached.</p>", attachments=(table,))
    _put(story, note, "duplicate_in_salesforce")
    person = _who(story, "name_in_a_path")
    inner = Attachment("Forwarded", inner=f"<p>{person.email} asked for a quote.</p>")
    _put(story, _internal("sales", old, "Fw: quote", "<p>See below.</p>", attachments=(inner,)), "name_in_a_path")
    locked = Attachment("terms.docx", office_files.encrypted_document(b"terms"))
    _put(story, _internal("sales", old, "Terms", "<p>With a password.</p>", attachments=(locked,)))
    _put(story, _internal("sales", old, "Lunch", "<p>At noon.</p>"))


def _contacts_and_meetings(story: Story) -> None:
    days = story.days
    old, new = days.ago(years=6, days=200), days.ago(days=300)
    for name, day in (("expired_lead", old), ("customer_live", new)):
        person = _who(story, name)
        plan = ContactPlan(f"erin.quay@{_OWN}", person.full_name, person.emails, at(day), person.phone)
        _put(story, plan, name)
    for name, day in (("expired", old), ("customer_live", new), ("leap_day_not_due", days.ago(days=-30))):
        person = _who(story, name)
        _put(story, MeetingPlan(f"erin.quay@{_OWN}", (person.email,), at(day), "A visit"), name)


def _enquiry(mailbox: str, person: Person, day: date, *, folder: str = "Inbox", **more: Any) -> MessagePlan:
    """A person writes to one of our mailboxes."""
    ours = f"{mailbox}@{_OWN}"
    body = f"<html><body><p>Good day,</p><p>please tell me more.</p><p>{person.first}</p></body></html>"
    subject = more.pop("subject", "A question")
    return MessagePlan(ours, folder, (person.full_name, person.email), (ours,), at(day), subject, body, **more)


def _internal(mailbox: str, day: date, subject: str, body: str, **more: Any) -> MessagePlan:
    """One of ours writes to another."""
    return MessagePlan(
        *(f"{mailbox}@{_OWN}", "Inbox", f"erin.quay@{_OWN}", (f"{mailbox}@{_OWN}",), at(day), subject, body), **more
    )


def _put(story: Story, plan: Plan, *case_names: str) -> None:
    kinds = {MessagePlan: "message", ContactPlan: "contact", MeetingPlan: "event"}
    key = story.mail.put(plan)
    for name in case_names:
        story.lies(story.cases[name], SYSTEM, kinds[type(plan)], key)


def _who(story: Story, name: str) -> Person:
    return story.cases[name].people[0]


def _table(people: Sequence[Person]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("name", "email"))
    writer.writerows((one.full_name, one.email) for one in people)
    return text.getvalue().encode()
