"""Times hull beside its peers, interleaved, and prints tables of medians, minima and ratios.

Every group is one loop: each round runs each contestant once, in a new random order, with an idle
gap before each (back-to-back loops hide what the kernel does behind a caller's back). Ratios of
minima are what to compare between machines: medians move with the load.
Started by ./run, as root. Needs the Python standard library only.
"""

import argparse
import hashlib
import io
import json
import os
import pwd
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

GAP_SECONDS = 0.03
IMAGE_CACHE = Path("/var/tmp/hull-bench-image.tar")
IMAGE_BYTES = 300_000_000
PACKAGES = "gcc,python3,git,vim"
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


class Contestant:
    """A name, what to run and time, and what to run untimed before each time."""

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
            print(f"  {contestant.name:26}  not measured: {contestant.error[:200]}")
            continue
        median = statistics.median(contestant.times)
        least = min(contestant.times)
        ratios = f"{'':>13}{'':>13}"
        if contestant is not hull and not hull.error:
            by_median = statistics.median(hull.times) / median
            ratios = f"{by_median:>13.2f}{min(hull.times) / least:>13.2f}"
        print(f"  {contestant.name:26}{median * 1e3:>11.2f}{least * 1e3:>12.2f}{ratios}")
    sys.stdout.flush()


# ---- images -------------------------------------------------------------------------------------


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def docker_archive(path, name, layers):
    """Writes a docker-archive of uncompressed layers (bytes)."""
    arch = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
    config = json.dumps({
        "architecture": arch,
        "os": "linux",
        "created": "2020-01-01T00:00:00Z",
        "config": {"Env": ["PATH=" + PATH], "Cmd": ["/bin/true"]},
        "rootfs": {"type": "layers", "diff_ids": [digest(layer) for layer in layers]},
        "history": [{"created_by": f"layer {i}"} for i in range(len(layers))],
    }).encode()
    names = [digest(layer)[7:] + "/layer.tar" for layer in layers]
    config_name = digest(config)[7:] + ".json"
    manifest = [{"Config": config_name, "RepoTags": [name], "Layers": names}]
    entries = list(zip(names, layers))
    entries += [(config_name, config), ("manifest.json", json.dumps(manifest).encode())]
    with tarfile.open(path, "w") as tar:
        for entry, data in entries:
            info = tarfile.TarInfo(entry)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def busybox_layer():
    """busybox, links for a few of its commands, and the usual directories."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name in ("bin", "etc", "tmp", "root", "proc", "sys", "dev"):
            info = tarfile.TarInfo(name)
            info.type, info.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(info)
        data = Path("/bin/busybox").read_bytes()
        info = tarfile.TarInfo("bin/busybox")
        info.size, info.mode = len(data), 0o755
        tar.addfile(info, io.BytesIO(data))
        for applet in ("sh", "true", "sleep"):
            info = tarfile.TarInfo("bin/" + applet)
            info.type, info.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(info)
        data = b"root:x:0:0:root:/root:/bin/sh\n"
        info = tarfile.TarInfo("etc/passwd")
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def build_large_image(work):
    """A five-layer Debian image of at least IMAGE_BYTES, built once and kept under /var/tmp."""
    if IMAGE_CACHE.exists():
        return
    print("building the large image (once)", flush=True)
    source = work / "debian.tar"
    subprocess.run(
        ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={PACKAGES}", "bookworm", source],
        check=True, stdin=subprocess.DEVNULL,
    )
    with tarfile.open(source) as tar:
        members = [m for m in tar.getmembers() if not m.name.startswith("./dev/")]
        total = sum(member.size for member in members)
        if total < IMAGE_BYTES:
            raise Failed(f"the Debian tree has {total} bytes only")
        layers, out, filled = [], io.BytesIO(), 0
        writer = tarfile.open(fileobj=out, mode="w")
        for member in members:
            writer.addfile(member, tar.extractfile(member) if member.isreg() else None)
            filled += member.size
            if filled > total / 5 and len(layers) < 4:
                writer.close()
                layers.append(out.getvalue())
                out, filled = io.BytesIO(), 0
                writer = tarfile.open(fileobj=out, mode="w")
        writer.close()
        layers.append(out.getvalue())
    part = IMAGE_CACHE.with_suffix(".part")
    docker_archive(part, "large:1", layers)
    part.rename(IMAGE_CACHE)
    source.unlink()


# ---- contestants' set-up ------------------------------------------------------------------------


class Bench:
    """The work directory, the engines in it, and what has to be stopped at the end."""

    def __init__(self, work, hull, runs, quick):
        self.work = work
        self.runs = runs
        self.quick = quick
        self.servers = []
        self.hull_bin = work / "hull"
        shutil.copy(hull, self.hull_bin)
        self.hull_bin.chmod(0o755)
        self.user = pwd.getpwnam("hulltest")
        self.small = work / "small.tar"
        docker_archive(self.small, "small:1", [busybox_layer()])

    def start(self):
        conf = self.work / "containers.conf"
        conf.write_text(
            '[engine]\nruntime="runc"\n[containers]\n'
            'default_ulimits=["nofile=20000:20000", "nproc=20000:20000"]\n'
        )
        self.plain = Runner({})
        self.podman_runner = Runner({"CONTAINERS_CONF": str(conf)})
        self.user_dir = self.work / "user"
        self.user_dir.mkdir()
        os.chown(self.user_dir, self.user.pw_uid, self.user.pw_gid)
        here = str(self.user_dir)
        self.user_runner = Runner({"HOME": here, "XDG_RUNTIME_DIR": here}, self.user, here)
        self.start_docker()
        self.rootfs = self.work / "rootfs"
        with tarfile.open(fileobj=io.BytesIO(busybox_layer())) as tar:
            tar.extractall(self.rootfs)

    def start_docker(self):
        base = self.work / "docker"
        base.mkdir()
        self.docker_socket = base / "sock"
        words = [
            "dockerd", "--data-root", base / "data", "--exec-root", base / "exec",
            "--pidfile", base / "pid", "-H", f"unix://{self.docker_socket}",
            "--bridge=none", "--iptables=false", "--ip6tables=false",
        ]
        log = open(self.work / "dockerd.log", "wb")
        server = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.servers.append(server)
        for _ in range(300):
            if self.docker_socket.exists() or server.poll() is not None:
                break
            time.sleep(0.1)

    def stop(self):
        for server in reversed(self.servers):
            server.send_signal(signal.SIGTERM)
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()

    def hull(self, *words, user=False, store="store"):
        base = self.user_dir if user else self.work
        roots = ["--root", base / store, "--runroot", base / (store + "-run")]
        return [self.hull_bin, *roots, *words]

    def podman(self, *words):
        base = self.work / "podman"
        roots = ["--root", base / "root", "--runroot", base / "run", "--cgroup-manager=cgroupfs"]
        return ["podman", *roots, *words]

    def docker(self, *words):
        return ["docker", "-H", f"unix://{self.docker_socket}", *words]

    def bwrap(self):
        return [
            "bwrap", "--unshare-all", "--bind", self.rootfs, "/", "--proc", "/proc",
            "--dev", "/dev", "--die-with-parent", "/bin/true",
        ]

    def runc_bundle(self):
        bundle = self.work / "bundle"
        bundle.mkdir()
        subprocess.run(["runc", "spec"], cwd=bundle, check=True)
        spec = json.loads((bundle / "config.json").read_text())
        spec["process"].update(args=["/bin/true"], terminal=False)
        spec["root"] = {"path": str(self.rootfs), "readonly": False}
        (bundle / "config.json").write_text(json.dumps(spec))
        return bundle

    def quietly(self, runner, words):
        """Sets a contestant up; what fails shows again when it is measured."""
        try:
            runner.run(words)
        except (Failed, OSError) as error:
            print(f"  set-up: {str(error)[:300]}")

    # ---- groups -----------------------------------------------------------------------------

    def load_small(self):
        for runner, words in [
            (self.plain, self.hull("load", "-q", "-i", self.small)),
            (self.user_runner, self.hull("load", "-q", "-i", self.small, user=True)),
            (self.podman_runner, self.podman("load", "-q", "-i", self.small)),
            (self.plain, self.docker("load", "-q", "-i", self.small)),
        ]:
            self.quietly(runner, words)

    def group_run(self):
        run = ["run", "--rm", "--network", "none", "small:1", "/bin/true"]
        bundle = self.runc_bundle()
        compete("run --rm, no network, root", [
            Contestant("hull", self.plain, self.hull(*run)),
            Contestant("bwrap --unshare-all", self.plain, self.bwrap()),
            Contestant("runc alone", self.plain, ["runc", "run", "--bundle", bundle, "bench"]),
            Contestant("podman", self.podman_runner, self.podman(*run)),
            Contestant("docker", self.plain, self.docker(*run)),
        ], self.runs)
        compete("run --rm, no network, unprivileged", [
            Contestant("hull", self.user_runner, self.hull(*run, user=True)),
            Contestant("bwrap --unshare-all", self.user_runner, self.bwrap()),
        ], self.runs)

    def group_exec(self):
        run = ["run", "-d", "--name", "up", "--network", "none", "small:1", "/bin/sleep", "100000"]
        run_exec = ["exec", "up", "/bin/true"]
        engines = [
            ("hull", self.plain, self.hull),
            ("podman", self.podman_runner, self.podman),
            ("docker", self.plain, self.docker),
        ]
        for _, runner, words in engines:
            self.quietly(runner, words(*run))
        contestants = [Contestant(n, r, words(*run_exec)) for n, r, words in engines]
        compete("exec, root", contestants, self.runs)
        for _, runner, words in engines:
            self.quietly(runner, words("rm", "-f", "up"))

    def group_load(self):
        build_large_image(self.work)
        runs = 2 if self.quick else 5

        def contestants(words, *names):
            engines = [
                ("hull", self.plain, self.hull),
                ("podman", self.podman_runner, self.podman),
                ("docker", self.plain, self.docker),
            ]
            return [
                Contestant(engine, runner, make(*words), self.forget(runner, make, names))
                for engine, runner, make in engines
            ]

        size = IMAGE_CACHE.stat().st_size / 1e6
        title = f"load of five layers, {size:.0f} MB"
        compete(title, contestants(["load", "-q", "-i", IMAGE_CACHE], "large:1"), runs)
        name = self.start_registry()
        pull = ["pull", "-q", name]
        peers = contestants(pull, name, "large:1")
        peers[1].words = self.podman("pull", "-q", "--tls-verify=false", name)
        compete("pull of the same from this machine", peers, runs)

    def forget(self, runner, make, names):
        """What takes the image away again, with its layers, and leaves a quiet disk."""
        def remove():
            for name in names:
                try:
                    runner.run(make("rmi", "-f", name))
                except Failed:
                    pass  # not there
            os.sync()
        return remove

    def start_registry(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        config = self.work / "registry.yml"
        config.write_text(
            "version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: "
            f"{self.work}/registry\nhttp:\n  addr: 127.0.0.1:{port}\n"
        )
        log = open(self.work / "registry.log", "wb")
        words = ["docker-registry", "serve", config]
        server = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.servers.append(server)
        time.sleep(2)
        name = f"127.0.0.1:{port}/large:1"
        source, target = f"docker-archive:{IMAGE_CACHE}", f"docker://{name}"
        copy = ["skopeo", "copy", "-q", "--insecure-policy", "--dest-tls-verify=false"]
        self.quietly(self.plain, [*copy, source, target])
        return name

    def group_ps(self):
        count = 100 if self.quick else 1000
        create = ["create", "--network", "none", "small:1", "/bin/true"]
        engines = [("hull", self.plain, self.hull), ("docker", self.plain, self.docker)]
        if not self.quick:
            engines.insert(1, ("podman", self.podman_runner, self.podman))
        for _, runner, words in engines:
            for _ in range(count):
                try:
                    runner.run(words(*create))
                except (Failed, OSError):
                    break  # shows when it is measured
        contestants = [Contestant(n, r, words("ps", "-a")) for n, r, words in engines]
        compete(f"ps -a with {count} containers", contestants, min(self.runs, 20))

    def group_memory(self):
        print("\nmonitor memory, PSS in KiB each (anonymous part)")
        store = "memory"
        self.quietly(self.plain, self.hull("load", "-q", "-i", self.small, store=store))
        run = ["run", "-d", "--network", "none", "small:1", "/bin/sleep", "100000"]
        before = monitors()
        for count in (1, 10):
            while len(monitors() - before) < count:
                known = len(monitors())
                self.quietly(self.plain, self.hull(*run, store=store))
                time.sleep(0.3)
                if len(monitors()) == known:
                    print("  not measured: no monitor appears")
                    return
            sizes = [pss(pid) for pid in monitors() - before]
            each = sum(size for size, _ in sizes) / len(sizes)
            anonymous = sum(part for _, part in sizes) / len(sizes)
            print(f"  {count:2} monitor{'s' if count > 1 else ' '}: {each:.0f} ({anonymous:.0f})")
        done = subprocess.run(self.hull("ps", "-q", store=store), capture_output=True, text=True)
        self.quietly(self.plain, self.hull("rm", "-f", *done.stdout.split(), store=store))


def monitors():
    """Pids of processes that call themselves `hull: monitor …`."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes().startswith(b"hull: monitor"):
                found.add(int(path.parent.name))
        except OSError:
            pass  # ended meanwhile
    return found


