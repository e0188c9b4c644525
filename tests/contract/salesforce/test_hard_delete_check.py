"""Does the doctor say beforehand whether rows can leave the org for good?"""

from __future__ import annotations

from tests.contract.salesforce_world import SalesforceWorld


def found(org: SalesforceWorld) -> list[tuple[str, bool]]:
    return [(one.lacking, one.to_act) for one in org.connector.checks() if "Bulk API Hard Delete" in one.what]


def test_a_user_with_the_permission_lacks_nothing(org: SalesforceWorld) -> None:
    assert found(org) == [("", True)]


def test_a_user_without_the_permission_is_told_what_to_give_and_what_happens_without(org: SalesforceWorld) -> None:
    org.emulator.tell("switches", hard_delete_permission=False)

    [(lacking, to_act)] = found(org)

    assert "Bulk API Hard Delete" in lacking
    assert "Recycle Bin" in lacking
    assert to_act


def test_an_org_that_does_not_tell_is_no_org_that_allows_it(org: SalesforceWorld) -> None:
    org.emulator.tell("switches", hidden_objects=["UserPermissionAccess"])

    [(lacking, _)] = found(org)

    assert "INVALID_TYPE" in lacking
