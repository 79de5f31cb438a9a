"""Workers that make batches ahead, in threads or processes, and hand them over in order.

One desk gives out the jobs and collects what was made. Threads work at it; where processes are
wanted, each thread talks to one of them over a pipe. What a worker raises is raised where its
batch was due; a worker that dies or gives nothing in time is an error too, and ends all others.
Nothing is shared in memory between processes, so nothing of it can be left behind.
"""

from __future__ import annotations

import hashlib
import itertools
import multiprocessing
import os
import pickle
import signal
import threading
import time
import traceback
import weakref
from collections.abc import Callable, Generator, Iterator
from functools import partial
from multiprocessing import connection
from typing import Any

import numpy as np

END = object()  # what stands for "there is no more"
_PATIENCE = 1.0  # seconds that a worker has to finish when nobody wants its batch any more
_PREFIX = "multikeras-data"
# A connection copies what it reads twice; large arrays go past it where a system allows that.
_DIRECT = hasattr(os, "readv")


class WorkerError(RuntimeError):
    """A worker process died, or could not begin; also tells the traceback of one that raised."""


class WorkerTimeoutError(WorkerError, TimeoutError):
    """A worker gave no batch in time."""


class _Late(Exception):
    """The job of this number is not done in time."""


class Desk:
    """Gives out numbered jobs, and hands over what was made of them in the same order.

    Args:
        jobs: what there is to do.
        ahead: how many jobs may be begun whose results were not handed over.
        limit: how many jobs may be begun at all; None: every one.
    """

    def __init__(self, jobs: Iterator[Any], ahead: int, limit: int | None = None) -> None:
        self._changed = threading.Condition()
        self._jobs = jobs
        self._ahead = ahead
        self._limit = limit
        self._begun = self._handed = 0
        self._done: dict[int, tuple[bool, Any]] = {}
        self._total: int | None = None
        self._closed = False

    def take(self) -> tuple[int, Any] | None:
        """The next job and its number, as soon as it may begin; None: there is none left."""
        with self._changed:
            while not self._may_begin():
                if self._closed or self._total is not None:
                    return None
                self._changed.wait()
            job = next(self._jobs, END)
            if job is END:
                self._ended(self._begun)
                return None
            self._begun += 1
            return self._begun - 1, job

    def _may_begin(self) -> bool:
        if self._closed or self._total is not None:
            return False
        if self._limit is not None and self._begun >= self._limit:
            return False
        return self._begun - self._handed < self._ahead

    def put(self, number: int, value: Any, good: bool = True) -> None:
        """Takes what was made of a job, or the exception that it ended with."""
        with self._changed:
            if not self._closed:
                self._done[number] = (good, value)
                self._changed.notify_all()

    def end(self, number: int) -> None:
        """Says that there is nothing from the job of that number on."""
        with self._changed:
            self._ended(number)

    def _ended(self, number: int) -> None:
        self._total = number if self._total is None else min(number, self._total)
        self._changed.notify_all()

    def due(self, timeout: float | None = None) -> Any:
        """What was made of the next job; `END` after the last one.

        Raises:
            _Late: if it is not there in time; else what the worker raised.
        """
        with self._changed:
            number = self._handed
            latest = None if timeout is None else time.monotonic() + timeout
            while number not in self._done:
                if self._total is not None and number >= self._total:
                    return END
                left = None if latest is None else latest - time.monotonic()
                if left is not None and left <= 0:
                    raise _Late(number)
                self._changed.wait(left)
            good, value = self._done.pop(number)
            self._handed += 1
            self._changed.notify_all()
        if good:
            return value
        raise value

    def allow(self, count: int | None) -> None:
        """Lets `count` jobs more begin than were handed over; None: any number."""
        with self._changed:
            self._limit = None if count is None else self._handed + count
            self._changed.notify_all()

    def close(self) -> None:
        """Sends the workers home."""
        with self._changed:
            self._closed = True
            self._done.clear()
            self._changed.notify_all()


def _work(desk: Desk, make: Callable[[Any], Any]) -> None:
    """What a worker thread does: one job after the other, until there is none."""
    while (task := desk.take()) is not None:
        number, job = task
        try:
            made = make(job)
        except BaseException as error:
            desk.put(number, error, good=False)
            return
        if made is END:
            desk.end(number)
            return
        desk.put(number, made)
        del made


def start_threads(desk: Desk, makers: list[Callable[[Any], Any]]) -> list[threading.Thread]:
    """Sets a thread to work for each of `makers`."""
    threads = [
        # Daemons: a worker that is stuck must not keep the program from ending.
        threading.Thread(target=_work, args=(desk, make), name=f"{_PREFIX}-{i}", daemon=True)
        for i, make in enumerate(makers)
    ]
    for thread in threads:
        thread.start()
    return threads


