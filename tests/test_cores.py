from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from stance.cores import available_cores, cpu_quota
from stance.model import load_torch


def test_threads_follow_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert available_cores() == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "5, 2")
    assert available_cores() == 5
    for nothing in ("many", "0", ""):
        monkeypatch.setenv("OMP_NUM_THREADS", nothing)
        assert 1 <= available_cores() <= (os.cpu_count() or 1)


GROUPS = {
    "v2": ("0::/a/b", {"cpu.max": "max 100000", "a/cpu.max": "250000 100000", "a/b/cpu.max": "max 100000"}, 2.5),
    "v2 in a container": ("0::/../seen/elsewhere", {"cpu.max": "50000 100000"}, 0.5),
    "v2 without limit": ("0::/a", {"a/cpu.max": "max 100000"}, None),
    "v1": (
        "5:memory:/a\n4:cpu,cpuacct:/a\n0::/",
        {"cpu/a/cpu.cfs_quota_us": "300000", "cpu/a/cpu.cfs_period_us": "100000"},
        3.0,
    ),
    "v1 without limit": (
        "4:cpu,cpuacct:/",
        {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"},
        None,
    ),
    "unreadable": ("0::/", {"cpu.max": "a new format"}, None),
    "none": ("", {}, None),
}


@pytest.mark.parametrize(("membership", "files", "quota"), GROUPS.values(), ids=GROUPS.keys())
def test_threads_follow_the_quota_of_the_container(
    tmp_path: Path, membership: str, files: dict[str, str], quota: float | None
) -> None:
    (tmp_path / "self").write_text(membership + "\n", encoding="utf-8")
    for name, text in files.items():
        path = tmp_path / "fs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
    assert cpu_quota(tmp_path / "fs", tmp_path / "self") == quota
    assert cpu_quota(tmp_path / "fs", tmp_path / "no such file") is None


def test_threads_are_bounded_by_the_quota_and_never_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    for quota in (0.5, 1.9):
        monkeypatch.setattr("stance.cores.cpu_quota", lambda q=quota: q)
        assert available_cores() == 1


@pytest.mark.parametrize(("quota", "asked", "threads"), [(None, None, 3), (2.5, None, 2), (0.2, None, 1), (1.0, 4, 4)])
def test_torch_keeps_its_threads_down_to_the_quota(
    monkeypatch: pytest.MonkeyPatch, tiny_folder: Path, quota: float | None, asked: int | None, threads: int
) -> None:
    monkeypatch.setattr("stance.model.cpu_quota", lambda: quota)
    torch.set_num_threads(3)
    try:
        load_torch(tiny_folder, torch.device("cpu"), asked)
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(1)
