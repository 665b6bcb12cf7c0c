"""Runs script.sh once with docker and once with hull and compares step by step; see run."""

import argparse
import difflib
import hashlib
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
SECONDS = 1500


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def layer():
    """The image of tests/suite/images.rs: busybox, its links, two accounts, /tmp."""
    files = {
        "bin/busybox": (0o755, Path("/bin/busybox").read_bytes()),
        "etc/passwd": (0o644, b"root:x:0:0:root:/root:/bin/sh\n"
                       b"guest:x:1000:1000::/home/guest:/bin/sh\n"),
        "etc/group": (0o644, b"root:x:0:\nguest:x:1000:\nstaff:x:50:guest\n"),
    }
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        modes = {"root": 0o700, "tmp": 0o1777}
        for name in ("bin", "dev", "etc", "home", "proc", "root", "sys", "tmp", "usr", "var"):
            info = tarfile.TarInfo(name)
            info.type, info.mode = tarfile.DIRTYPE, modes.get(name, 0o755)
            tar.addfile(info)
        for name, (mode, data) in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), mode
            tar.addfile(info, io.BytesIO(data))
        for applet in subprocess.check_output(["/bin/busybox", "--list"], text=True).split():
            if applet != "busybox":
                info = tarfile.TarInfo("bin/" + applet)
                info.type, info.linkname = tarfile.SYMTYPE, "busybox"
                tar.addfile(info)
    return out.getvalue()


def write_image(path):
    """A docker-archive with `busybox:test`."""
    data = layer()
    arch = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
    config = json.dumps({
        "architecture": arch,
        "os": "linux",
        "created": "2020-01-01T00:00:00Z",
        "config": {"Env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"], "Cmd": ["sh"]},
        "rootfs": {"type": "layers", "diff_ids": [digest(data)]},
        "history": [{"created": "2020-01-01T00:00:00Z", "created_by": "layer 0"}],
    }).encode()
    names = {"config": digest(config)[7:] + ".json", "layer": digest(data)[7:] + "/layer.tar"}
    manifest = [{"Config": names["config"], "RepoTags": ["busybox:test"],
                 "Layers": [names["layer"]]}]
    with tarfile.open(path, "w") as tar:
        for name, content in ((names["layer"], data), (names["config"], config),
                              ("manifest.json", json.dumps(manifest).encode())):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


