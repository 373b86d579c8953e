"""Sends each row of a stream to a webhook, in their order, again and again until it is received."""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import msgspec

from api.events import event_ids
from api.events.rows import RowBatch
from api.events.sse import Mailbox
from api.events.stream import StreamPoller
from api.problems import ProblemError
from api.query.registry import Query
from api.webhooks import message
from api.webhooks.delivery import Delivery
from api.webhooks.message import Message

log = logging.getLogger("millrace.webhooks")

TIMEOUT_SECONDS = 15
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 300.0
# New rows are also looked for when nothing wakes the sender.
IDLE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Sender:
    """One webhook."""

    name: str
    url: str
    key: bytes
    query: Query
    poller: StreamPoller
    delivery: Delivery
    session: aiohttp.ClientSession

    async def run(self) -> None:
        """Send rows until cancelled; at the first start of a webhook those that are new."""
        mailbox: Mailbox[RowBatch] = Mailbox(lambda _, batch: [batch])
        fact = ""
        while True:
            try:
                begun = time.time()
                await self.poller.start()
                with self.poller.subscribed(mailbox) as until:
                    begin = event_ids.decode(self.delivery.event) if self.delivery.event else None
                    await self._send_all(self.poller.replay(begin, until))
                    # Else the next look would go back to the time of the first one.
                    self.delivery.advance(event_ids.encode(begun, until))
                    fact = ""
                    await mailbox.take(IDLE_SECONDS)
            except ProblemError as problem:
                if problem.detail != fact:
                    fact = problem.detail
                    log.warning("%s: %s", self.name, fact)
                await asyncio.sleep(1)

    async def _send_all(self, batches: AsyncIterator[RowBatch]) -> None:
        async for batch in batches:
            for _, line in batch.lines:
                await self._send(self._message(line))
            self.delivery.advance(batch.identity)

    def _message(self, line: bytes) -> Message:
        stream, endpoint = self.query.endpoint.stream, self.query.endpoint
        assert stream is not None
        source, offset = stream.source_and_offset(msgspec.json.decode(line))
        kind = endpoint.event.name if endpoint.event else endpoint.name
        return message.message(kind, source, offset, line)

    async def _send(self, sent: Message) -> None:
        """Return when it was received: an answer of 2xx."""
        if self.delivery.is_delivered(sent.identity):
            return
        is_repeated = self.delivery.begin(sent.identity)
        pause, fact = FIRST_PAUSE, ""
        while (problem := await self._try(sent, is_repeated=is_repeated)) is not None:
            is_repeated = True
            wait = max(problem.retry_after, pause * random.uniform(0.5, 1))
            if problem.fact != fact:
                fact = problem.fact
                log.warning("%s: %s; again in %.0f s", self.name, fact, wait)
            await asyncio.sleep(wait)
            pause = min(2 * pause, LONGEST_PAUSE)
        if fact:
            log.warning("%s: received", self.name)
        self.delivery.end(sent.identity)

    async def _try(self, sent: Message, *, is_repeated: bool) -> "_Problem | None":
        now = time.time()
        body = sent.body(now, is_repeated=is_repeated)
        try:
            async with self.session.post(
                self.url,
                data=body,
                headers=sent.headers(self.key, now, body),
                timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS),
                allow_redirects=False,
            ) as answer:
                if answer.status < 300:
                    return None
                return _Problem(f"answered {answer.status}", _retry_after(answer))
        except (aiohttp.ClientError, TimeoutError) as error:
            return _Problem(f"no answer ({type(error).__name__})", 0.0)


@dataclass(frozen=True, slots=True)
class _Problem:
    """Why a message was not received; the address may have a secret, and is not in it."""

    fact: str
    retry_after: float


def _retry_after(answer: aiohttp.ClientResponse) -> float:
    text = answer.headers.get("Retry-After", "")
    return min(float(text), LONGEST_PAUSE) if text.isdecimal() else 0.0
