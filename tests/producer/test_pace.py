from producer.pace import Pace, Reminder


def test_after_a_stall_the_schedule_moves_instead_of_bursting() -> None:
    pace = Pace(start=0.0)
    assert pace.delay(1.0, now=30.0) == 0.0
    assert pace.delay(2.0, now=30.0) == 1.0


def test_a_short_delay_is_made_up_for() -> None:
    pace = Pace(start=0.0)
    assert pace.delay(1.0, now=1.5) == 0.0
    assert pace.delay(2.0, now=1.5) == 0.5


def test_a_reminder_comes_less_often_up_to_every_minute() -> None:
    reminder = Reminder()
    seconds = [second for second in range(300) if reminder.due(second)]
    assert seconds == [2, 4, 8, 16, 32, 64, 124, 184, 244]
