"""Waiting, always with a deadline and a word for what did not come."""
import time


def eventually(what, attempt, timeout=30.0, interval=0.2):
    """Calls `attempt` until it returns something true, and returns that."""
    deadline = time.monotonic() + timeout
    while True:
        result = attempt()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout:g} s in vain for: {what}")
        time.sleep(interval)
