"""Does every request end, and each record go once, when workers are killed in the middle of a hundred requests?"""

from __future__ import annotations

import pickle
import signal
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Engine

from retention import policy_approval
from retention.clocks import Right
from retention.keyring import Keyring
from retention.requests.intake import Intake, take_in
from retention.store import requests, sweeps
from retention.store.database import one
from retention.store.requests import Channel
from tests.conftest import ROOT
from tests.memory_connector import MemorySystem, person
from tests.requesting import NEW, RECEIVED, CaseFile, identity, who
from tests.store.requests.worker import NEVER, SYSTEM, Hosted, Job, Place, desk_of

PEOPLE, IN_A_RUN, WORKERS = 100, 10, 2
LAST_MOMENTS = [(60, 420), (333, 505)]
"""Which moment is the last of each worker, started twice: while it reads, plans, acts, reads back, seals or answers."""


def started(job: Job) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-m", "tests.store.requests.worker"], cwd=ROOT, stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(pickle.dumps(job))
    process.stdin.close()
    return process


def test_a_hundred_requests_end_and_no_record_is_acted_upon_twice_though_every_worker_is_killed(
    ledger: Engine, ledger_url: str, tmp_path: Path
) -> None:
    system, keyring = MemorySystem(SYSTEM, tenant="crm-tenant"), Keyring.generate("k1")
    keys = {system.add(person(f"p{n}@example.com", NEW)).key for n in range(PEOPLE)}
    stranger = system.add(person("stranger@example.com", NEW))
    hosted = Hosted(system)
    desk = desk_of(ledger, keyring)
    policy_approval.approve(desk, "dpo", desk.policy.digest, {})
    with desk.transaction() as db:
        sweeps.set_switch(db, "mode", "rehearsal", "dpo")
    files = [CaseFile(who(f"p{n}@example.com")) for n in range(PEOPLE)]
    opened = take_in(desk, [Intake(Right.ERASURE, Channel.FORM, RECEIVED, file) for file in files], "clerk")
    for request in opened:
        identity.show_by_hand(desk, request.request_id, "dpo")
    groups = [[r.request_id for r in opened[at : at + IN_A_RUN]] for at in range(0, PEOPLE, IN_A_RUN)]
    runs = [(f"run-{number}", group) for number, group in enumerate(groups)]

    Place.register("hosted", callable=lambda: hosted)
    server = Place(("127.0.0.1", 0), b"of this test").get_server()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    told = Job(ledger_url, keyring.to_json(), server.address, b"of this test", (), NEVER, str(tmp_path))
    jobs = [replace(told, runs=runs[n::WORKERS]) for n in range(WORKERS)]
    for last in LAST_MOMENTS:
        killed = [started(replace(job, dies_at=moment)) for job, moment in zip(jobs, last, strict=True)]
        assert [one.wait(180) for one in killed] == [-signal.SIGKILL] * WORKERS
    assert [one.wait(180) for one in [started(job) for job in jobs]] == [0] * WORKERS

    with desk.transaction() as db:
        assert Counter(r.state for r in requests.listed(db)) == {"answered": PEOPLE}
        unsealed = one(db, "SELECT count(*) AS n FROM sweeps WHERE sealed_at IS NULL").n
    assert unsealed == 0
    assert set(system.records) == {stranger.key}
    erased = {key: count for (action, key), count in hosted.effects().items() if action == "erase"}
    assert erased == dict.fromkeys(keys, 1)
    assert set(hosted.effects().values()) == {1}
