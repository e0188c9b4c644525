"""Which emulator shall run, and with what people? `python -m sandbox NAME --port N` starts one in the foreground."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import pkgutil
from datetime import UTC, date, datetime
from pathlib import Path

import sandbox
from sandbox.server import Options


def known() -> list[str]:
    """The modules of this package that can be served: adding an emulator needs no change here."""
    names = [module.name for module in pkgutil.iter_modules(sandbox.__path__) if not module.name.startswith("_")]
    return sorted(name for name in names if hasattr(importlib.import_module(f"sandbox.{name}"), "serve"))


def parse(arguments: list[str] | None = None) -> Options:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("name", metavar="NAME", help="which vendor to emulate")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one (default)")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other people")
    parser.add_argument("--scale", type=int, default=1, help="how many times the small population")
    parser.add_argument(
        "--as-of",
        type=date.fromisoformat,
        default=os.environ.get("AS_OF") or datetime.now(UTC).date().isoformat(),
        help="what day it is inside (default: the environment's AS_OF, else today)",
    )
    parser.add_argument("--tls-dir", type=Path, default=None, help="where certificate authority and key are written")
    given = parser.parse_args(arguments)
    if not given.name.isidentifier() or importlib.util.find_spec(f"sandbox.{given.name}") is None:
        parser.error(f"no emulator called {given.name!r}; known: {', '.join(known())}")
    return Options(given.name, given.port, given.seed, given.scale, given.as_of, given.tls_dir)


def main() -> None:
    options = parse()
    module = importlib.import_module(f"sandbox.{options.name}")
    if not hasattr(module, "serve"):
        raise SystemExit(f"sandbox.{options.name} is no emulator; known: {', '.join(known())}")
    module.serve(options)


if __name__ == "__main__":
    main()
