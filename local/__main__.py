"""`python -m local up|down|status|demo`: start, stop and show the embedded stack."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console

from lib import clickhouse, conf, locks, migrations, retention, topics
from lib.errors import MillraceError, exit_on_error
from lib.settings import Settings
from lib.signals import Signals
from local import demo, stack
from local.supervisor import Supervisor, has_ended

console = Console(highlight=False, soft_wrap=True)


@click.group()
def main() -> None:
    """Kafka and ClickHouse on this machine, with nothing but Python."""


@main.command()
@click.option("--foreground", is_flag=True, help="Stay; stop everything on Ctrl-C.")
@exit_on_error()
def up(foreground: bool) -> None:
    """Start Kafka and ClickHouse, make the jobs' topics and apply the migrations."""
    config = conf.load()
    supervisor = Supervisor(config.data_dir)
    if not foreground:
        leave_up(config, supervisor)
        return
    with ends_stack(supervisor) as ended:
        bring_up(config, supervisor, attached=True)
        ended.listen()
        console.print("Ctrl-C stops them")
        ended.wait()


@main.command()
@exit_on_error()
def down() -> None:
    """Stop Kafka, ClickHouse and the programs of a demo; the data stays."""
    supervisor = Supervisor(conf.load().data_dir)
    if not supervisor.is_running():
        console.print("nothing runs")
        return
    with console.status("stopping"):
        supervisor.shut_down()
    console.print("stopped; the data stays")


@main.command()
@exit_on_error()
def status() -> None:
    """Show the running programs; exit 1 unless both servers run."""
    config = conf.load()
    supervisor = Supervisor(config.data_dir)
    if not supervisor.is_running():
        console.print("nothing runs; start it with `make up`")
        sys.exit(1)
    states = supervisor.states()
    for name, state in states.items():
        if name in stack.SERVERS or state["pid"] or has_ended(state):
            console.print(f"{name:11} {state['statename'].lower():9} {state['description']}")
    # A job that `make run-job` started is not supervised, but locks its file.
    for file in sorted((config.data_dir / "run").glob("job-*.pid")):
        pid = locks.holder(file)
        if pid and pid != states["job"]["pid"]:
            console.print(f"{file.stem.replace('-', ' '):11} running   pid {pid}")
    sys.exit(0 if all(states[name]["statename"] == "RUNNING" for name in stack.SERVERS) else 1)


@main.command("demo")
@click.option("--open", "opens", is_flag=True, help="Show the dashboard in the browser.")
@exit_on_error()
def run_demo(opens: bool) -> None:
    """Run the whole pipeline in one terminal until Ctrl-C; the data stays."""
    config = conf.load()
    supervisor = Supervisor(config.data_dir)
    if supervisor.is_running():
        ended = Signals()
        ended.listen()
        demo.run(config, supervisor, console, ended, opens=opens)
        return
    with ends_stack(supervisor) as ended:
        bring_up(config, supervisor, attached=True)
        ended.listen()
        demo.run(config, supervisor, console, ended, opens=opens)


def leave_up(config: Settings, supervisor: Supervisor) -> None:
    """Bring the stack up and leave it running; if interrupted, end what was started."""
    signals = Signals()
    signals.interrupt(KeyboardInterrupt)
    try:
        bring_up(config, supervisor, attached=False)
        if signals.count:
            raise KeyboardInterrupt
    except (MillraceError, KeyboardInterrupt):
        # A second Ctrl-C must not interrupt this: a stack that is half started would make the next
        # `up` fail.
        signals.listen()
        supervisor.abandon()
        raise


def bring_up(config: Settings, supervisor: Supervisor, *, attached: bool) -> None:
    """Start what does not run yet, and return when the whole stack is ready."""
    with console.status("starting") as spinner:
        if supervisor.is_running():
            # Raises an error if another process is stopping the stack, which still answers.
            supervisor.states()
        else:
            stack.check_ports(config)
            supervisor.launch(stack.programs(config), attached=attached)
        stack.wait(supervisor, config, spinner.update)
        topics.provide(config.kafka, topics.of_all_jobs(config, warn), console.print)
        with clickhouse.explained(config.clickhouse):
            client = clickhouse.connect(config.clickhouse)
            migrations.migrate_all(client, config, console.print)
            retention.apply(client, config, console.print)
    console.print(f"kafka       up at {config.kafka.bootstrap_servers}")
    console.print(f"clickhouse  up at http://{config.clickhouse.address}")


def warn(text: str) -> None:
    """Print a problem that does not keep the stack from starting."""
    click.echo(text, err=True)


@contextmanager
def ends_stack(supervisor: Supervisor) -> Iterator[Signals]:
    """Shut the stack down at the end of the block. A signal ends the block as well, until the block
    listens to the signals that are yielded."""
    ended = Signals()
    ended.interrupt(SystemExit)
    try:
        yield ended
    finally:
        # A second Ctrl-C must not interrupt this.
        ended.listen()
        if supervisor.is_running():
            with console.status("stopping"):
                supervisor.shut_down()
            console.print("stopped; the data stays")


if __name__ == "__main__":
    main(prog_name="python -m local")
