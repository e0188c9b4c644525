"""Is every decision told with what its articles say?"""

from __future__ import annotations

from retention.articles import IN_OUR_WORDS, citations, in_words
from retention.decide import PRECEDENCE
from retention.duties import DUTIES
from retention.verdicts import ReasonCode


def test_every_reason_cites_at_least_one_article() -> None:
    assert set(citations()) == set(ReasonCode)
    assert all(articles and all(articles) for articles in citations().values())


def test_every_article_that_is_cited_is_put_in_words_and_no_other() -> None:
    cited = {article for row in (*PRECEDENCE, *DUTIES) for article in row.articles.split(";")}
    assert set(IN_OUR_WORDS) == cited


def test_a_reason_with_two_rows_cites_the_articles_of_both() -> None:
    assert citations()[ReasonCode.HOLD_ACTIVE] == ("17(3)(e)", "18(2)", "DPA-Sch2-5")


def test_an_article_is_told_with_its_words() -> None:
    assert in_words(("5(1)(e)",)) == ["5(1)(e): data is kept no longer than its purpose needs"]