def _all_home(threads: list[threading.Thread], patience: float) -> bool:
    """Waits a while for threads to end; whether they did."""
    latest = time.monotonic() + patience
    for thread in threads:
        if thread is not threading.current_thread():
            thread.join(max(0.0, latest - time.monotonic()))
    return not any(thread.is_alive() for thread in threads)


def made_ahead(
    dataset: Any,
    jobs: Iterator[int],
    workers: int,
    ahead: int,
    timeout: float | None = None,
    crew: Crew | None = None,
) -> Generator[Any, None, None]:
    """The batches of a dataset by their numbers, made by several workers, in order.

    Args:
        dataset: has `__getitem__`.
        jobs: the numbers of the batches.
        workers: how many.
        ahead: how many batches are made before they are wanted, at most.
        timeout: seconds to wait for one batch; None: for ever.
        crew: processes to work in; None: threads.

    Raises:
        WorkerTimeoutError: if a batch doesn't come in time.
        WorkerError: if a worker process dies.
    """
    makers = [dataset.__getitem__] * workers if crew is None else crew.makers(dataset)
    desk = Desk(jobs, max(ahead, 1))
    threads = start_threads(desk, makers)
    well = False
    try:
        while (made := desk.due(timeout)) is not END:
            yield made
            del made
        well = True
    except GeneratorExit:
        well = True
        raise
    except _Late as late:
        raise WorkerTimeoutError(
            f"{type(dataset).__name__}: no worker gave the next batch (the {late.args[0] + 1}. of "
            f"this pass) within {timeout:g} seconds; it stalls, or needs longer: then give the "
            "dataset a larger `timeout` in seconds, or None to wait for ever."
        ) from None
    finally:
        desk.close()
        if crew is None:
            _all_home(threads, _PATIENCE if well else 0.1)
        elif not (well and _all_home(threads, _PATIENCE)):
            crew.close()
            _all_home(threads, _PATIENCE)


class ReadAhead:
    """An iterator read by a thread ahead of its use; what was read and not used is kept.

    Args:
        iterator: what is read, from that thread only.
        ahead: how many items are read before they are wanted, at most.
    """

    def __init__(self, iterator: Iterator[Any], ahead: int) -> None:
        self._desk = Desk(itertools.repeat(None), max(ahead, 1), limit=0)
        self._make = partial(_next_of, iterator)
        self._begun = False
        self._finalizer = weakref.finalize(self, self._desk.close)

    def __iter__(self) -> ReadAhead:
        return self

    def __next__(self) -> Any:
        if not self._begun:
            self._begun = True
            start_threads(self._desk, [self._make])
        item = self._desk.due()
        if item is END:
            raise StopIteration
        return item

    def allow(self, count: int | None) -> None:
        """Lets `count` more items be read than have been used; None: any number."""
        self._desk.allow(count)

    def close(self) -> None:
        """Ends the thread; what it has read is lost."""
        self._finalizer()


def _next_of(iterator: Iterator[Any], _: Any) -> Any:
    return next(iterator, END)


