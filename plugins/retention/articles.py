"""What does a cited article say, in our own words? For people who read a decision; the law itself decides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from retention.decide import PRECEDENCE
from retention.verdicts import ReasonCode

IN_OUR_WORDS: Mapping[str, str] = {
    "4(1)": "only what is about an identifiable person is personal data",
    "5(1)(a)": "data is used lawfully, fairly and openly",
    "5(1)(b)": "data serves the purpose it was collected for, and no other",
    "5(1)(c)": "no more data than the purpose needs",
    "5(1)(d)": "data is right and kept up to date",
    "5(1)(e)": "data is kept no longer than its purpose needs",
    "5(2)": "the company can show that it keeps to all this",
    "6(1)": "without a lawful basis nothing may be held",
    "6(1)(a)": "consent carries the data",
    "6(1)(b)": "a contract with the person carries the data",
    "6(1)(c)": "a legal duty carries the data",
    "6(1)(f)": "a legitimate interest that outweighs the person's carries the data",
    "7": "consent must be shown, and can be withdrawn",
    "7(1)": "the company can show that consent was given",
    "7(3)": "withdrawing consent is as easy as giving it",
    "8(1)": "a child's consent online needs a parent's",
    "9(1)": "special categories are not held without a condition of their own",
    "10": "data on criminal convictions is not held without official authority",
    "12(2)": "exercising a right is made easy",
    "12(3)": "a person is told within a month what was done",
    "12(4)": "a refusal is told with its reasons and where to complain",
    "12(5)": "a manifestly unfounded or excessive request may be refused, which the company must show",
    "12(6)": "with reasonable doubt who is asking, more proof of identity may be asked for",
    "15": "a person may see what is held about them",
    "15(4)": "one person's copy must not harm another",
    "17": "a person may have their data erased",
    "17(1)": "there is a ground to erase",
    "17(1)(a)": "data no longer needed is erased",
    "17(1)(b)": "data goes when its consent is withdrawn and nothing else carries it",
    "17(1)(c)": "data goes when a justified objection is made",
    "17(1)(d)": "data held unlawfully is erased",
    "17(1)(e)": "data goes when a law orders its erasure",
    "17(1)(f)": "data collected from a child online goes on request",
    "17(3)(a)": "freedom of expression and information may outweigh erasure",
    "17(3)(b)": "what a law asks to be kept is kept",
    "17(3)(c)": "public health may outweigh erasure",
    "17(3)(d)": "archives in the public interest may outweigh erasure",
    "17(3)(e)": "what legal claims need is kept",
    "18(1)(a)": "while accuracy is contested, data is only stored",
    "18(1)(b)": "the person prefers restriction to the erasure of unlawful data",
    "18(1)(c)": "the person needs for a claim what the company needs no more",
    "18(1)(d)": "while an objection is weighed, data is only stored",
    "18(2)": "restricted data is stored and not otherwise used",
    "18(3)": "the person is told before a restriction is lifted",
    "19": "whoever received the data is told",
    "20(3)": "a portable copy does not stand in the way of erasure",
    "21(1)": "a person may object on grounds of their own situation",
    "21(2)": "a person may object to marketing at any time",
    "21(3)": "after an objection to marketing, marketing ends",
    "32": "data is held securely, and can be restored",
    "33": "a breach is reported",
    "85": "journalism and other expression are reconciled with data protection",
    "89(1)": "archives and research need safeguards",
    "Rec26": "what leaves nobody identifiable is not personal data",
    "PECR-22": "no marketing by e-mail without consent or a soft opt-in, and none after an opt-out",
    "DPA-173": "destroying what somebody asked to see, to hide it, is an offence",
    "DPA-Sch2-5": "legal claims and advice may outweigh a person's rights",
}
"""Numbers without a prefix are those of the GDPR and the UK GDPR alike."""


def citations() -> Mapping[ReasonCode, tuple[str, ...]]:
    """Which articles each reason rests on, over all rows of the order of precedence."""
    found: dict[ReasonCode, dict[str, None]] = {}
    for row in PRECEDENCE:
        found.setdefault(row.reason, {}).update(dict.fromkeys(row.articles.split(";")))
    return {reason: tuple(articles) for reason, articles in found.items()}


def in_words(articles: Iterable[str]) -> list[str]:
    """Each article with what it says."""
    return [f"{article}: {IN_OUR_WORDS[article]}" for article in articles]
