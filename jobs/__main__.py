"""`python -m jobs run|stop|plan|audit JOB`, dead letters, backups: the command line."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from jobs import job as jobs
from jobs.dead_letters import report, selection
from jobs.run import stopping
from lib import conf
from lib.errors import RestartError, UnavailableError, exit_on_error
from lib.signals import Signals


@click.group()
def main() -> None:
    """Run streaming jobs: each is a folder of SQL files under sql/flink/."""


@main.command()
@click.argument("job")
@click.option(
    "--fresh",
    is_flag=True,
    help="Begin at the sources, not at the saved state; what is stored stays stored once.",
)
@exit_on_error()
def run(job: str, fresh: bool) -> None:
    """Run JOB until Ctrl-C, which stops it with a savepoint.

    Exit status: 0 when it was stopped, 2 for an error that a user must fix, 75 when it goes on from
    its last checkpoint as soon as it is run again."""
    signals = Signals()
    # Before the job runs there is nothing to save.
    signals.interrupt(SystemExit)
    config = conf.load()
    loaded = jobs.load(config, job)
    with jobs.held(config, job):
        # A wrong file need not wait for these imports.
        from jobs.flink import gateway

        options = loaded.flink_options
        try:
            with gateway.starting(config.data_dir, loaded.name, options) as java:
                # They take seconds, in which Java starts.
                from jobs.run import runner

                runner.run(config, loaded, fresh, signals, java)
        except UnavailableError as error:
            # A supervisor may wait longer than the runner does.
            raise RestartError(str(error)) from error


@main.command()
@click.argument("job")
@exit_on_error()
def stop(job: str) -> None:
    """Stop JOB with a savepoint, if it runs on this machine; one that has ended already is retired:
    /health expects it no longer."""
    stopping.stop(conf.load(), job, click.echo)


@main.command()
@click.argument("job")
@exit_on_error()
def plan(job: str) -> None:
    """Show how Flink would run JOB, and whether the sink can rely on it and the tables take its
    rows, without running it."""
    config = conf.load()
    loaded = jobs.load(config, job)
    # As above.
    from jobs.plan.explain import explain

    explain(config, loaded)


@main.command()
@click.argument("job")
@click.option("--full", is_flag=True, help="Compare the content of each record, too.")
@click.option("--json", "as_json", is_flag=True, help="Print all numbers and offsets as JSON.")
@exit_on_error()
def audit(job: str, full: bool, as_json: bool) -> None:
    """Compare the offsets of JOB's topics in Kafka with the rows and dead letters in ClickHouse.

    Exit status: 0 if each record that was read is accounted for once, 1 if not, 2 for an error."""
    from jobs.accounting import command

    config = conf.load()
    if not command.run(config, jobs.load(config, job), full, as_json):
        sys.exit(1)


def _moment(_: click.Context, parameter: click.Parameter, text: str | None) -> datetime | None:
    try:
        return selection.moment(text, datetime.now(UTC)) if text is not None else None
    except ValueError:
        raise click.BadParameter(
            f"{text!r}: write 30m, 2h or 7d, or a time such as 2026-11-26T10:00.", param=parameter
        ) from None


@main.command("dead-letters")
@click.option(
    "--since", callback=_moment, help="Only records sent within 30m, 2h, 7d, or since a time."
)
@click.option("--stage", type=click.Choice(selection.STAGES), help="Only those of this stage.")
@click.option("--topic", help="Only those of this topic.")
@click.option(
    "--show",
    type=click.IntRange(1, 10_000),
    default=None,
    metavar="N",
    help="Show the newest N with key and value.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@exit_on_error()
def dead_letters(
    since: datetime | None, stage: str | None, topic: str | None, show: int | None, as_json: bool
) -> None:
    """Count the dead letters by reason, and show the newest of each as an example.

    Times are Kafka's, in UTC. Dead letters that a replay has stored are left out."""
    report.run(conf.load(), selection.of(since, stage, topic), show, as_json)


