"""What can be asked from the command line? `python -m retention COMMAND`; each command is loaded when it is called.

Exit codes everywhere: 0 done, 1 done and the answer is bad news, 2 the question was wrong.
"""

from __future__ import annotations

from importlib import import_module

import click

COMMANDS = {
    "decide": "retention.cli.decide",
    "due": "retention.cli.due",
    "ledger": "retention.cli.ledger",
    "keys": "retention.cli.keys",
    "mode": "retention.cli.switches:mode",
    "stop": "retention.cli.switches:stop",
    "holds": "retention.cli.holds",
    "audit": "retention.cli.audit",
}
"""Name of each command and the module that exports it, as `command` unless another name stands behind a colon."""


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
        return command


@click.command(cls=CommandsOnDemand, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Retention and erasure of personal data: decisions, clocks and evidence."""


if __name__ == "__main__":
    main(prog_name="python -m retention")
