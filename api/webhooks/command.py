"""All webhooks of the settings, until they are stopped."""

import asyncio
import hashlib
from collections.abc import Callable

import aiohttp

from api.events.stream import StreamPoller
from api.query import registry
from api.query.clickhouse import ClickHouseClient
from api.query.registry import Query
from api.webhooks import message
from api.webhooks.delivery import Delivery
from api.webhooks.sender import Sender
from lib.errors import MillraceError, SettingsError, did_you_mean
from lib.settings import Settings, Webhook


async def run(config: Settings, served: registry.Registry, say: Callable[[str], None]) -> None:
    """Send to each webhook of the settings until cancelled; raise SettingsError for one that names
    no stream."""
    queries = {name: _query(name, webhook, served) for name, webhook in config.webhooks.items()}
    keys = {
        name: message.key(f"webhooks.{name}.secret", webhook.secret)
        for name, webhook in config.webhooks.items()
    }
    folder = config.data_dir / "webhooks"
    deliveries = {
        name: Delivery.load(folder / f"{_file_name(name, webhook)}.json")
        for name, webhook in config.webhooks.items()
    }
    client = ClickHouseClient(config.clickhouse, config.api.timeout)
    pollers = {query.endpoint.name: StreamPoller(client, query) for query in queries.values()}
    async with aiohttp.ClientSession() as session:
        senders = [
            Sender(
                name,
                webhook.url,
                keys[name],
                queries[name],
                pollers[queries[name].endpoint.name],
                deliveries[name],
                session,
            )
            for name, webhook in config.webhooks.items()
        ]
        say(f"sending to {', '.join(config.webhooks)}; Ctrl-C stops it")
        try:
            async with asyncio.TaskGroup() as tasks:
                for sender in senders:
                    tasks.create_task(sender.run())
        except ExceptionGroup as group:
            # One is enough: the group has no line for a user.
            first = group.exceptions[0]
            raise first if isinstance(first, MillraceError) else group from None
        finally:
            for poller in pollers.values():
                poller.close()
            await client.close()


def _query(name: str, webhook: Webhook, served: registry.Registry) -> Query:
    streams = {each.endpoint.name: each for each in served.values() if each.endpoint.stream}
    if webhook.stream not in streams:
        raise SettingsError(
            f"webhooks.{name}.stream: {webhook.stream!r} is no stream of sql/api; "
            f"{did_you_mean(webhook.stream, streams)}"
        )
    return streams[webhook.stream]


def _file_name(name: str, webhook: Webhook) -> str:
    """A webhook that gets another address or stream is a new one."""
    digest = hashlib.sha256(f"{webhook.url}\0{webhook.stream}".encode()).hexdigest()
    return f"{name}-{digest[:12]}"
