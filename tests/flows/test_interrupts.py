"""Ctrl-C that a library swallows ends the work before the next step."""

import os
import signal
import threading
from contextlib import suppress

import pytest

from iface_wf.interrupts import end_if_interrupted, interrupts_noted


def swallow_ctrl_c():
    with suppress(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)


def test_a_swallowed_interrupt_is_raised_again_once():
    with interrupts_noted():
        end_if_interrupted()  # nothing was typed
        swallow_ctrl_c()
        with pytest.raises(KeyboardInterrupt):
            end_if_interrupted()
        end_if_interrupted()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


class Finalised:
    def __init__(self, error):
        self.error = error

    def __del__(self):
        if self.error is KeyboardInterrupt:
            os.kill(os.getpid(), signal.SIGINT)
            sum(range(1000))  # somewhere here Python looks for signals
        else:
            raise self.error


@pytest.mark.parametrize(("error", "told"), [(KeyboardInterrupt, []), (ValueError, [ValueError])])
def test_one_in_a_finaliser_ends_the_work_and_is_no_traceback(monkeypatch, error, told):
    said = []
    monkeypatch.setattr("sys.unraisablehook", lambda swallowed: said.append(swallowed.exc_type))
    with interrupts_noted():
        Finalised(error)
        if error is KeyboardInterrupt:
            with pytest.raises(KeyboardInterrupt):
                end_if_interrupted()
    assert said == told


def test_one_that_was_heard_is_not_left_for_the_next_command():
    with pytest.raises(KeyboardInterrupt), interrupts_noted():
        os.kill(os.getpid(), signal.SIGINT)
    end_if_interrupted()


def test_threads_and_handlers_of_others_are_left_alone():
    thread = threading.Thread(target=lambda: interrupts_noted().__enter__())
    thread.start()
    thread.join()
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interrupts_noted():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
