"""What the processes of a crew do: functions that are called with a `Job` and plain values; the result is sent back."""

import itertools
import os
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from statewatch.conformance.crew import Job
from statewatch.conformance.place import held, number, one_more, save_all, swap
from statewatch.conformance.threads import added
from statewatch.core.errors import LockedError, RefusedError, UnknownOutcomeError
from statewatch.core.stores.base import Store
from statewatch.core.stores.transaction import Transaction
from statewatch.documents.values import JSON


def ready(job: Job) -> int:
    """Open the store; say which process this is."""
    job.store.load("nothing", None)
    return os.getpid()


def increment(job: Job, times: int, key: str = "count") -> None:
    """Add one to a number, so many times."""
    for _ in range(times):
        job.store.update(key, one_more, 0)


def increment_surely(job: Job, times: int) -> tuple[int, int]:
    """Add one to a number, so many times; return how often that was confirmed, and how often it is not known."""
    sure = unsure = 0
    for turn in range(times):
        try:
            job.store.update("count", one_more, 0)
            sure += 1
        except UnknownOutcomeError:
            unsure += 1
        if turn == 5:
            job.say("at work")
    return sure, unsure


def increment_own(job: Job, me: int, times: int) -> None:
    """Add one to a number of my own."""
    increment(job, times, f"count of {me}")


def increment_in_threads(job: Job, threads: int, times: int) -> None:
    """Add one to a number from several threads that share the store."""
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(increment, job, times) for _ in range(threads)]:
            done.result()


def increment_until_told(job: Job) -> int:
    """Add one to a number until the test says stop by saving it; say how often."""
    for times in itertools.count():
        if job.store.load("stop", False):
            return times
        job.store.update("count", one_more, 0)
    raise AssertionError


def increment_slowly(job: Job, times: int, think: float) -> None:
    """Add one to a number, and think in between reading and writing."""

    def change(value: JSON) -> JSON:
        time.sleep(think)
        return one_more(value)

    for _ in range(times):
        job.store.update("count", change, 0)


def increment_by_swapping(job: Job, times: int) -> int:
    """Add one to a number by compare-and-swap; say how often it was too late."""
    conflicts = 0
    while times:
        revision = job.store.snapshot()
        assert isinstance(revision.document, dict)
        count = number(revision.document.get("count", 0))
        if swap(job.store, revision.digest, "count", count + 1):
            times -= 1
        else:
            conflicts += 1
    return conflicts


def begin_namespaces(job: Job, me: int, burst: int) -> None:
    """Be one of those who write into a namespace that does not exist yet."""
    with job.open(f"burst{burst}", 60.0) as store:
        store.update("count", one_more, 0)
        store.save(f"from {me}", me)


def append(job: Job, me: int, times: int) -> None:
    """Append to a list that all share."""
    for turn in range(times):
        job.store.update("list", partial(added, [me, turn]), [])


def transfer(job: Job, me: int, times: int) -> None:
    """Move one from an account to another, in both directions, so that two processes want them in opposite orders."""
    here, there = ("a", "b") if me % 2 else ("b", "a")

    def body(transaction: Transaction) -> None:
        transaction.save(here, number(transaction.load(here)) - 1)
        transaction.save(there, number(transaction.load(there)) + 1)

    for _ in range(times):
        job.store.transact(body)


def sums_until_told(job: Job) -> set[int]:
    """Return all sums of the accounts that were ever seen, until the test says stop by saving it."""
    seen = set()
    while True:
        document = held(job.store)
        assert isinstance(document, dict)
        seen.add(number(document["a"]) + number(document["b"]))
        if "stop" in document:
            return seen


def create(job: Job, me: int, key: str = "owner") -> bool:
    """Save a key if nobody has; tell whether it was this process."""

    def body(transaction: Transaction) -> bool:
        if transaction.load(key, None) is not None:
            return False
        transaction.save(key, me)
        return True

    return job.store.transact(body)


def swap_once(job: Job, me: int, digest: str) -> bool:
    """Write on one revision; tell whether this process was the one."""
    return swap(job.store, digest, "winner", [me, digest])  # for who won before, too, it is a change


def save(job: Job, key: str, value: JSON) -> None:
    """Save a key."""
    job.store.save(key, value)


def load(job: Job, key: str) -> JSON:
    """Load a key; None when it is not there."""
    return job.store.load(key, None)


