"""Workers that raise, die, stall or are not wanted any more: how a pass ends, and what is left."""

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from multikeras import data
from multikeras.data import workers

PROGRAM = Path(__file__).with_name("worker_program.py")


def told_by(scenario, kind):
    ended = subprocess.run(
        [sys.executable, PROGRAM, scenario, kind], capture_output=True, text=True, timeout=500
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.strip().splitlines()[-1])


# Scenario: the kind of error, what it says, what its cause says.
PROCESSES = {
    "is fine": (None, "", ""),
    "raises": ("KeyError", "this batch is missing", "in __getitem__\n"),
    "raises what cannot be pickled": ("WorkerError", "Odd: odd", "in __getitem__\n"),
    "exits": ("WorkerError", "ended with exit code 3 while it made batch 3", ""),
    "is killed": ("WorkerError", "ended by signal SIGKILL while it made batch 3", ""),
    "stalls": ("TimeoutError", "within 6 seconds.* larger `timeout`", ""),
    "is interrupted": ("KeyboardInterrupt", "", ""),
    "is stopped early": (None, "", ""),
    "is collected": (None, "", ""),
    "cannot be pickled": ("ValueError", "Batches: worker processes need a dataset", "lock"),
}
QUICK = ("raises", "is killed")


@pytest.mark.parametrize(
    "scenario", [s if s in QUICK else pytest.param(s, marks=pytest.mark.slow) for s in PROCESSES]
)
def test_training_with_worker_processes(scenario):
    kind, message, cause = PROCESSES[scenario]
    told = told_by(scenario, "processes")
    assert (told["kinds"][:1] == []) == (kind is None), told
    assert kind is None or kind in told["kinds"], told
    assert message.split(".*")[0] in (told["error"] or ""), told
    assert cause in (told["cause"] or ""), told
    assert (told["children"], told["threads"], told["shared memory"]) == (0, 0, 0), told
    assert not told.get("children while the error is handled"), told
    assert (
        told["seconds"] < 400
    )  # a worker that stalls does so for 600; a framework is slow to start


@pytest.mark.slow
def test_processes_end_with_the_program_however_it_ends():
    program = subprocess.Popen(
        [sys.executable, PROGRAM, "loses its parent", "processes"], stdout=subprocess.PIPE
    )
    pids = json.loads(program.stdout.readline())
    assert len(pids) == 2
    program.kill()
    program.wait()
    program.stdout.close()
    latest = time.monotonic() + 20
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        assert time.monotonic() < latest, "workers outlive the program"
        time.sleep(0.1)


class Dataset(data.PyDataset):
    """Batches whose making may wait for an event, or fail."""

    def __init__(self, count=6, hold=None, **kwargs):
        super().__init__(**{"workers": 2} | kwargs)
        self.count, self.hold = count, hold
        self.made = []

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        self.made.append(index)
        if self.hold is not None and index == 2:
            self.hold.wait(20)
        return np.full((1, 1), index, "float32")


def workers_alive():
    return [t for t in threading.enumerate() if t.name.startswith("multikeras-data")]


def firsts(batches):
    return [int(x[0, 0]) for x, _, _ in batches]


def test_a_thread_that_stalls_is_a_timeout():
    event = threading.Event()
    batches = data.make_source(Dataset(hold=event, timeout=0.2)).epoch()
    assert firsts(itertools.islice(batches, 2)) == [0, 1]
    with pytest.raises(TimeoutError, match=r"Dataset: no worker gave .* 3\. of .* 0\.2 seconds"):
        next(batches)
    event.set()
    for thread in workers_alive():
        thread.join(5)
    assert not workers_alive()


def test_without_a_timeout_a_slow_worker_is_waited_for():
    event = threading.Event()
    batches = data.make_source(Dataset(hold=event, timeout=None)).epoch()
    threading.Timer(0.3, event.set).start()
    assert firsts(batches) == [0, 1, 2, 3, 4, 5]


def test_threads_end_with_the_pass_whoever_ends_it():
    source = data.make_source(Dataset(count=50, max_queue_size=2))
    list(source.epoch())
    assert not workers_alive()
    batches = source.epoch()
    next(batches)
    assert workers_alive()
    del batches
    assert not workers_alive()
    batches = source.epoch()
    next(batches)
    source.close()
    assert not workers_alive() and list(batches) == []


def test_no_more_batches_are_made_ahead_than_asked_for():
    dataset = Dataset(count=50, max_queue_size=4)
    batches = data.make_source(dataset).epoch()
    next(batches)
    time.sleep(0.1)
    assert len(dataset.made) == 5


