"""Images to run, load and pull, made here from Debian packages."""

import hashlib
import io
import json
import os
import subprocess
import tarfile
from pathlib import Path

from contest import PATH, Failed

LARGE = Path("/var/tmp/hull-bench-image.tar")
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
