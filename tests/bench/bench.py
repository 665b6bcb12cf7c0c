"""Times hull beside its peers, interleaved, and prints tables of medians, minima and ratios.

Every group is one loop: each round runs each contestant once, in a new random order, with an idle
gap before each (back-to-back loops hide what the kernel does behind a caller's back). Ratios of
minima are what to compare between machines: medians move with the load.
Started by ./run, as root. Needs the Python standard library only.
"""

import argparse
import io
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

import images
import machine
from contest import QUIET, Contestant, Failed, Parallel, Runner, compete, print_usage

SLEEP = ["small:1", "/bin/sleep", "100000"]


class Bench:
    """The work directory, the engines in it, and what has to be stopped at the end."""

    def __init__(self, work, hull, floor, runs, quick):
        self.work = work
        self.runs = runs
        self.quick = quick
        self.floor = floor
        self.moved = 0
        self.dockerd = None
        self.registry = None
        self.hull_bin = work / "hull"
        shutil.copy(hull, self.hull_bin)
        self.hull_bin.chmod(0o755)
        self.user = pwd.getpwnam("hulltest")
        self.small = work / "small.tar"
        images.docker_archive(self.small, ["small:1"], [images.busybox_layer()])

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
        self.start_docker("docker")
        self.rootfs = self.work / "rootfs"
        with tarfile.open(fileobj=io.BytesIO(images.busybox_layer())) as tar:
            tar.extractall(self.rootfs)

    def start_docker(self, store):
        base = self.work / store
        base.mkdir()
        self.docker_socket = self.work / "docker.sock"
        words = [
            "dockerd", "--data-root", base / "data", "--exec-root", base / "exec",
            "--pidfile", base / "pid", "-H", f"unix://{self.docker_socket}",
            "--bridge=none", "--iptables=false", "--ip6tables=false",
        ]
        log = open(self.work / "dockerd.log", "ab")
        self.dockerd = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        for _ in range(300):
            time.sleep(0.1)
            try:
                self.plain.run(self.docker("version"))
                return
            except Failed:
                if self.dockerd.poll() is not None:
                    return  # shows when it is measured

    def stop(self, server):
        if server is None:
            return
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

    def podman(self, *words, store="podman"):
        base = self.work / store
        roots = ["--root", base / "root", "--runroot", base / "run", "--cgroup-manager=cgroupfs"]
        return ["podman", *roots, *words]

    def docker(self, *words):
        return ["docker", "-H", f"unix://{self.docker_socket}", *words]

    def engines(self):
        """The rootful engines: name, runner, how to make a command."""
        return [
            ("hull", self.plain, self.hull),
            ("podman", self.podman_runner, self.podman),
            ("docker", self.plain, self.docker),
        ]

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

    def load_small(self):
        load = ["load", "-q", "-i", self.small]
        for _, runner, words in self.engines():
            runner.try_run(words(*load))
        self.user_runner.try_run(self.hull(*load, user=True))

    # ---- groups -----------------------------------------------------------------------------

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
        run = ["run", "-d", "--name", "up", "--network", "none", *SLEEP]
        run_exec = ["exec", "up", "/bin/true"]
        rootless = self.hull(*run, user=True), self.hull(*run_exec, user=True)
        self.user_runner.try_run(rootless[0])
        for _, runner, words in self.engines():
            runner.try_run(words(*run))
        contestants = [Contestant(n, r, words(*run_exec)) for n, r, words in self.engines()]
        contestants.append(Contestant("hull, unprivileged", self.user_runner, rootless[1]))
        compete("exec, root", contestants, self.runs)
        for _, runner, words in self.engines():
            runner.try_run(words("rm", "-f", "up"))
        self.user_runner.try_run(self.hull("rm", "-f", "up", user=True))

    def group_load(self):
        images.build_large(self.work)
        images.build_files()
        registry = self.start_registry()
        for archive, title in [(images.LARGE, "five layers"), (images.FILES, "60,000 files")]:
            self.transfer(registry, archive, title)
        remove = ["rmi", "-f", "large:1"]
        load = ["load", "-q", "-i", images.LARGE]
        runs = 2 if self.quick else 5
        compete("rmi of five layers", self.with_new_stores(remove, remove, load), runs)
        for _, runner, words in self.engines():
            runner.try_run(words("load", "-q", "-i", self.small))

    def transfer(self, registry, archive, title):
        """Load, pull and save of one image into new stores, warm and cold, with their floors."""
        short = archive.stem.rsplit("-", 1)[-1]
        remote = f"{registry}/{short}:1"
        target = f"docker://{remote}"
        copy = ["skopeo", "copy", "-q", "--insecure-policy"]
        self.plain.try_run([*copy, "--dest-tls-verify=false", f"docker-archive:{archive}", target])
        blobs = self.work / f"blobs-{short}"
        fetch = [*copy, "--src-tls-verify=false", target]
        self.plain.try_run([*fetch, f"dir:{blobs}"])
        load = ["load", "-q", "-i", archive]
        pull = ["pull", "-q", remote]
        podman_pull = ["pull", "-q", "--tls-verify=false", remote]
        size = archive.stat().st_size / 1e6
        runs = 2 if self.quick else 5
        for state in ("warm", "cold"):
            if state == "cold" and not machine.drop_caches():
                print("\ncold caches: skipped, they cannot be dropped here")
                continue
            cold = state == "cold"
            loads = self.with_new_stores(load, load, cold=cold)
            compete(f"load of {title}, {size:.0f} MB, {state}", loads, runs)
            print_usage(loads[:3])
            pulls = self.with_new_stores(pull, podman_pull, cold=cold)
            pulls.append(Contestant("skopeo copy to dir", self.plain, [
                "sh", "-c", 'rm -rf "$1"; shift; exec "$@"', "sh", self.work / "copied",
                *fetch, f"dir:{self.work}/copied",
            ]))
            compete(f"pull of {title}, {state}", pulls, runs)
            print_usage(pulls[:3])
        names = json.loads((blobs / "manifest.json").read_text())["layers"]
        self.print_floor("pull", [blobs / layer["digest"][7:] for layer in names])
        plain = self.work / f"plain-{short}"
        plain.mkdir()
        for number, layer in enumerate(images.layers_of(archive)):
            (plain / f"{number}").write_bytes(layer)
        self.print_floor("load", sorted(plain.iterdir()))
        self.save(title, runs)

    def print_floor(self, what, blobs):
        """The CPU work that nobody can leave out over all CPUs, and the sync after it."""
        if not self.floor:
            print(f"  floor of {what}: not measured, no --floor program")
            return
        self.moved += 1
        target = self.work / f"old-{self.moved}"
        target.mkdir()
        os.sync()
        machine.touch_memory()
        done = subprocess.run(
            [self.floor, target, *blobs], stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
        if done.returncode != 0:
            print(f"  floor of {what}: not measured: {done.stderr.strip()[-300:]}")
            return
        inflate, hashing, write, sync, _, _ = map(float, done.stdout.split())
        least = (inflate + hashing + write) / os.cpu_count() + sync
        print(
            f"  floor of {what}: {least * 1e3:.0f} ms = (inflate {inflate:.2f} + hash "
            f"{hashing:.2f} + write {write:.2f} s) / {os.cpu_count()} + sync {sync:.2f} s"
        )

    def save(self, title, runs):
        """Saves what the last load left in each engine's store."""
        try:
            self.plain.run([self.hull_bin, "save", "--help"])
        except Failed:
            print(f"\nsave of {title}: skipped, this hull has no save")
            return
        name = "large:1" if title == "five layers" else "files:1"
        load = ["load", "-q", "-i", images.LARGE if name == "large:1" else images.FILES]
        words = ["save", "-o", self.work / "saved.tar", name]
        contestants = self.with_new_stores(words, words, load)
        remove_saved = [(self.work / "saved.tar"), (self.user_dir / "saved.tar")]
        for contestant in contestants:
            before = contestant.before
            contestant.before = lambda before=before: (
                [path.unlink(missing_ok=True) for path in remove_saved], before()
            )
        contestants[1].words = self.hull(
            "save", "-o", self.user_dir / "saved.tar", name, user=True, store="new"
        )
        compete(f"save of {title}", contestants, runs)
        print_usage(contestants[:3])

    def with_new_stores(self, words, podman_words, prepare=None, cold=False):
        """Contestants that find an empty store each time.

        Nothing is deleted between the rounds: ext4 is slow to create files where many were deleted
        a short time ago, and whoever comes after a large deletion would pay for it.
        """
        def hull(*words):
            return self.hull(*words, store="new")

        def hull_of_user(*words):
            return self.hull(*words, user=True, store="new")

        def podman(*words):
            return self.podman(*words, store="new-podman")

        def new(paths, runner, make):
            def renew():
                for path in paths:
                    self.move_away(path)
                if make == self.docker:
                    self.stop(self.dockerd)
                    self.move_away(self.work / "docker")
                    self.start_docker("docker")
                if prepare:
                    runner.run(make(*prepare))
                os.sync()
                if cold:
                    machine.drop_caches()
                machine.touch_memory()
            return renew

        def contestant(name, runner, make, words, *paths):
            before = new([self.work / path for path in paths], runner, make)
            return Contestant(name, runner, make(*words), before)

        return [
            contestant("hull", self.plain, hull, words, "new", "new-run"),
            contestant(
                "hull, unprivileged", self.user_runner, hull_of_user, words,
                "user/new", "user/new-run",
            ),
            contestant("podman", self.podman_runner, podman, podman_words, "new-podman"),
            contestant("docker", self.plain, self.docker, words),
        ]

    def move_away(self, path):
        if path.exists():
            self.moved += 1
            path.rename(self.work / f"old-{self.moved}")

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
        self.registry = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        time.sleep(2)
        return f"127.0.0.1:{port}"

    def group_throughput(self):
        total = 8 if self.quick else 100
        run = ["run", "--rm", "--network", "none", "small:1", "/bin/true"]
        for at_once in (1, 2, 4, 8):
            contestants = [
                Contestant(name, Parallel(runner, total, at_once), words(*run))
                for name, runner, words in self.engines()
            ]
            contestants.append(Contestant(
                "hull, unprivileged", Parallel(self.user_runner, total, at_once),
                self.hull(*run, user=True),
            ))
            runs = 1 if self.quick else 3
            compete(f"{total} times run --rm, {at_once} at once, root", contestants, runs)
        self.stopped_monitor()

    def stopped_monitor(self):
        """ps with many containers, of which one has a monitor that does not answer."""
        count = 20 if self.quick else 1000

        def hull(*words):
            return self.hull(*words, store="stopped")

        self.plain.try_run(hull("load", "-q", "-i", self.small))
        for _ in range(count - 1):
            self.plain.try_run(hull("create", "--network", "none", "small:1", "/bin/true"))
        self.plain.try_run(hull("run", "-d", "--name", "up", "--network", "none", *SLEEP))
        time.sleep(1)  # until the monitor goes by its name
        monitors = machine.monitors(self.work / "stopped-run")
        for pid in monitors:
            os.kill(pid, signal.SIGSTOP)
        try:
            if len(monitors) != 1:
                print(f"  not measured: {len(monitors)} monitors in place of 1")
                return
            contestants = [
                Contestant("ps", self.plain, hull("ps")),
                Contestant("ps -a", self.plain, hull("ps", "-a")),
            ]
            title = f"ps with {count} containers, one monitor stopped"
            compete(title, contestants, min(self.runs, 20))
        finally:
            for pid in monitors:
                os.kill(pid, signal.SIGCONT)
        self.plain.try_run(hull("rm", "-f", "up"))

    def group_ps(self):
        count = 100 if self.quick else 1000
        create = ["create", "--network", "none", "small:1", "/bin/true"]
        engines = self.engines()
        if self.quick:
            engines.pop(1)
        for _, runner, words in engines:
            for _ in range(count):
                try:
                    runner.run(words(*create))
                except (Failed, OSError):
                    break  # shows when it is measured
        contestants = [Contestant(n, r, words("ps", "-a")) for n, r, words in engines]
        compete(f"ps -a with {count} containers", contestants, min(self.runs, 20))

    def group_images(self):
        count = 100 if self.quick else 1000
        archive = self.work / "many.tar"
        names = [f"many/image{number}:1" for number in range(count)]
        images.docker_archive(archive, names, [images.busybox_layer()])
        for _, runner, words in self.engines():
            runner.try_run(words("load", "-q", "-i", archive))
        contestants = [Contestant(n, r, words("images")) for n, r, words in self.engines()]
        compete(f"images with {count} images", contestants, min(self.runs, 20))

    def group_memory(self):
        print("\nmonitor memory, PSS in KiB each (anonymous part)")
        for title, runner, user in [("root", self.plain, False), ("user", self.user_runner, True)]:
            self.measure_monitors(title, runner, user)

    def measure_monitors(self, title, runner, user):
        def hull(*words):
            return self.hull(*words, user=user, store="memory")

        run_directory = (self.user_dir if user else self.work) / "memory-run"
        runner.try_run(hull("load", "-q", "-i", self.small))
        started = []
        for count in (1, 10):
            while len(started) < count:
                started.append(f"m{len(started)}")
                name = ["--name", started[-1], "--network", "none"]
                runner.try_run(hull("run", "-d", *name, *SLEEP))
            time.sleep(1)
            sizes = [machine.pss(pid) for pid in machine.monitors(run_directory)]
            if len(sizes) != count:
                print(f"  {title}: not measured: {len(sizes)} monitors in place of {count}")
                break
            each = sum(size for size, _ in sizes) / count
            anonymous = sum(part for _, part in sizes) / count
            print(f"  {title}, {count:2}: {each:5.0f} ({anonymous:.0f})")
        runner.try_run(hull("rm", "-f", *started))


GROUPS = ["run", "exec", "throughput", "ps", "images", "memory", "load"]


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hull", type=Path, required=True)
    parser.add_argument("--floor", type=Path, help="the example floor, for the least times")
    parser.add_argument("--runs", type=int, default=50, help="rounds of run and exec")
    parser.add_argument("--quick", action="store_true", help="10 rounds, smaller groups")
    parser.add_argument("--only", default=",".join(GROUPS), help="groups: " + ", ".join(GROUPS))
    options = parser.parse_args()
    options.groups = options.only.split(",")
    for group in options.groups:
        if group not in GROUPS:
            parser.error(f"no group {group!r}")
    return options


def main():
    options = parse_options()
    runs = 10 if options.quick else options.runs
    work = Path(tempfile.mkdtemp(prefix="hull-bench-", dir="/var/tmp"))
    work.chmod(0o755)
    bench = Bench(work, options.hull, options.floor, runs, options.quick)
    print(machine.describe(), flush=True)
    # A killed bench must take its servers along.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        bench.start()
        bench.load_small()
        for group in options.groups:
            getattr(bench, "group_" + group)()
    finally:
        bench.stop(bench.registry)
        bench.stop(bench.dockerd)
        subprocess.run(bench.podman("rm", "-fa"), stderr=subprocess.DEVNULL, **QUIET)
        remove(work)


def remove(work):
    shutil.rmtree(work, ignore_errors=True)
    if work.exists():
        # Something is still mounted there: take it down, then try again.
        for line in reversed(Path("/proc/mounts").read_text().splitlines()):
            if line.split()[1].startswith(str(work)):
                subprocess.run(["umount", "-l", line.split()[1]], check=False)
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
