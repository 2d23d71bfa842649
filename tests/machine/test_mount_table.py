"""Which folders lie on file systems that do not tell of all changes."""

from pathlib import Path

import pytest

from machine.mount_table import Mount, parse_mount_table, read_mount_table, silent_folders

TABLE = r"""21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 21 0:26 / /proc rw,nosuid - proc proc rw
41 21 0:40 / /mnt/nas rw,relatime shared:2 - nfs4 nas:/films rw,vers=4.2
42 41 8:17 / /mnt/nas/local rw - ext4 /dev/sdb1 rw
43 21 0:41 / /mnt/with\040space\134 rw master:3 propagate_from:2 - fuse.sshfs me@host: rw
44 21 8:33 / /mnt/disk rw - ext4 /dev/sdc1 rw
45 21 0:50 / /mnt/disk rw - vboxsf films rw
"""


def silent(*roots: str) -> set[str]:
    return set(map(str, silent_folders(map(Path, roots), parse_mount_table(TABLE))))


def test_a_mount_table_names_folders_kinds_and_numbers() -> None:
    mounts = parse_mount_table(TABLE)
    assert Mount(Path("/mnt/nas"), "nfs4", 41) in mounts
    assert Mount(Path("/mnt/with space\\"), "fuse.sshfs", 43) in mounts


def test_of_two_mounts_on_a_folder_the_later_one_counts() -> None:
    mounts = [mount for mount in parse_mount_table(TABLE) if mount.folder == Path("/mnt/disk")]
    assert mounts == [Mount(Path("/mnt/disk"), "vboxsf", 45)]


def test_a_folder_on_a_local_disk_is_not_silent() -> None:
    assert silent("/home/me/films", "/mnt/nas/local/films") == set()


def test_a_folder_on_a_network_mount_is_silent() -> None:
    assert silent("/mnt/nas/films", "/mnt/nas", "/mnt/with space\\/x") == {
        "/mnt/nas/films",
        "/mnt/nas",
        "/mnt/with space\\/x",
    }


def test_of_a_local_folder_only_the_network_mounts_below_are_silent() -> None:
    assert silent("/mnt") == {"/mnt/nas", "/mnt/with space\\", "/mnt/disk"}


@pytest.mark.parametrize(
    "kind",
    ["nfs", "nfs4", "cifs", "smb3", "9p", "vboxsf", "virtiofs", "fuse.sshfs", "fuse.mergerfs"],
)
def test_what_others_may_change_is_silent(kind: str) -> None:
    assert Mount(Path("/x"), kind, 1).is_silent


@pytest.mark.parametrize("kind", ["ext4", "btrfs", "xfs", "zfs", "fuseblk", "tmpfs", "overlay"])
def test_what_only_this_machine_changes_is_not_silent(kind: str) -> None:
    assert not Mount(Path("/x"), kind, 1).is_silent


def test_without_a_table_nothing_is_silent() -> None:
    assert silent_folders([Path("/films")], parse_mount_table("")) == frozenset()


def test_this_machines_own_table_can_be_read() -> None:
    text = read_mount_table()
    if not text:
        pytest.skip("this system has no table of mounts")
    assert Path("/") in {mount.folder for mount in parse_mount_table(text)}
