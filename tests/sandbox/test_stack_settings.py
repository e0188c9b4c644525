"""Does the local stack keep to itself what runs in it?"""

from __future__ import annotations

import sys
from pathlib import Path

from sandbox.stack.airflow import Airflow
from sandbox.stack.processes import Processes
from tests.conftest import ROOT


def test_lineage_that_would_copy_run_settings_elsewhere_is_off_and_its_package_is_not_installed(tmp_path: Path) -> None:
    database = "postgresql://nobody@127.0.0.1:1/airflow"
    airflow = Airflow(ROOT, tmp_path, Path(sys.executable), database, 1, Processes(tmp_path), {})

    assert airflow.environment()["AIRFLOW__OPENLINEAGE__DISABLED"] == "True"
    assert "openlineage" not in (ROOT / "requirements.txt").read_text().lower()