class Crew:
    """Worker processes, which stay for several passes over a dataset.

    They are started afresh (threads that frameworks started do not survive a fork), get the
    dataset pickled, and get it anew when it has changed since the last pass.

    Args:
        workers: how many.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._remotes: list[_Remote] = []
        self._finalizer = weakref.finalize(self, _dismiss, self._remotes, os.getpid())

    def makers(self, dataset: Any) -> list[Callable[[int], Any]]:
        """For each process a function that has it make the batch of a number.

        Raises:
            ValueError: if the dataset can't be pickled.
        """
        try:
            parcel = _Parcel(dataset)
        except Exception as error:
            raise ValueError(
                f"{type(dataset).__name__}: worker processes need a dataset that can be pickled, "
                f"but: {error}. Use threads (`use_multiprocessing=False`), or keep open files, "
                "locks and local functions out of the dataset."
            ) from error
        if not all(remote.alive() for remote in self._remotes):
            self.close()
        while len(self._remotes) < self._workers:
            self._remotes.append(_Remote(len(self._remotes)))
        return [partial(remote.make, parcel) for remote in self._remotes]

    def close(self) -> None:
        """Ends the processes. The next pass starts new ones."""
        _dismiss(self._remotes, os.getpid())


class _Parcel:
    """A pickled dataset."""

    def __init__(self, dataset: Any) -> None:
        self.content = pickle.dumps(dataset, protocol=5)
        self.digest = hashlib.blake2b(self.content, digest_size=16).digest()
        self.name = type(dataset).__name__


class _Remote:
    """A worker process, seen from here."""

    def __init__(self, number: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._line, there = context.Pipe()
        self._digest: bytes | None = None
        self.dismissed = False
        self.process = context.Process(
            target=_serve, args=(there,), name=f"{_PREFIX}-{number}", daemon=True
        )
        try:
            self.process.start()
        finally:
            there.close()

    def alive(self) -> bool:
        return self.process.is_alive()

    def make(self, parcel: _Parcel, index: int) -> Any:
        """Has the process make a batch.

        Raises:
            WorkerError: if the process dies; else what the dataset raised.
        """
        try:
            error, made = None, None
            if self._digest != parcel.digest:
                self._line.send_bytes(b"")
                self._line.send_bytes(parcel.content)
                error, made = _received(self._line)
            if error is None:
                self._digest = parcel.digest
                self._line.send_bytes(str(int(index)).encode())
                error, made = _received(self._line)
        except (EOFError, OSError):
            if not self.dismissed:
                self.process.join(_PATIENCE)
            raise WorkerError(self._obituary(parcel.name, index)) from None
        if error is not None:
            raise error from WorkerError(f"in a worker process:\n{made}")
        return made

    def _obituary(self, name: str, index: int) -> str:
        code = self.process.exitcode
        if code is None:
            how = "closed its end of the line"
        elif code < 0:
            how = f"was ended by signal {_signal_name(-code)}"
        else:
            how = f"ended with exit code {code}"
        told = f"{name}: a worker process {how} while it made batch {index}."
        if self._digest is None:
            told += (
                " It had not begun yet: does the program start its work under "
                '`if __name__ == "__main__":`, and can its modules be imported?'
            )
        return told


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


def _dismiss(remotes: list[_Remote], owner: int) -> None:
    """Ends processes: by a word, then by force."""
    leaving, remotes[:] = remotes[:], []
    if os.getpid() != owner:  # a forked copy of the program: they are not its processes
        return
    for remote in leaving:
        remote.dismissed = True
        remote.process.terminate()
    latest = time.monotonic() + _PATIENCE
    for remote in leaving:
        remote.process.join(max(0.0, latest - time.monotonic()))
        if remote.process.is_alive():
            remote.process.kill()
            remote.process.join()


# -- inside a worker process ---------------------------------------------------------------


def _serve(line: connection.Connection) -> None:
    """What a worker process does: adopts datasets and makes batches until the line is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is the main program's business
    threading.Thread(target=_end_with_parent, daemon=True).start()
    dataset: Any = None
    try:
        while True:
            order = line.recv_bytes()
            try:
                if not order:
                    dataset = pickle.loads(line.recv_bytes())
                message = _packed(dataset[int(order)] if order else None)
            except BaseException as error:
                message = _packed_error(error)
            _send(line, message)
            del message
    except (EOFError, OSError):
        pass  # nobody listens any more


def _end_with_parent() -> None:
    """Ends this process when the one that started it is gone, whatever it is doing."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _packed(made: Any) -> tuple[bytes, list[memoryview]]:
    """A batch as a pickle, and the arrays' bytes beside it, uncopied."""
    buffers: list[pickle.PickleBuffer] = []
    content = pickle.dumps((None, made), protocol=5, buffer_callback=buffers.append)
    return content, [buffer.raw() for buffer in buffers]


def _packed_error(error: BaseException) -> tuple[bytes, list[memoryview]]:
    text = "".join(traceback.format_exception(error)).rstrip()
    try:
        content = pickle.dumps((error, text), protocol=5)
        pickle.loads(content)
    except Exception:  # an exception of a kind that doesn't survive the journey
        content = pickle.dumps((WorkerError(f"{type(error).__name__}: {error}"), text), protocol=5)
    return content, []


# -- the line ------------------------------------------------------------------------------


def _send(line: connection.Connection, message: tuple[bytes, list[memoryview]]) -> None:
    content, raw = message
    line.send_bytes(pickle.dumps([len(buffer) for buffer in raw]))
    line.send_bytes(content)
    for left in raw:
        if not _DIRECT:
            line.send_bytes(left)
            continue
        while left:
            left = left[os.write(line.fileno(), left) :]


def _received(line: connection.Connection) -> tuple[BaseException | None, Any]:
    """A worker process's answer: None and what it made, or what it raised and the traceback."""
    sizes = pickle.loads(line.recv_bytes())
    content = line.recv_bytes()
    buffers = [np.empty(size, np.uint8) for size in sizes]
    for buffer in buffers:
        left = memoryview(buffer.data)
        if not _DIRECT:
            line.recv_bytes_into(left)
            continue
        while left:
            count = os.readv(line.fileno(), [left])
            if not count:
                raise EOFError
            left = left[count:]
    return pickle.loads(content, buffers=buffers)
