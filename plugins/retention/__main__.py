"""What can be asked from the command line? `python -m retention COMMAND`; each command is loaded when it is called.

Exit codes everywhere: 0 done, 1 done and the answer is bad news, 2 the question was wrong. Whatever keeps a command
from running at all (no ledger, no keys, no usable policy, a role with another duty) is said here, in one place.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from retention.impediment import Impediment

COMMANDS = {
    "decide": "retention.cli.decide",
    "due": "retention.cli.due",
    "doctor": "orchestration.doctor",  # the one command that works with Airflow's connections
    "ledger": "retention.cli.ledger",
    "keys": "retention.cli.keys",
    "mode": "retention.cli.switches:mode",
    "live": "retention.cli.switches:live",
    "stop": "retention.cli.switches:stop",
    "guards": "retention.cli.guards",
    "protected": "retention.cli.protected",
    "standing": "retention.cli.standing",
    "tranche": "retention.cli.tranche",
    "holds": "retention.cli.holds",
    "restrictions": "retention.cli.restrictions",
    "policy": "retention.cli.policy",
    "suppression": "retention.cli.suppression",
    "incidents": "retention.cli.incidents",
    "audit": "retention.cli.audit",
    "review": "retention.cli.review",
    "tasks": "retention.cli.tasks",
    "request": "retention.cli.request_copies",
    "complaint": "retention.cli.complaint",
    "papers": "retention.cli.papers",
}
"""Name of each command and the module that exports it, as `command` unless another name stands behind a colon."""

EXIT_CODES = "Exit codes: 0 done; 1 done, and the answer is bad news; 2 the question was wrong, nothing was done."


class CannotRun(click.ClickException):
    """An impediment as the command line says it: one clear line on standard error, exit code 2."""

    exit_code = 2


class CommandsOnDemand(click.Group):
    """A group that imports a command's module when the command is named, so that deciding needs no database."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name or "command")
        return _naming_exit_codes(command)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; an impediment is no traceback."""
        try:
            return super().invoke(ctx)
        except Impediment as error:
            raise CannotRun(str(error)) from error


def _naming_exit_codes(command: click.Command) -> click.Command:
    """Let the help of a command and of everything below it end with what its exit code means."""
    command.epilog = command.epilog or EXIT_CODES
    for below in command.commands.values() if isinstance(command, click.Group) else ():
        _naming_exit_codes(below)
    return command


@click.command(cls=CommandsOnDemand, context_settings={"help_option_names": ["-h", "--help"]}, epilog=EXIT_CODES)
def main() -> None:
    """Retention and erasure of personal data: decisions, clocks and evidence."""


if __name__ == "__main__":
    main(prog_name="python -m retention")
