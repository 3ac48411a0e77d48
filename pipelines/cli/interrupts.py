"""End the command at once when the user presses Ctrl-C or the system asks it to end, whatever it is doing. Imports nothing heavy.

A thread waits for the signal, so that neither a library that handles signals by itself nor a long calculation delays the end. Nothing has to
be tidied up: a run may be killed at any moment, and the next one removes what it left.
"""

from __future__ import annotations

import os
import signal
import threading

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def end_at_once() -> None:
    """End this process with "interrupted" and the exit code 130 or 143 as soon as SIGINT or SIGTERM arrives. Signals that are ignored stay so."""
    if threading.current_thread() is not threading.main_thread():
        return
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    handled = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    for number in handled:
        signal.signal(number, lambda *_: None)  # with a handler, Python writes the number of the signal to the pipe
    former = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    if former != -1:
        os.close(former)  # the command was started by another entry point that had called this
    threading.Thread(target=_wait, args=(reading, set(handled)), daemon=True).start()


def leave_to_the_command() -> None:
    """Let the command end by itself, as servers do: they finish the responses that they have begun."""
    for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGTERM, signal.SIG_DFL)):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)
    signal.set_wakeup_fd(-1)


def _wait(reading: int, handled: set[signal.Signals]) -> None:
    while content := os.read(reading, 1):
        if content[0] in handled:
            text = b"interrupted\n"
            os.write(2, b"\r\x1b[?25h" + text if os.isatty(2) else text)  # a progress display has hidden the cursor
            os._exit(128 + content[0])
