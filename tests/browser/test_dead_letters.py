"""The dead letters: their number on the strip, and the list that it opens."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client
from playwright.sync_api import Locator, Page, expect

from tests.api.dead_letters import add_dead_letter
from tests.api.support import Api
from tests.browser.support import open_live
from tests.browser.test_accessibility import axed, violations

__all__ = ["axed"]
WHOLE = "volume: '12.7' is not a whole number from 0 to 4294967295"
PLACES = """() => [...document.querySelectorAll("#strip, #strip > *, .panel")]
    .filter((part) => part.id !== "dead-letters-open")
    .map((part) => Object.values(part.getBoundingClientRect().toJSON()).slice(0, 2).join())"""


def button(page: Page) -> Locator:
    return page.locator("#dead-letters-open")


def letters(page: Page) -> Locator:
    return page.locator("#dead-letters li")


def stage(page: Page, name: str) -> Locator:
    return page.locator("#dead-letters fieldset").get_by_text(name, exact=True)


def add_dead_letter_at(client: Client, number: int, age: float, **more: Any) -> None:
    """Store a dead letter that was sent and found so many seconds ago."""
    at = datetime.now(UTC) - timedelta(seconds=age)
    add_dead_letter(client, number, WHOLE, **{"kafka_timestamp": at, "inserted_at": at, **more})


@pytest.mark.parametrize("width", [360, 860, 980, 1440])
def test_their_number_appears_with_the_first_and_nothing_moves(
    page: Page, api: Api, ticks: Client, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    open_live(page, api)
    expect(page.locator("[data-meter=lag] b")).to_have_text("7")
    expect(button(page)).to_be_hidden()
    before = page.evaluate(PLACES)
    add_dead_letter_at(ticks, 1, 3600)
    add_dead_letter_at(ticks, 2, 0)
    add_dead_letter_at(ticks, 3, 3600, replayed_at=datetime.now(UTC))
    expect(button(page).locator("b")).to_have_text("2")
    expect(button(page).locator("small")).to_have_text("1 in the last minute")
    assert page.evaluate(PLACES) == before
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_the_list_shows_place_reason_and_record_as_text(
    wide: Page, api: Api, ticks: Client
) -> None:
    script = b'<img src=x onerror="window.isRun = 1"><script>window.isRun = 1</script>'
    add_dead_letter(ticks, 4, "no JSON", stage="parse", value=b"\xff\xfe", key=None)
    add_dead_letter(
        ticks, 5, f"symbol: {script.decode()} is not 1-16 characters", value=script, key=script
    )
    add_dead_letter(ticks, 6, WHOLE, value=b"x" * 5000)
    add_dead_letter(ticks, 7, WHOLE, value=None, key=b"")
    add_dead_letter(ticks, 8, WHOLE, value=None, key=None, has_record=False)
    open_live(wide, api)
    button(wide).click()
    expect(letters(wide)).to_have_count(5)
    missing, tombstone, long, hostile, binary = letters(wide).all()
    expect(missing.locator("summary")).to_have_text("Value: not read from Kafka yet")
    expect(tombstone.locator("summary")).to_have_text("Value: none")
    expect(tombstone.locator(".key")).to_have_text("empty")
    long.locator("summary").click()
    expect(long.locator("pre")).to_have_text("x" * 2000)
    expect(long.locator(".note")).to_have_text("The beginning of 5,000 bytes.")
    expect(hostile.locator(".reason")).to_contain_text(script.decode())
    for part in ("pre", ".key"):
        expect(hostile.locator(part)).to_have_text(script.decode())
    expect(hostile.locator(".place")).to_have_text("stock-ticks, partition 0, offset 5")
    expect(hostile.locator("time")).to_have_attribute("title", "2024-01-30 00:00:05.000000 UTC")
    expect(binary.locator("summary")).to_have_text("Value: Base64: //4=")
    expect(binary.locator(".key")).to_have_text("none")
    assert wide.evaluate("window.isRun") is None
    assert wide.locator("#dead-letters :is(img, script)").count() == 0


def test_the_list_is_filtered_by_stage_and_loads_more(wide: Page, api: Api, ticks: Client) -> None:
    for number in range(60):
        add_dead_letter_at(ticks, number, number, stage="sink" if number == 3 else "rule")
    open_live(wide, api)
    button(wide).click()
    more = wide.get_by_role("button", name="Load more")
    expect(letters(wide)).to_have_count(50)
    more.click()
    expect(letters(wide)).to_have_count(60)
    expect(more).to_be_hidden()
    stage(wide, "Sink").click()
    expect(letters(wide)).to_have_count(1)
    expect(letters(wide).locator(".stage")).to_have_text("sink")
    stage(wide, "Parse").click()
    expect(wide.locator("#dead-letters .empty")).to_have_text("No dead letters.")
    stage(wide, "All").click()
    expect(letters(wide)).to_have_count(50)


def test_the_list_works_by_keyboard(wide: Page, api: Api, ticks: Client) -> None:
    add_dead_letter_at(ticks, 1, 0)
    open_live(wide, api)
    expect(button(wide)).to_be_visible()
    wide.keyboard.press("d")
    expect(letters(wide)).to_have_count(1)
    # Past the stages and the button Close to the list, and to the first record in it.
    wide.locator("#dead-letters input:checked").focus()
    for _ in range(3):
        wide.keyboard.press("Tab")
    expect(letters(wide).locator("summary")).to_be_focused()
    wide.keyboard.press("Enter")
    expect(letters(wide).locator("pre")).to_be_visible()
    wide.keyboard.press("Escape")
    expect(wide.locator("#dead-letters")).to_be_hidden()
    button(wide).focus()
    wide.keyboard.press("Enter")
    expect(wide.locator("#dead-letters")).to_be_visible()
    wide.get_by_role("button", name="Close").click()
    expect(button(wide)).to_be_focused()


def test_new_dead_letters_appear_unless_the_list_is_read(
    wide: Page, api: Api, ticks: Client
) -> None:
    add_dead_letter_at(ticks, 1, 30)
    open_live(wide, api)
    button(wide).click()
    expect(letters(wide)).to_have_count(1)
    letters(wide).locator("summary").click()
    wide.locator("#dead-letters input:checked").focus()
    wide.mouse.move(0, 0)
    add_dead_letter_at(ticks, 2, 0)
    expect(letters(wide)).to_have_count(2)
    # The one that was open stays open, below the new one.
    expect(letters(wide).nth(1).locator("pre")).to_be_visible()
    letters(wide).first.hover()
    add_dead_letter_at(ticks, 3, 0)
    expect(wide.locator("#dead-letters .count")).to_have_text("3, 3 in the last minute")
    expect(letters(wide)).to_have_count(2)
    wide.mouse.move(0, 0)
    expect(letters(wide)).to_have_count(3)


@pytest.mark.parametrize("width", [360, 1440])
def test_the_list_has_no_violations_and_fits(
    axed: Page, api: Api, ticks: Client, width: int
) -> None:
    axed.set_viewport_size({"width": width, "height": 640})
    for number, reason in enumerate([WHOLE, "x" * 500, "no JSON"]):
        add_dead_letter(
            ticks, number, reason, value=b"y" * 3000, topic="a-topic-with-a-long-name" * 3
        )
    open_live(axed, api)
    expect(button(axed)).to_be_visible()
    assert violations(axed) == []
    button(axed).click()
    letters(axed).locator("summary").first.click()
    assert violations(axed) == []
    beyond = f"all => all.filter((one) => one.getBoundingClientRect().right > {width}).length"
    assert axed.locator("#dead-letters, #dead-letters :is(p, pre)").evaluate_all(beyond) == 0
    scrolls = "list => list.scrollWidth > list.clientWidth"
    assert axed.locator("#dead-letters ol").evaluate(scrolls) is False
