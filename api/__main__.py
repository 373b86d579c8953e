"""`python -m api`: serve the endpoints of sql/api; `python -m api validate`: only check them."""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress

import click

from api.app import create_app
from api.http import assets, server
from api.http.middleware import App
from api.problems import ProblemError
from api.query import keys, registry, reload
from api.query.clickhouse import ClickHouseClient
from api.query.registry import Registry
from api.webhooks import command as sending
from lib import asgi, conf, locks, ports
from lib.errors import ServiceError, SettingsError, exit_on_error
from lib.files import show
from lib.settings import Settings


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--host", help="The address to listen on. [default: api.host]")
@click.option("--port", type=click.IntRange(1, 65535), help="[default: api.port]")
@click.option("--reload", "reloads", is_flag=True, help="Serve edited files within a second.")
@click.pass_context
@exit_on_error()
def main(context: click.Context, host: str | None, port: int | None, reloads: bool) -> None:
    """Serve each sql/api/<endpoint>.sql as GET /api/<endpoint>, until Ctrl-C.

    Waits while ClickHouse is unavailable. Exit status: 2 for an error that you can fix.
    """
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    if context.invoked_subcommand:
        return
    config = conf.load()
    host, port = host or config.api.host, port or config.api.port
    server.check_address(host, config.api)
    static = assets.load()
    listener = asgi.bind(host, port, server.SETTING)
    stamps = reload.file_stamps(config.sql_dir / "api") if reloads else None
    endpoints = asyncio.run(load(config, patience=float("inf")))
    page = f"http://{ports.address(host, port)}"
    asgi.listen(listener, server.SETTING)
    click.echo(f"{len(endpoints)} endpoints at {page}/api/, described in /openapi.json")

    def make_app(is_ending: Callable[[], bool]) -> App:
        return create_app(config, endpoints, static, stamps=stamps, is_ending=is_ending)

    server.serve(make_app, config.api, listener)


@main.command()
@exit_on_error()
def validate() -> None:
    """Check every endpoint against ClickHouse; report each invalid one and exit with 2."""
    endpoints = asyncio.run(load(conf.load(), patience=10))
    click.echo(f"{len(endpoints)} endpoints are valid")


@main.command()
@exit_on_error()
def webhooks() -> None:
    """Send each new row of a stream to the servers in `webhooks` of conf/millrace.yaml, until
    Ctrl-C.

    What is not received is sent again, also after a restart."""
    config = conf.load()
    if not config.webhooks:
        raise SettingsError(f"{show(conf.FILE)}: webhooks has none; add one, as its comment shows.")
    lock = config.data_dir / "run" / "webhooks.pid"
    with locks.held(lock, "webhooks", "stop it with Ctrl-C there."), suppress(KeyboardInterrupt):
        served = asyncio.run(load(config, patience=float("inf")))
        asyncio.run(sending.run(config, served, click.echo))


async def load(config: Settings, patience: float) -> Registry:
    """All endpoints, checked together with the keys; wait so many seconds for ClickHouse."""
    client = ClickHouseClient(config.clickhouse, config.api.timeout)
    deadline = time.monotonic() + patience
    try:
        while True:
            try:
                folder = config.sql_dir / "api"
                endpoints = await registry.load(folder, config.variables(), client)
                keys.check(config.api.keys, [query.endpoint for query in endpoints.values()])
                return endpoints
            except ProblemError as problem:
                if time.monotonic() > deadline:
                    raise ServiceError(
                        f"{problem.detail.removesuffix('; try again soon.')} at "
                        f"{config.clickhouse.address}; start it with `make up`, "
                        "or set clickhouse.host and clickhouse.port."
                    ) from None
                await asyncio.sleep(0.5)
    finally:
        await client.close()


if __name__ == "__main__":
    main(prog_name="python -m api")
