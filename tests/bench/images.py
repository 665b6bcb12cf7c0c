"""Images to run, load and pull, made here from Debian packages."""

import hashlib
import io
import json
import os
import random
import subprocess
import tarfile
from pathlib import Path

from contest import PATH, Failed

LARGE = Path("/var/tmp/hull-bench-image.tar")
FILES = Path("/var/tmp/hull-bench-files.tar")
LARGE_BYTES = 300_000_000
PACKAGES = "gcc,python3,git,vim"


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def config_of(name, layers):
    """The config of an image; the name makes it differ from others of the same layers."""
    arch = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
    return json.dumps({
        "architecture": arch,
        "os": "linux",
        "created": "2020-01-01T00:00:00Z",
        "config": {"Env": ["PATH=" + PATH], "Cmd": ["/bin/true"], "Labels": {"name": name}},
        "rootfs": {"type": "layers", "diff_ids": [digest(layer) for layer in layers]},
        "history": [{"created_by": f"layer {i}"} for i in range(len(layers))],
    }).encode()


def docker_archive(path, names, layers):
    """Writes a docker-archive of one image per name, all of the same uncompressed layers (bytes)."""
    files = {digest(layer)[7:] + "/layer.tar": layer for layer in layers}
    manifest = []
    configs = {}
    for name in names:
        config = config_of(name, layers)
        file = digest(config)[7:] + ".json"
        configs[file] = config
        manifest.append({"Config": file, "RepoTags": [name], "Layers": list(files)})
    files |= configs
    files["manifest.json"] = json.dumps(manifest).encode()
    with tarfile.open(path, "w") as tar:
        for entry, data in files.items():
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


def build_large(work):
    """A five-layer Debian image of at least LARGE_BYTES, built once and kept under /var/tmp."""
    if LARGE.exists():
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
        if total < LARGE_BYTES:
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
    part = LARGE.with_suffix(".part")
    docker_archive(part, ["large:1"], layers)
    part.rename(LARGE)
    source.unlink()


def layers_of(archive):
    """The uncompressed layers of a docker-archive, bottom first, one at a time."""
    with tarfile.open(archive) as tar:
        for name in json.load(tar.extractfile("manifest.json"))[0]["Layers"]:
            yield tar.extractfile(name).read()


def build_files():
    """Three layers of 20,000 small files, cut from the large image's, kept under /var/tmp."""
    if FILES.exists():
        return
    print("building the image of many files (once)", flush=True)
    pool = []
    for layer in layers_of(LARGE):
        with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
            regular = [member for member in tar if member.isreg() and member.size > 200]
            pool += [tar.extractfile(member).read(100_000) for member in regular[::10]]
    pool = b"".join(pool)
    dice = random.Random(1)
    layers = []
    for part in range(3):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as tar:
            for number in range(20_000):
                directory = f"srv/part{part}/package{number // 40:03}"
                if number % 40 == 0:
                    info = tarfile.TarInfo(directory)
                    info.type, info.mode = tarfile.DIRTYPE, 0o755
                    tar.addfile(info)
                # About 2.5 kB in the mean, as in node_modules.
                info = tarfile.TarInfo(f"{directory}/file{number % 40}.js")
                info.size = min(int(dice.lognormvariate(7, 1.3)), 100_000)
                start = dice.randrange(len(pool) - info.size)
                tar.addfile(info, io.BytesIO(pool[start:start + info.size]))
        layers.append(out.getvalue())
    part = FILES.with_suffix(".part")
    docker_archive(part, ["files:1"], layers)
    part.rename(FILES)
