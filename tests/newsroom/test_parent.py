"""A process that ends with its parent."""

from __future__ import annotations

import subprocess
import sys

import pytest

from newsletter.management.parent import PATIENCE_SECONDS
from tests.newsroom.instance import ROOT

# Swallows its first SIGTERM, as Python does with a SystemExit that is raised within a finalizer.
_CHILD = """
import os, signal, time
from newsletter.management.parent import end_with_parent
def lose(signum, frame):
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
signal.signal(signal.SIGTERM, lose)
end_with_parent(os.getppid(), insists=True)
print("ready", flush=True)
while True:
    time.sleep(0.1)
"""
_PARENT = """
import subprocess, sys
subprocess.run([sys.executable, "-c", sys.argv[1]])
"""


@pytest.mark.processes
def test_a_child_that_lost_its_first_signal_ends_with_a_killed_parent_all_the_same() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, _CHILD], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == "ready\n"
    parent.kill()
    # The child holds the pipe's other end: this is read to its end when it is gone.
    assert parent.communicate(timeout=PATIENCE_SECONDS + 20)[0] == ""
