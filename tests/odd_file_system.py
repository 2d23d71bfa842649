"""A file system that shows a folder as some disks would.

`python odd_file_system.py WAYS BACK MOUNTPOINT COMMAND...` speaks FUSE's protocol with the kernel
(linux/fuse.h, version 7.31) and needs no library; the mount lasts as long as the command. WAYS are
some of these, with + between: `same` (every folder has one number), `drift` (numbers change at
every look), `loop` (the folder `self` is the whole once more, for ever), `mac` (letters are
composed and decomposed, upper and lower case alike, as on macOS), `away` and `empty` (while there
is a file BACK.away, every answer is an error of the disk, or there is nothing in it).
"""

import ctypes
import errno
import os
import signal
import stat
import struct
import subprocess
import sys
from itertools import count
from pathlib import Path
from unicodedata import normalize

LOOKUP, FORGET, GETATTR, OPEN, READ, RELEASE, FLUSH, INIT = 1, 2, 3, 14, 15, 18, 25, 26
OPENDIR, READDIR, RELEASEDIR, DESTROY, BATCH_FORGET = 27, 28, 29, 38, 42
DETACH = 2


class OddFileSystem:
    def __init__(self, back: str, ways: frozenset[str]) -> None:
        self.back, self.ways = back, ways
        self.paths = {1: ""}
        self.nodes = {"": 1}
        self.numbers = count(1 << 20)

    def real(self, path: str) -> str:
        if "loop" in self.ways:
            path = path.rpartition("/self")[2]
        if "mac" not in self.ways:
            return self.back + path
        found = self.back
        for name in path.split("/")[1:]:
            alike = next((one for one in names_in(found) if fold(one) == fold(name)), None)
            if alike is None:
                raise FileNotFoundError(errno.ENOENT, name)
            found = f"{found}/{alike}"
        return found

    def attributes(self, path: str) -> bytes:
        state = os.lstat(self.real(path))
        number = state.st_ino
        if stat.S_ISDIR(state.st_mode) and "same" in self.ways:
            number = 270582940672
        if "drift" in self.ways:
            number = next(self.numbers)
        seconds = [int(t) for t in (state.st_atime, state.st_mtime, state.st_ctime)]
        owner = (state.st_nlink, 0, 0, 0, 4096, 0)
        sizes = (number, state.st_size, state.st_blocks)
        return struct.pack("<6Q10I", *sizes, *seconds, 0, 0, 0, state.st_mode, *owner)

    def answer(self, code: int, node: int, body: bytes) -> bytes | None:  # noqa: PLR0911
        """What is answered; None where nothing is to be. Raises OSError."""
        if code in (FORGET, BATCH_FORGET):
            return None
        if code == INIT:
            return struct.pack("<4I2H2I2H8I", 7, 31, 65536, 0, 12, 9, 65536, 1, 16, 0, *[0] * 8)
        self.require_there(code)
        path = self.paths[node]
        if code == LOOKUP:
            child = f"{path}/{os.fsdecode(body.rstrip(bytes(1)))}"
            attributes = self.attributes(child)
            number = self.nodes.setdefault(child, len(self.nodes) + 1)
            self.paths[number] = child
            return struct.pack("<4Q2I", number, 0, 0, 0, 0, 0) + attributes
        if code == GETATTR:
            return struct.pack("<Q2I", 0, 0, 0) + self.attributes(path)
        if code in (OPEN, OPENDIR):  # where it may go away, the kernel keeps nothing in memory
            return struct.pack("<Q2I", 0, "away" in self.ways, 0)
        if code == READ:
            _, offset, size = struct.unpack_from("<2QI", body)
            with Path(self.real(path)).open("rb") as file:
                file.seek(offset)
                return file.read(size)
        if code == READDIR:
            _, offset, size = struct.unpack_from("<2QI", body)
            return self.listing(path, offset, size)
        if code in (RELEASE, RELEASEDIR, FLUSH, DESTROY):
            return b""
        raise OSError(errno.ENOSYS, "not here")

    def require_there(self, code: int) -> None:
        """Raise OSError for what a storage that is away does not answer."""
        away = {"away", "empty"} & self.ways and Path(f"{self.back}.away").exists()
        if away and "away" in self.ways and code not in (RELEASE, RELEASEDIR, DESTROY):
            raise OSError(errno.EIO, "the storage is away")
        if away and code in (LOOKUP, READDIR, OPEN):
            raise OSError(errno.ENOENT, "nothing is mounted")

    def listing(self, path: str, offset: int, size: int) -> bytes:
        names = [".", "..", *sorted(names_in(self.real(path)))]
        if "loop" in self.ways:
            names.append("self")
        told = b""
        for number, name in enumerate(names[offset:], start=offset + 1):
            raw = os.fsencode(normalize("NFD", name) if "mac" in self.ways else name)
            entry = struct.pack("<2Q2I", 1, number, len(raw), 0) + raw
            entry += bytes(-len(entry) % 8)
            if len(told) + len(entry) > size:
                break
            told += entry
        return told

    def serve(self, device: int) -> None:
        while True:
            request = os.read(device, 1 << 20)
            _, code, unique, node = struct.unpack_from("<2I2Q", request)
            error, answer = 0, None
            try:
                answer = self.answer(code, node, request[40:])
            except OSError as refusal:
                error, answer = -(refusal.errno or errno.EIO), b""
            if answer is not None:
                os.write(device, struct.pack("<IiQ", 16 + len(answer), error, unique) + answer)


def names_in(folder: str) -> list[str]:
    return [path.name for path in Path(folder).iterdir()]


def fold(name: str) -> str:
    return normalize("NFC", name).casefold()


def main() -> int:
    ways, back, folder, *command = sys.argv[1:]
    device = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0".encode()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"odd", os.fsencode(folder), b"fuse.odd", 6, options) != 0:
        raise OSError(ctypes.get_errno(), "mount")
    server = os.fork()
    if server == 0:
        OddFileSystem(str(Path(back).resolve()), frozenset(ways.split("+"))).serve(device)
    os.close(device)
    try:
        return subprocess.run(command, check=False).returncode
    finally:
        os.kill(server, signal.SIGKILL)
        libc.umount2(os.fsencode(folder), DETACH)


if __name__ == "__main__":
    sys.exit(main())
