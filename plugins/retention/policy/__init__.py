"""What does the company promise, and what do the fields of its systems mean? The policy as data, digested.

`load` reads a folder of two YAML files; every mistake in them names file, line, place and fix. Nothing here opens a
connection: the DAG files read the policy when they are parsed.
"""

from retention.policy.loading import Policy, load
from retention.policy.mail import MailPolicy, TransactionPlaces
from retention.policy.schedule import RULED_CLASSES, Approval, Operations, Rule, Schedule
from retention.policy.shape import PolicyError
from retention.policy.stores import StoreName, StorePolicy
from retention.policy.systems import FieldSetPolicy, FolderPolicy, RecordPolicy, SystemPolicy, Systems, Verbs

__all__ = [
    "RULED_CLASSES",
    "Approval",
    "FieldSetPolicy",
    "FolderPolicy",
    "MailPolicy",
    "Operations",
    "Policy",
    "PolicyError",
    "RecordPolicy",
    "Rule",
    "Schedule",
    "StoreName",
    "StorePolicy",
    "SystemPolicy",
    "Systems",
    "TransactionPlaces",
    "Verbs",
    "load",
]