def pss(pid):
    values = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, value = line.split()[:2]
        values[name] = int(value)
    return values["Pss:"], values["Anonymous:"]


def machine():
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


GROUPS = ["run", "exec", "load", "ps", "memory"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hull", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=50, help="rounds of run and exec")
    parser.add_argument("--quick", action="store_true", help="10 rounds, smaller groups")
    parser.add_argument("--only", default=",".join(GROUPS), help="groups: " + ", ".join(GROUPS))
    options = parser.parse_args()
    runs = 10 if options.quick else options.runs
    work = Path(tempfile.mkdtemp(prefix="hull-bench-", dir="/var/tmp"))
    work.chmod(0o755)
    bench = Bench(work, options.hull, runs, options.quick)
    print(machine())
    # A killed bench must take its servers along.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        bench.start()
        bench.load_small()
        for group in options.only.split(","):
            if group not in GROUPS:
                parser.error(f"no group {group!r}")
            getattr(bench, "group_" + group)()
    finally:
        bench.stop()
        subprocess.run(bench.podman("rm", "-fa"), stderr=subprocess.DEVNULL, **QUIET)
        shutil.rmtree(work, ignore_errors=True)
        if work.exists():
            # Something is still mounted there: take it down, then try again.
            for line in reversed(Path("/proc/mounts").read_text().splitlines()):
                if line.split()[1].startswith(str(work)):
                    subprocess.run(["umount", "-l", line.split()[1]], check=False)
            shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
