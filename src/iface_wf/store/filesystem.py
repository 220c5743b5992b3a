"""What a folder's file system can do: whether processes there share memory, as SQLite's write-ahead mode needs it."""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import tempfile
from pathlib import Path

import psutil

#: File systems of this machine alone. Whatever else there is may be shared with other machines, whose memory is not ours.
LOCAL = frozenset(
    (
        *(
            "ext2",
            "ext3",
            "ext4",
            "xfs",
            "btrfs",
            "zfs",
            "f2fs",
            "jfs",
            "nilfs2",
            "reiserfs",
            "bcachefs",
            "ufs",
            "ffs",
            "hammer2",
        ),
        *("tmpfs", "ramfs", "rootfs", "overlay", "aufs", "ecryptfs", "squashfs", "erofs", "iso9660", "udf"),
        *("fuseblk", "ntfs", "ntfs3", "vfat", "msdos", "exfat", "hfs", "hfsplus", "apfs"),
    )
)


def file_system(path: Path) -> str:
    """Name the kind of file system that a path lies on; empty where that cannot be seen."""
    mounts = {Path(mount.mountpoint): mount.fstype for mount in psutil.disk_partitions(all=True)}
    place = Path(os.path.realpath(path))
    for folder in (place, *place.parents):
        if folder in mounts:
            return str(mounts[folder])
    return ""


def is_local(path: Path) -> bool:
    """Whether no other machine can have a path's file system too, as far as is known."""
    return file_system(path).lower() in LOCAL


def shares_memory(folder: Path) -> bool:
    """Try in a folder whether one process sees at once what another writes into a mapped file, and its locks.

    Two separate openings of one file stand for two processes: mappings and locks of open files do not tell them apart.
    """
    size = mmap.PAGESIZE
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".iface-wf-probe-", buffering=0) as one:
            one.truncate(size)
            with (
                Path(one.name).open("r+b", buffering=0) as other,
                mmap.mmap(one.fileno(), size) as here,
                mmap.mmap(other.fileno(), size) as there,
            ):
                here[:4] = b"seen"
                return there[:4] == b"seen" and _excludes(one.fileno(), other.fileno())
    except (OSError, ValueError):
        return False


def _excludes(one: int, other: int) -> bool:
    """Whether a lock on one opening of a file is refused to another one."""
    if not hasattr(fcntl, "F_OFD_SETLK"):  # Linux has them; elsewhere the kind of the file system must do
        return True
    lock = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 1, 0)
    fcntl.fcntl(one, fcntl.F_OFD_SETLK, lock)
    try:
        fcntl.fcntl(other, fcntl.F_OFD_SETLK, lock)
    except (BlockingIOError, PermissionError):
        return True
    return False
