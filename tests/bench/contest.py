"""Contestants: commands that are timed side by side, and the table that comes of it."""

import random
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

GAP_SECONDS = 0.03
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
QUIET = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}


class Failed(Exception):
    """A contestant could not do its part."""


class Runner:
    """One account with one environment: how a contestant's commands are started."""

    def __init__(self, env, user=None, cwd="/"):
        self.env = {"PATH": PATH, "HOME": "/root", "TERM": "dumb", **env}
        self.user = user
        self.cwd = cwd

    def run(self, words):
        """Runs to the end; seconds from start to end."""
        account = {}
        if self.user:
            account = {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}
        start = time.perf_counter()
        done = subprocess.run(
            words, env=self.env, cwd=self.cwd, stderr=subprocess.PIPE, **QUIET, **account
        )
        seconds = time.perf_counter() - start
        if done.returncode != 0:
            text = done.stderr.decode(errors="replace").strip()[-300:]
            raise Failed(f"{' '.join(map(str, words))}: exit code {done.returncode}: {text}")
        return seconds

    def try_run(self, words):
        """Runs what sets a contestant up; what fails shows again when it is measured."""
        try:
            self.run(words)
        except (Failed, OSError) as error:
            print(f"  set-up: {str(error)[:300]}")


class Parallel:
    """Runs a command many times, so many at once; a round's time is that of all of them."""

    def __init__(self, runner, total, at_once):
        self.runner = runner
        self.total = total
        self.at_once = at_once

    def run(self, words):
        start = time.perf_counter()
        with ThreadPoolExecutor(self.at_once) as pool:
            for done in [pool.submit(self.runner.run, words) for _ in range(self.total)]:
                done.result()
        return time.perf_counter() - start


class Contestant:
    """A name, what to run and time, and what to do untimed before each time."""

    def __init__(self, name, runner, words, before=None):
        self.name = name
        self.runner = runner
        self.words = words
        self.before = before
        self.times = []
        self.error = None

    def once(self):
        if self.error:
            return
        try:
            if self.before:
                self.before()
            time.sleep(GAP_SECONDS)
            self.times.append(self.runner.run(self.words))
        except (Failed, OSError) as error:
            self.error = str(error)


def compete(title, contestants, runs):
    """Runs them interleaved; prints one table. Ratios are hull's time over the peer's."""
    for contestant in contestants:
        contestant.once()
        contestant.times.clear()  # the first one warms caches
    for _ in range(runs):
        for contestant in random.sample(contestants, len(contestants)):
            contestant.once()
    hull = contestants[0]
    print(f"\n{title} (n = {runs})")
    print(f"  {'':26}{'median ms':>11}{'minimum ms':>12}{'hull/it med':>13}{'hull/it min':>13}")
    for contestant in contestants:
        if contestant.error:
            print(f"  {contestant.name:26}  not measured: {contestant.error[:300]}")
            continue
        median = statistics.median(contestant.times)
        least = min(contestant.times)
        ratios = f"{'':>13}{'':>13}"
        if contestant is not hull and not hull.error:
            by_median = statistics.median(hull.times) / median
            ratios = f"{by_median:>13.2f}{min(hull.times) / least:>13.2f}"
        print(f"  {contestant.name:26}{median * 1e3:>11.2f}{least * 1e3:>12.2f}{ratios}")
    sys.stdout.flush()
