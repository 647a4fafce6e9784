import pytest

from cutout.aws.sqs_events import QueueMessage, RetryLaterError, postpone_failures
from cutout.errors import JobBusyError, ServiceUnavailableError


class Queue:
    """Remembers when messages shall come again."""

    def __init__(self, *, away: bool = False) -> None:
        self.delays: list[tuple[str, int]] = []
        self._away = away

    def postpone(self, receipt_handle: str, delay_s: int) -> None:
        if self._away:
            raise ServiceUnavailableError("away")
        self.delays.append((receipt_handle, delay_s))


def message(receives: int) -> QueueMessage:
    return QueueMessage("{}", "receipt", receives, lambda: 60.0)


def fail(error: Exception, receives: int, queue: Queue) -> None:
    with postpone_failures(message(receives), queue):  # type: ignore[arg-type]  # plays the queue
        raise error


def test_done_work_changes_nothing():
    queue = Queue()
    with postpone_failures(message(1), queue):  # type: ignore[arg-type]
        pass
    assert queue.delays == []


def test_who_waits_for_another_asks_soon_and_then_when_that_must_have_ended():
    queue = Queue()
    for receives in (1, 2, 3, 4, 5):
        with pytest.raises(RetryLaterError):
            fail(JobBusyError("busy", {"retry_after_s": 600}), receives, queue)

    assert queue.delays == [("receipt", delay_s) for delay_s in (5, 15, 601, 601, 601)]


def test_nobody_waits_for_longer_than_the_other_can_take():
    queue = Queue()
    with pytest.raises(RetryLaterError):
        fail(JobBusyError("busy", {"retry_after_s": 2}), 2, queue)

    assert queue.delays == [("receipt", 3)]


def test_a_fault_is_raised_and_tried_again_soon_twice_and_then_at_the_queues_pace():
    queue = Queue()
    for receives in (1, 2, 3, 4, 5):
        with pytest.raises(KeyError):
            fail(KeyError("x"), receives, queue)

    assert [delay_s for _, delay_s in queue.delays] == [5, 30]


@pytest.mark.parametrize(
    ("error", "raised"), [(JobBusyError("b", {"retry_after_s": 1}), RetryLaterError), (KeyError("x"), KeyError)]
)
def test_a_queue_that_is_away_hides_no_error(error, raised):
    with pytest.raises(raised):
        fail(error, 1, Queue(away=True))