class Docker:
    """A daemon of our own, with everything it writes below one directory."""

    def __init__(self, work):
        self.socket = work / "docker.sock"
        base = work / "docker"
        base.mkdir()
        words = ["dockerd", "--data-root", base / "data", "--exec-root", base / "exec",
                 "--pidfile", base / "pid", "-H", f"unix://{self.socket}",
                 "--bridge=none", "--iptables=false", "--ip6tables=false"]
        self.log = work / "dockerd.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, start_new_session=True)

    def words(self):
        # By its path: the script puts a `docker` of its own before it.
        return f"{shutil.which('docker')} -H unix://{self.socket}"

    def answers(self):
        for _ in range(300):
            time.sleep(0.1)
            if subprocess.run([*self.words().split(), "version"], capture_output=True).returncode == 0:
                return True
            if self.process.poll() is not None:
                return False
        return False

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def run_script(words, image, work, only):
    """What the script prints, as text."""
    environment = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": str(work), "TMPDIR": str(work), "DOCKER": words, "IMAGE_TAR": str(image),
        "ONLY": only,
    }
    ran = subprocess.run(["bash", HERE / "script.sh"], env=environment, timeout=SECONDS,
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    text = ran.stdout.decode(errors="replace")
    if ran.returncode != 0 or ran.stderr:
        text += f"=== the script itself\n{ran.stderr.decode(errors='replace')}\n" \
                f"--- stderr\n--- exit {ran.returncode}\n"
    return text


def steps(text):
    """Label → what it printed and how it ended."""
    found = {}
    label = None
    for line in text.splitlines():
        if line.startswith("=== "):
            label = line[4:]
            if label in found:
                raise SystemExit(f"two steps are called {label}")
            found[label] = []
        else:
            found[label].append(line)
    return found


def masked(lines, masks, engine):
    text = "\n".join(lines)
    for mask in masks:
        if mask.get("engine", engine) == engine:
            text = re.sub(mask["pattern"], mask["with"], text, flags=re.MULTILINE)
    return text.splitlines()


def difference(docker, hull):
    """The lines that differ, `-` docker's and `+` hull's; empty if there are none."""
    # A hint in brackets at the end of an error is hull's own.
    theirs = set(docker)
    mine = []
    for line in hull:
        at = [i for i in range(len(line)) if line.startswith(" (", i) and line.endswith(")")]
        plain = [line[:i] for i in at if line[:i] in theirs]
        mine.append(plain[0] if plain and line not in theirs else line)
    lines = difflib.unified_diff(docker, mine, lineterm="", n=0)
    return [line for line in list(lines)[2:] if not line.startswith("@@")]


def judge(docker, hull, listed):
    """Prints what is wrong; the result is (steps that agree, wrong ones, listed ones)."""
    expected = {}
    for entry in listed:
        for label in entry["steps"]:
            expected.setdefault(label, []).append(entry)
    agree = wrong = known = 0
    for label in [*docker, *(label for label in hull if label not in docker)]:
        if label not in hull or label not in docker:
            print(f"WRONG {label}: only one of the two ran it")
            wrong += 1
            continue
        found = difference(docker[label], hull[label])
        entries = expected.get(label, [])
        lines = [line for entry in entries for line in entry.get("lines", "").splitlines()]
        # Without lines, any difference of these steps is meant.
        free = any("lines" not in entry for entry in entries)
        if found and (free or sorted(found) == sorted(lines)):
            known += 1
        elif not found and not entries:
            agree += 1
        elif not found:
            print(f"WRONG {label}: listed as different, and it is not")
            wrong += 1
        else:
            print(f"WRONG {label}")
            print("\n".join(found))
            if lines:
                print("  listed:")
                print("\n".join(lines))
            wrong += 1
    return agree, wrong, known


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--hull", required=True)
    parser.add_argument("--only", default="", help="steps whose label matches (and setup-*)")
    parser.add_argument("--keep", help="directory for docker.txt and hull.txt; a docker.txt that "
                        "is there is used instead of running docker")
    arguments = parser.parse_args()
    known = tomllib.loads((HERE / "differences.toml").read_text())
    kind = subprocess.check_output(["stat", "-f", "-c", "%T", "/tmp"], text=True).strip()
    # An overlay's upper directory cannot be in memory everywhere.
    base = "/var/tmp" if kind == "tmpfs" else "/tmp"
    work = Path(tempfile.mkdtemp(prefix="hull-docker-", dir=base))
    keep = Path(arguments.keep) if arguments.keep else work
    keep.mkdir(exist_ok=True)
    daemon = None
    try:
        image = work / "image.tar"
        write_image(image)
        kept = keep / "docker.txt"
        if not kept.exists():
            daemon = Docker(work)
            if not daemon.answers():
                lines = daemon.log.read_text(errors="replace").strip().splitlines()
                print(f"SKIP dockerd does not run here: {lines[-1] if lines else 'no reason'}")
                return 0
            kept.write_text(run_script(daemon.words(), image, work, arguments.only))
        store, run = work / "store", work / "run"
        words = f"{arguments.hull} --root {store} --runroot {run}"
        try:
            text = run_script(words, image, work, arguments.only)
        finally:
            left = subprocess.run([*words.split(), "ps", "-aq"], capture_output=True, text=True)
            if left.stdout.split():
                subprocess.run([*words.split(), "rm", "-f", *left.stdout.split()],
                               capture_output=True)
        (keep / "hull.txt").write_text(text)
        masks = known["mask"]
        sides = [{label: masked(lines, masks, engine) for label, lines in steps(said).items()}
                 for engine, said in (("docker", kept.read_text()), ("hull", text))]
        pattern = re.compile(arguments.only or "")
        listed = [{**entry, "steps": [label for label in entry["steps"] if pattern.search(label)]}
                  for entry in known["difference"]]
        agree, wrong, differ = judge(*sides, listed)
        print(f"{agree} steps agree, {differ} differ as listed, {wrong} wrong")
        return 1 if wrong else 0
    finally:
        if daemon:
            daemon.stop()
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
