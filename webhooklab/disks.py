"""What a file stands on: a network file system, a disk that is nearly full, one without locks."""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

NETWORK: Final = frozenset(
    {
        *(
            "nfs",
            "nfs4",
            "cifs",
            "smb2",
            "smb3",
            "smbfs",
            "9p",
            "afs",
            "ceph",
            "glusterfs",
            "lustre",
        ),
        *("gpfs", "beegfs", "ocfs2", "fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "fuse.s3fs"),
        *("fuse.gcsfuse", "fuse.rclone", "fuse.blobfuse", "fuse.blobfuse2", "fuse.goofys"),
    }
)
"""File systems that are shared by machines, as Linux names them."""

_NO_LOCKS: Final = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL)
_MOUNTS: Final = Path("/proc/self/mountinfo")
_ESCAPED: Final = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Disk:
    """Sizes in bytes; `free` is what this user may still write."""

    total: int
    free: int

    @property
    def full(self) -> float:
        """How full it is, 0 to 1."""
        return 1 - self.free / self.total if self.total else 0.0


def disk_of(path: Path) -> Disk:
    """The disk that a file is on. Raises `OSError`."""
    usage = shutil.disk_usage(path.parent)
    return Disk(usage.total, usage.free)


def file_system(path: Path) -> str | None:
    """The type of the file system that a file is on ("ext4"); None where nobody says (macOS).

    https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html
    """
    try:
        lines = _MOUNTS.read_text(errors="replace").splitlines()
    except OSError:
        return None
    place = os.path.realpath(path)
    best: tuple[int, str | None] = (-1, None)
    for line in lines:
        mounted, _, kind = line.partition(" - ")
        point = _ESCAPED.sub(lambda found: chr(int(found[1], 8)), mounted.split(" ")[4])
        if place == point or place.startswith(point.rstrip("/") + "/"):
            best = max(best, (len(point), kind.split(" ")[0]), key=lambda each: each[0])
    return best[1]


def on_network(path: Path) -> bool:
    """Whether a file is on a network file system, where SQLite's write-ahead log does not work."""
    return file_system(path) in NETWORK


def refuses_locks(path: Path) -> bool:
    """Whether no file beside this one can be locked, as on NFS whose lock service does not run.

    It is tried on another file: to close this one would take SQLite's own locks away.
    https://www.sqlite.org/howtocorrupt.html#posix_close_bug
    """
    try:
        import fcntl  # noqa: PLC0415 - not on Windows, which always locks

        with tempfile.TemporaryFile(dir=path.parent) as beside:
            fcntl.lockf(beside, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except ImportError:
        return False
    except OSError as error:
        return error.errno in _NO_LOCKS
    return False
