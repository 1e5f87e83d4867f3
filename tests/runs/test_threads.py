import threading

from movielens_recsys.runs.threads import StoppableThread, Wait


def test_the_work_goes_on_until_it_is_stopped() -> None:
    turns, worked_twice = [], threading.Event()

    def work(wait: Wait) -> None:
        while not wait(0.001):
            turns.append(1)
            if len(turns) == 2:
                worked_twice.set()

    thread = StoppableThread("test", work)
    thread.start()
    assert worked_twice.wait(10)
    thread.stop()
    assert not any(other.name == "test" for other in threading.enumerate())