@pytest.mark.parametrize(
    ("own", "given", "expected"),
    [
        ({"workers": 3}, {}, (3, False, 10)),
        ({"workers": 3}, {"workers": 2}, (2, False, 10)),
        ({"workers": 3}, {"workers": 0}, (0, False, 10)),
        ({"max_queue_size": 5}, {}, (2, False, 5)),
        ({"max_queue_size": 5}, {"max_queue_size": 3}, (2, False, 3)),
        ({"use_multiprocessing": True}, {}, (2, True, 10)),
        ({}, {"use_multiprocessing": True}, (2, True, 10)),
    ],
)
def test_settings_of_the_dataset_and_arguments(own, given, expected, monkeypatch):
    seen = {}

    def spy(dataset, jobs, workers, ahead, timeout, crew):
        seen.update(made=(workers, crew is not None, ahead))
        return (dataset[job] for job in jobs)

    monkeypatch.setattr("multikeras.data.py_dataset.made_ahead", spy)
    assert firsts(data.make_source(Dataset(**own), **given).epoch()) == list(range(6))
    assert seen.get("made", (0, False, 10)) == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"workers": -1}, "`workers` must be an integer of at least 0, got -1"),
        ({"workers": 1.5}, "`workers` must be an integer"),
        ({"max_queue_size": 0}, "`max_queue_size` must be an integer of at least 1, got 0"),
    ],
)
def test_numbers_that_mean_nothing(arguments, message):
    with pytest.raises(ValueError, match=message):
        data.make_source(Dataset(), **arguments)
    with pytest.raises(ValueError, match=message):
        data.PyDataset(**arguments)


def test_a_timeout_must_be_positive():
    with pytest.raises(ValueError, match="`timeout` must be a positive number"):
        data.PyDataset(timeout=0)


# -- generators ----------------------------------------------------------------------------


def numbers(count, made=None):
    for i in range(count):
        if made is not None:
            made.append((i, threading.current_thread().name))
        yield np.full((1, 1), i, "float32")


@pytest.mark.parametrize("arguments", [{}, {"workers": 0}, {"workers": 0, "max_queue_size": 3}])
def test_a_generator_is_read_by_the_main_thread(arguments):
    made = []
    source = data.make_source(numbers(3, made), **arguments)
    next(source.epoch())
    assert made == [(0, "MainThread")]


@pytest.mark.parametrize("arguments", [{"workers": 2}, {"workers": 4}, {"max_queue_size": 3}])
def test_a_generator_read_ahead(arguments):
    made = []
    source = data.make_source(numbers(20, made), **arguments)
    batches = source.epoch()
    next(batches)
    time.sleep(0.1)
    assert len(made) == 1 + arguments.get("max_queue_size", 10)
    assert firsts(batches) == list(range(1, 20))
    assert {name for _, name in made} == {"multikeras-data-0"}
    assert source.exhausted and not workers_alive()


def test_reading_ahead_loses_nothing_between_epochs():
    made = []
    source = data.make_source(numbers(8, made), steps=3, workers=2)
    assert firsts(source.epoch()) == [0, 1, 2]
    time.sleep(0.05)
    assert len(made) == 3  # nothing that nobody may want
    assert firsts(itertools.islice(source.epoch(), 1)) == [3]
    assert firsts(source.epoch()) == [4, 5, 6]
    with pytest.warns(UserWarning, match="ran out"):
        assert firsts(source.epoch()) == [7]


def test_a_generator_that_raises_while_read_ahead():
    def broken():
        yield from numbers(2)
        raise KeyError("no more")

    batches = data.make_source(broken(), workers=2).epoch()
    assert firsts(itertools.islice(batches, 2)) == [0, 1]
    with pytest.raises(KeyError, match="no more"):
        next(batches)


def test_a_generator_with_processes_gets_a_thread_and_a_warning():
    with pytest.warns(UserWarning, match="can't be sent to another process"):
        source = data.make_source(numbers(3), use_multiprocessing=True)
    assert firsts(source.epoch()) == [0, 1, 2]


def test_the_reading_thread_ends_with_its_source():
    source = data.make_source(itertools.cycle([np.ones((1, 1))]), workers=2, steps=-1)
    next(source.epoch())
    threads = workers_alive()
    del source
    for thread in threads:
        thread.join(5)
    assert threads and not workers_alive()


# -- worker processes, one by one ----------------------------------------------------------


@pytest.mark.slow
def test_processes_stay_for_the_next_pass_and_get_what_has_changed():
    crew = workers.Crew(1)
    try:
        (make,) = crew.makers([10, 11])
        assert make(1) == 11
        pid = crew._remotes[0].process.pid
        (make,) = crew.makers([20])
        assert make(0) == 20 and crew._remotes[0].process.pid == pid
        with pytest.raises(IndexError) as error:
            make(5)
        assert "in a worker process" in str(error.value.__cause__)
        assert make(0) == 20  # it lives on
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(workers.WorkerError, match="signal SIGKILL"):
            make(0)
        (make,) = crew.makers([30])
        assert make(0) == 30 and crew._remotes[0].process.pid != pid
    finally:
        crew.close()
    assert not crew._remotes


@pytest.mark.slow
def test_large_arrays_arrive_whole_and_writable():
    crew = workers.Crew(1)
    try:
        sent = {"a": np.arange(300_000.0), "b": [np.zeros((0, 3)), np.array(["x"]), None]}
        (make,) = crew.makers([sent])
        got = make(0)
    finally:
        crew.close()
    np.testing.assert_array_equal(got["a"], sent["a"])
    assert got["b"][0].shape == (0, 3) and got["b"][1].tolist() == ["x"]
    got["a"] += 1
