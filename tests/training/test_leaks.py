"""Models that are made, trained and forgotten leave nothing behind; loops neither."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("leaks_program.py")
# Allocators keep what they got in arenas: between equal rounds the memory goes up and down by a
# few MB. What is too small to be seen in it by 200 rounds is seen in the number of objects.
SLACK_MB = 10.0

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="reads Linux's process files"
)


def growth(what, rounds):
    """By how much memory (MB) and objects grew over the rounds but for the first tenth."""
    ended = subprocess.run(
        [sys.executable, PROGRAM, what, str(rounds)], capture_output=True, text=True, timeout=600
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    told = json.loads(ended.stdout.strip().splitlines()[-1])
    memory, objects = told["memory"], told["objects"]
    # Compilers' and allocators' own stores fill up in the first rounds: they warm up.
    return memory[-1] - memory[1], objects[-1] - objects[1], told


@pytest.mark.slow
def test_two_hundred_rounds_leave_the_memory_flat():
    rounds = 200
    memory, objects, told = growth("models", rounds)
    assert memory < SLACK_MB, told
    assert objects < rounds / 2, told  # less than one a round


def test_loops_keep_nothing_of_their_bodies():
    rounds = 20
    memory, objects, told = growth("loops", rounds)
    assert memory < SLACK_MB, told
    assert objects < 10 * rounds, told