def delete(job: Job, key: str) -> None:
    """Delete a key."""
    job.store.delete(key)


def read_all(job: Job) -> JSON:
    """Return the whole namespace."""
    return held(job.store)


def read_all_by(_: Job, url: str) -> JSON:
    """Return the whole namespace that a URL names."""
    from statewatch.core.stores.urls import open_store  # noqa: PLC0415 - only for engines that have URLs

    with open_store(url) as store:
        return held(store)


def checkpoint(job: Job, name: str | None, note: str = "") -> str | None:
    """Make a checkpoint; return its name, None when the name was taken."""
    try:
        return job.store.checkpoint(name, note=note).name
    except RefusedError:
        return None


def checkpoints(job: Job, me: int, times: int) -> list[str]:
    """Make checkpoints with and without names of their own."""
    made = []
    for turn in range(times):
        made.append(job.store.checkpoint(f"by {me} at {turn}").name)
        made.append(job.store.checkpoint().name)
    return made


def list_checkpoints(job: Job) -> list[str]:
    """Return the names of all checkpoints."""
    return [made.name for made in job.store.checkpoints()]


def wait(job: Job, digest: str) -> bool:
    """Wait for another revision."""
    job.say("waiting")
    return job.store.wait(digest, 30)


def watch(job: Job, since: str, last: int) -> list[JSON]:
    """Return every value of `turn` that was seen, up to the last."""
    seen = []
    for revision in job.store.watch(since):
        assert isinstance(revision.document, dict)
        seen.append(revision.document.get("turn"))
        if seen[-1] == last:
            break
    return seen


def fork_and_use(job: Job, times: int) -> int:
    """Use one store object before, in and after children, at the same time as them; return the parent's last value."""
    store = job.store
    store.update("count", one_more, 0)
    children = []
    for _ in range(3):
        child = os.fork()
        if child == 0:
            _finish_child(store, times)
        children.append(child)
    for _ in range(times):
        store.update("count", one_more, 0)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert codes == [0, 0, 0], codes
    return number(store.update("count", one_more, 0))


def _finish_child(store: Store, times: int) -> None:
    code = 1
    try:
        for _ in range(times):
            store.update("count", one_more, 0)
        assert store.load("count") is not None
        store.close()
        code = 0
    finally:
        os._exit(code)


def fork_inside(job: Job) -> list[str]:
    """Fork in the midst of a transaction: what the child does with its copies of things must not end it."""
    outcome = []

    def body(transaction: Transaction) -> None:
        transaction.save("key", "from the parent")
        child = os.fork()
        if child == 0:
            try:
                job.store.close()
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        job.say("child has ended")
        job.pause()

    job.store.transact(body)
    outcome.append("committed")
    return outcome


def hold(job: Job, operation: str = "a long operation") -> None:
    """Be in the midst of a transaction until the test says to go on."""
    said = False

    def body(transaction: Transaction) -> None:
        nonlocal said
        transaction.save("held", os.getpid())
        transaction.save("also", os.getpid())
        if not said:
            said = True
            job.say("inside")
            job.pause()

    job.store.transact(body, operation)


def try_to_write(job: Job, timeout: float) -> str:
    """Try to write; return why not."""
    with job.open("default", timeout) as store:
        try:
            store.save("tried", os.getpid())
        except LockedError as error:
            return str(error)
    return ""


def count_up(job: Job) -> None:
    """Write two keys that always agree, and many that do, for ever; say each number when it is confirmed."""
    first = number(job.store.load("left", 0))
    for count in itertools.count(first + 1):
        save_all(job.store, {"left": count, "right": count, **{f"many {index}": count for index in range(40)}})
        job.say(count)


def keep_and_drop(job: Job, me: int) -> None:
    """Make, replace, edit and delete checkpoints for ever; say which are there for good."""
    store = job.store
    for turn in itertools.count():
        name = f"p{os.getpid()} t{turn} m{me}"
        store.checkpoint(f"{name} draft", note="draft")
        store.edit_checkpoint(f"{name} draft", new_name=name, note=name, pinned=True)
        job.say(name)
        store.checkpoint("the latest", note=name, replacing=True)
        store.checkpoint(f"{name} gone")
        store.delete_checkpoint(f"{name} gone")
