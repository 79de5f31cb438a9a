"""A program that trains with worker processes or threads, which fail in some way.

Usage: `python worker_program.py SCENARIO {processes|threads}`. Says as JSON how the training ended
and what was left behind. A program of its own: worker processes start from a file that guards its
entry point.
"""

import gc
import json
import multiprocessing
import os
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np

import multikeras as keras
from multikeras.data import make_source

BROKEN_BATCH = 3


class Batches(keras.utils.PyDataset):
    def __init__(self, scenario, **kwargs):
        super().__init__(workers=2, **kwargs)
        self.scenario = scenario
        if scenario == "cannot be pickled":
            self.lock = threading.Lock()

    def __len__(self):
        return 8

    def __getitem__(self, index):
        if index == BROKEN_BATCH:
            misbehave(self.scenario)
        return np.full((4, 2), index, "float32"), np.zeros((4, 1), "float32")


class Odd(Exception):
    def __init__(self, one, two):
        super().__init__(one)


def misbehave(scenario):
    if scenario == "raises":
        raise KeyError("this batch is missing")
    if scenario == "raises what cannot be pickled":
        raise Odd("odd", threading.Lock())
    if scenario == "exits":
        os._exit(3)
    if scenario == "is killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if scenario in ("stalls", "is interrupted", "loses its parent"):
        if multiprocessing.parent_process() is not None:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)  # one that has to be killed
        time.sleep(600)


class StopAfterTwo(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if batch == 1:
            self.model.stop_training = True


class InterruptAfterThree(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if batch == BROKEN_BATCH - 1:
            for delay in (0.3, 0.6):  # the first one waits for the step to end
                threading.Timer(delay, os.kill, (os.getpid(), signal.SIGINT)).start()


CALLBACKS = {"is stopped early": StopAfterTwo, "is interrupted": InterruptAfterThree}


def children():
    """Processes that this one started, but for Python's own resource tracker."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
            line = path.with_name("cmdline").read_text()
        except OSError:
            continue
        if parent == os.getpid() and "resource_tracker" not in line:
            found.append(int(path.parent.name))
    return found


def segments():
    """The shared memory of this machine, by name."""
    return set(os.listdir("/dev/shm")) if os.path.isdir("/dev/shm") else set()


def run(scenario, processes):
    timeout = 6.0 if scenario == "stalls" else 300.0
    dataset = Batches(scenario, use_multiprocessing=processes, timeout=timeout)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", run_eagerly=True)
    callbacks = [CALLBACKS[scenario]()] if scenario in CALLBACKS else []
    if scenario == "loses its parent":
        batches = make_source(dataset).epoch()
        next(batches)
        print(json.dumps(children()), flush=True)
        time.sleep(60)
    if scenario == "is collected":
        batches = make_source(dataset).epoch()
        next(batches)
        del batches
        gc.collect()
        return
    model.fit(dataset, epochs=2, verbose=0, shuffle=False, callbacks=callbacks)
    if scenario == "is fine":
        model.predict(dataset, verbose=0, steps=2)


def main():
    scenario, processes = sys.argv[1], sys.argv[2] == "processes"
    shared_memory = segments()
    threads = threading.active_count()
    told = {"error": None, "cause": None, "kinds": []}
    began = time.monotonic()
    try:
        run(scenario, processes)
    except BaseException as error:
        told["error"] = str(error)
        told["kinds"] = [cls.__name__ for cls in type(error).__mro__]
        told["cause"] = str(error.__cause__)
        told["children while the error is handled"] = len(children())
    told["seconds"] = time.monotonic() - began
    told["children"] = len(children())
    told["threads"] = threading.active_count() - threads
    told["shared memory"] = len(segments() - shared_memory)
    print(json.dumps(told))


if __name__ == "__main__":
    main()
