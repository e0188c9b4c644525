"""How do the planned mailboxes become a tenant's? Plans of the population → users, folders and items."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sandbox.microsoft365 import rows
from sandbox.microsoft365.bulk import Bulk
from sandbox.microsoft365.mailbox import CALENDAR, CONTACTS, Mailbox
from sandbox.microsoft365.tenant import Tenant
from sandbox.population.mail_rows import Attachment, ContactPlan, MailboxPlan, MailRows, MeetingPlan, Plan


def fill(tenant: Tenant, mail: MailRows) -> None:
    """Put everything planned into an empty tenant."""
    for planned in mail.mailboxes:
        box = _mailbox(tenant, planned)
        for plan in mail.of(planned.address):
            _put(tenant.now(), box, plan)
    for address, name, guest in mail.without_mailbox:
        tenant.add_user(address, name, guest=guest)


def _mailbox(tenant: Tenant, planned: MailboxPlan) -> Mailbox:
    bulk = Bulk(planned.address, planned.extra, tenant.now()) if planned.extra else None
    box = tenant.add_mailbox(
        planned.address,
        planned.name,
        purpose=planned.purpose,
        aliases=planned.aliases,
        on_hold=planned.on_hold,
        in_scope=planned.in_scope,
        archived=planned.archived,
        bulk=bulk,
    )
    box.add_folder("Unread Mail", box.known("msgfolderroot").number, search=True)
    return box


def _put(now: datetime, box: Mailbox, plan: Plan) -> None:
    if isinstance(plan, ContactPlan):
        row = rows.contact(name=plan.name, addresses=plan.addresses, made=plan.made, phone=plan.phone)
        box.add("contact", row, box.known(CONTACTS), plan.made)
    elif isinstance(plan, MeetingPlan):
        row = rows.event(
            organizer=box.address,
            attendees=plan.attendees,
            start=plan.start,
            end=plan.start + plan.length,
            made=min(plan.start, now),
            subject=plan.subject,
        )
        box.add("event", row, box.known(CALENDAR), min(plan.start, now))
    else:
        row = rows.message(
            sender=plan.sender,
            to=plan.to,
            cc=plan.cc,
            bcc=plan.bcc,
            subject=plan.subject,
            body=plan.body,
            received=plan.received,
            categories=plan.categories,
            serial=box.next_uid,
        )
        folder = box.path(plan.folder, hidden=plan.hidden_folder)
        box.add("message", row, folder, plan.received, attachments=_attachments(plan.attachments, plan.received))


def _attachments(planned: Sequence[Attachment], made: datetime) -> list[rows.Row]:
    found: list[rows.Row] = []
    for one in planned:
        if one.inner:
            inner = rows.message(sender="forwarder@larkfield.test", received=made, subject=one.name, body=one.inner)
            found.append(rows.item_attachment(one.name, inner, made))
        else:
            found.append(rows.file_attachment(one.name, one.content, made))
    return found
