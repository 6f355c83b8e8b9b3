"""How many cores this process may use."""

from __future__ import annotations

import os
from pathlib import Path


def available_cores() -> int:
    """Count the cores this process may use: ``OMP_NUM_THREADS`` where it is set, else its affinity and its quota."""
    wanted = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()  # one number for each level of nesting
    if wanted.isdigit() and int(wanted) > 0:
        return int(wanted)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = cpu_quota()
    return cores if quota is None else max(1, min(cores, int(quota)))


def cpu_quota(control: Path = Path("/sys/fs/cgroup"), membership: Path = Path("/proc/self/cgroup")) -> float | None:
    """Read how many cores the control groups of this process grant it, version 1 or 2; None if they set no limit.

    ``control`` is where the groups are mounted, ``membership`` the file that names the process's own.
    """
    try:
        lines = membership.read_text(encoding="utf-8").splitlines()
    except OSError:  # no Linux
        return None
    granted = []
    for _, controllers, name in (line.split(":", 2) for line in lines if line.count(":") >= 2):
        if controllers and "cpu" not in controllers.split(","):
            continue
        root = control / "cpu" if controllers else control
        own = root / name.strip("/")
        # A limit of any ancestor binds; a container may see only its own root, under another name.
        granted += [_quota(folder) for folder in (own, *own.parents) if folder.is_relative_to(root)]
    return min((cores for cores in granted if cores is not None), default=None)


def _quota(folder: Path) -> float | None:
    try:
        if (folder / "cpu.max").is_file():
            quota, period = (folder / "cpu.max").read_text(encoding="utf-8").split()
        else:
            quota = (folder / "cpu.cfs_quota_us").read_text(encoding="utf-8").strip()
            period = (folder / "cpu.cfs_period_us").read_text(encoding="utf-8").strip()
        return int(quota) / int(period) if quota.isdigit() and int(quota) > 0 else None
    except (OSError, ValueError):  # not the folder of a group, or a format to come
        return None
