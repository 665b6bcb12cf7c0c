"""Contestants: commands that are timed side by side, and the table that comes of it."""

import os
import random
import statistics
import subprocess
import sys
import tempfile
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
        return self.measure(words)[0]

    def measure(self, words):
        """Runs to the end; seconds, and what the command and its children used (getrusage(2))."""
        account = {}
        if self.user:
            account = {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}
        with tempfile.TemporaryFile() as errors:
            start = time.perf_counter()
            child = subprocess.Popen(
                words, env=self.env, cwd=self.cwd, stderr=errors, **QUIET, **account
            )
            _, status, usage = os.wait4(child.pid, 0)
            seconds = time.perf_counter() - start
            child.returncode = code = os.waitstatus_to_exitcode(status)
            if code != 0:
                errors.seek(0)
                text = errors.read().decode(errors="replace").strip()[-300:]
                raise Failed(f"{' '.join(map(str, words))}: exit code {code}: {text}")
        return seconds, usage

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
        self.usages = []
        self.error = None

    def once(self):
        if self.error:
            return
        try:
            if self.before:
                self.before()
            time.sleep(GAP_SECONDS)
            if isinstance(self.runner, Parallel):
                self.times.append(self.runner.run(self.words))
                return
            seconds, usage = self.runner.measure(self.words)
            self.times.append(seconds)
            self.usages.append(usage)
        except (Failed, OSError) as error:
            self.error = str(error)


def compete(title, contestants, runs):
    """Runs them interleaved; prints one table. Ratios are hull's time over the peer's."""
    for contestant in contestants:
        contestant.once()
        contestant.times.clear()  # the first one warms caches
        contestant.usages.clear()
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


def print_usage(contestants):
    """CPU and peak memory of commands that work themselves (no daemon).

    The kernel counts what forked the command as well: this interpreter's 27 MiB or so.
    """
    for contestant in contestants:
        if contestant.usages and not contestant.error:
            cpu = statistics.median(usage.ru_utime + usage.ru_stime for usage in contestant.usages)
            peak = max(usage.ru_maxrss for usage in contestant.usages) / 1024
            print(f"  {contestant.name:26} {cpu:6.2f} s CPU (median), at most {peak:4.0f} MiB")
