# SPDX-License-Identifier: MIT
# Copyright the oscope authors
"""Waiting for what happens by itself, on a host that may be busy."""

import time


def wait_until(condition, what, timeout=60, pause=0.05):
    """Asks until the answer is true, and gives it; `what` is what is said if it never is."""
    deadline = time.monotonic() + timeout
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not in {timeout} s: {what}"
        time.sleep(pause)
    return answer


def try_again(make, good, tries=3):
    """What make() gives, made anew while a busy host spoils it; but what is never good is wrong: the
    last is given as it is, for the caller to assert."""
    for _ in range(tries):
        made = make()
        if good(made):
            break
    return made
