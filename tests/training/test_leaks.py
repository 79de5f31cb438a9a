"""Models that are made, trained and forgotten leave nothing behind."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("leaks_program.py")
ROUNDS = 200
# Allocators keep what they got in arenas: between equal rounds the memory goes up and down by a
# few MB. One kernel of 1 kB kept by each of 200 rounds would not be seen here, but in the objects.
SLACK_MB = 10.0
OBJECTS = ROUNDS // 2  # less than one a round


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads Linux's process files")
def test_two_hundred_rounds_leave_the_memory_flat():
    ended = subprocess.run(
        [sys.executable, PROGRAM, str(ROUNDS)], capture_output=True, text=True, timeout=600
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    told = json.loads(ended.stdout.strip().splitlines()[-1])
    assert told["memory"][-1] - told["memory"][0] < SLACK_MB, told
    assert told["objects"][-1] - told["objects"][0] < OBJECTS, told
