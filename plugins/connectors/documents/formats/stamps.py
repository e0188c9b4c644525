"""Which times does a file give of itself? For each place in it the latest, as UTC."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_PDF = re.compile(r"(?:D:)?(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:([+\-Z])(\d\d)?'?(\d\d)?'?)?$")


class Stamps(dict[str, str]):
    """Where a time was read → the latest such time, in the ISO form."""

    def add(self, where: str, text: str) -> None:
        """Note a time in the ISO form; what is no time is not noted. The zone is UTC where none is given."""
        try:
            self.add_moment(where, datetime.fromisoformat(text.strip()))
        except ValueError:
            return

    def add_mail(self, where: str, text: str) -> None:
        """Note a time as mails write it."""
        try:
            self.add_moment(where, parsedate_to_datetime(text))
        except (ValueError, TypeError, IndexError):
            return

    def add_pdf(self, where: str, text: str) -> None:
        """Note a time as PDF writes it: D:20190305101500+01'00'."""
        if match := _PDF.match(text.strip()):
            year, month, day, hour, minute, second, sign, hours, minutes = match.groups()
            zone = f"{sign}{hours or '00'}:{minutes or '00'}" if sign in ("+", "-") else "Z"
            day_text = f"{year}-{month or '01'}-{day or '01'}"
            self.add(where, f"{day_text}T{hour or '00'}:{minute or '00'}:{second or '00'}{zone}")

    def add_moment(self, where: str, moment: datetime) -> None:
        """Note an instant."""
        try:
            aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except OverflowError:
            return
        text = aware.isoformat()
        if text > self.get(where, ""):
            self[where] = text

    def merge(self, others: Mapping[str, str]) -> None:
        """Note what a part of the file gives."""
        for where, text in others.items():
            self.add(where, text)