@main.command("replay-dead-letters")
@click.argument("job")
@click.option(
    "--where",
    default="true",
    metavar="CONDITION",
    help="A condition of ClickHouse's SQL on the dead letters.  [default: all]",
)
@click.option("--dry-run", is_flag=True, help="Only count what would be stored.")
@exit_on_error()
def replay_dead_letters(job: str, where: str, dry_run: bool) -> None:
    """Run dead letters of JOB through its SQL as it is now, and store those that are valid.

    Each is stored once, however often this is run, and marked as replayed; one that is refused
    again gets the new reason. The job may run meanwhile."""
    Signals().interrupt(SystemExit)
    config = conf.load()
    loaded = jobs.load(config, job)
    # As above.
    from jobs.dead_letters import replay

    replay.run(config, loaded, where, dry_run=dry_run)


def _duration(_: click.Context, parameter: click.Parameter, text: str) -> timedelta:
    try:
        return selection.duration(text)
    except ValueError:
        raise click.BadParameter(f"{text!r}: write 30m, 2h or 7d.", param=parameter) from None


@main.command()
@click.argument("job")
@click.argument("view")
@click.option(
    "--from", "start", required=True, callback=_moment, help="30m, 2h, 7d ago, or a time in UTC."
)
@click.option("--to", "end", default="0m", callback=_moment, help="By default now.")
@click.option(
    "--lead",
    default="15m",
    callback=_duration,
    show_default=True,
    help="So much before --from the view begins to read, for what it looks back on.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@exit_on_error()
def backtest(
    job: str, view: str, start: datetime, end: datetime, lead: timedelta, as_json: bool
) -> None:
    """Show the rows that VIEW of JOB, as it is now, makes of the records since a time, beside those
    that are stored. Nothing is stored; the job may run meanwhile.

    The records are those in Kafka, and, where it has deleted them, those that the query
    sql/history/<job>/<source>.sql finds in ClickHouse.

    Exit status: 0 if the rows are the same as those that are stored, 1 if not, 2 for an error."""
    Signals().interrupt(SystemExit)
    config = conf.load()
    loaded = jobs.load(config, job)
    # As above.
    from jobs.backtest import command

    if not command.run(config, loaded, view, start, end, lead, as_json=as_json):
        sys.exit(1)


@main.command("test-sql")
@click.argument("cases", nargs=-1)
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default=Path("tests/sql"),
    show_default=True,
    help="The folder with the cases: <view>/<case>/.",
)
@click.option("--update", is_flag=True, help="Write the rows that came as those that are expected.")
@click.option("--junit", type=click.Path(path_type=Path), help="Write the results as JUnit does.")
@click.option(
    "--limit",
    type=click.FloatRange(min=0, min_open=True),
    default=120.0,
    show_default=True,
    help="How long a case may take, in seconds.",
)
@exit_on_error()
def test_sql(
    cases: tuple[str, ...], folder: Path, update: bool, junit: Path | None, limit: float
) -> None:
    """Run CASES (VIEW or VIEW/CASE, by default all) on real servers, and compare the rows.

    Exit status: 0 if all have passed, 1 if not, 2 for an error."""
    # As above.
    from jobs.sql_tests import command

    # Else 0, as if all had passed.
    Signals().interrupt(lambda: SystemExit(130))
    config = conf.load()
    if not command.run(config, folder, cases, update=update, junit=junit, limit=limit):
        sys.exit(1)


@main.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@exit_on_error()
def doctor(as_json: bool) -> None:
    """Check this machine, the servers and what runs, and say what to fix. Nothing is changed.

    Exit status: 0 if all is well, 1 if not, 2 if the settings cannot be read."""
    Signals().interrupt(SystemExit)
    config = conf.load()
    # The other commands need none of it.
    from jobs.doctor import command

    if not command.run(config, as_json=as_json):
        sys.exit(1)


@main.command("backup")
@click.option("--to", default="", help="The folder to make.")
@exit_on_error()
def make_backup(to: str) -> None:
    """Write all tables and the saved state of all jobs to a new folder. Jobs may run meanwhile."""
    # A third of a second, which a job that starts need not wait for.
    from jobs.backup import command

    Signals().interrupt(SystemExit)
    command.make(conf.load(), to)


@main.command("restore")
@click.option("--from", "folder", default="", help="The folder of a backup.")
@click.option("--replace", is_flag=True, help="Remove what is there.")
@exit_on_error()
def restore_backup(folder: str, replace: bool) -> None:
    """Put a backup in the place of all tables and saved states. No job may run."""
    # As above.
    from jobs.backup import command

    Signals().interrupt(SystemExit)
    command.restore_from(conf.load(), folder, replace)


if __name__ == "__main__":
    main(prog_name="python -m jobs")
