"""Does every connector keep the promises of `retention.contract`? One suite; each system brings only its world."""

import pytest

# These are no test files by name, so pytest would show their failed assertions without the values.
pytest.register_assert_rewrite(
    *(f"tests.contract.{module}" for module in ("suite", "finding", "acting", "telling", "questions"))
)
