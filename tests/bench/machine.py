"""What the kernel says about this machine and about monitors."""

import json
import os
from pathlib import Path


def monitors(run_directory):
    """Pids of the monitors of the containers that run there."""
    found = set()
    for path in run_directory.glob("c/*/run.json"):
        container = json.loads(path.read_text())["pid"]
        # The monitor is the parent of its container.
        status = Path(f"/proc/{container}/status").read_text()
        pid = next(int(line.split()[1]) for line in status.splitlines() if "PPid" in line)
        if Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"hull: monitor"):
            found.add(pid)
    return found


def pss(pid):
    """KiB of a process's share of memory, and the anonymous part of its own (proc(5))."""
    values = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, value = line.split()[:2]
        values[name] = int(value)
    return values["Pss:"], values["Anonymous:"]


def describe():
    """The machine in words."""
    model = "unknown CPU"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    controllers = Path("/sys/fs/cgroup/cgroup.controllers")
    mounts = Path("/proc/mounts").read_text()
    if controllers.exists():
        cgroups = "cgroup v2"
    else:
        cgroups = "cgroup v1" + (" and v2 without controllers" if " cgroup2 " in mounts else "")
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    kernel = os.uname().release.split("-")[0]
    return f"{model}, {os.cpu_count()} CPUs, Linux {kernel}, {cgroups}, load {load}"


def touch_memory(megabytes=2000):
    """Makes pages that the kernel will hand out next ones that were used just now.

    A virtual machine may have given its free memory back to its host. Then the first use of each
    page is a fault there, which costs more than the write that uses it, for whoever comes first.
    """
    scratch = Path("/dev/shm/hull-bench-pages")
    try:
        with open(scratch, "wb") as pages:
            for _ in range(megabytes):
                pages.write(bytes(1 << 20))
    except OSError as error:
        print(f"  memory is not touched first: {error}")
    finally:
        scratch.unlink(missing_ok=True)


def drop_caches():
    """Forgets what files were read. False where that is not allowed."""
    try:
        Path("/proc/sys/vm/drop_caches").write_text("3")
        return True
    except OSError:
        return False
