"""Lets a process end with the one that started it, however that one ends."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time

PR_SET_PDEATHSIG = 1  # linux/prctl.h
POLL_SECONDS = 1.0
# For what is in hand to come to its end.
PATIENCE_SECONDS = 10.0


def end_with_parent(parent: int, *, insists: bool = False) -> None:
    """From now on this process gets SIGTERM when the process `parent` is gone, even by kill -9.

    Call it in the main thread of the child; `parent` is its parent's process id. With `insists` the
    signal comes again every PATIENCE_SECONDS: a handler that raises SystemExit does so in vain
    while Python runs something that may not fail, such as a finalizer. A process that forks should
    not insist: that takes a thread.
    """
    on_linux = sys.platform == "linux"
    if on_linux:
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if insists or not on_linux:
        threading.Thread(target=_watch, args=[parent], daemon=True, name="parent").start()
    if os.getppid() != parent:  # it went before we could ask
        os.kill(os.getpid(), signal.SIGTERM)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(POLL_SECONDS)
    if sys.platform == "linux":
        time.sleep(PATIENCE_SECONDS)  # it had its first
    while True:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(PATIENCE_SECONDS)
