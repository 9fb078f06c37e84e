"""A process whose file locks are all refused, as those of an NFS mount without its lock service.

It has the kernel refuse them (https://man7.org/linux/man-pages/man2/seccomp.2.html): nothing that
asks for a lock is told apart from what would happen on such a mount.
"""

import ctypes
import errno
import platform
import struct

_CALLS = {"x86_64": (72, 73), "aarch64": (25, 32)}
"""The numbers of fcntl and flock, by machine."""
_SET_LOCKS = (6, 7, 37, 38)
"""fcntl's commands that set a lock."""
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _FAIL = 0x7FFF0000, 0x00050000
_NO_NEW_PRIVILEGES, _SECCOMP, _FILTER = 38, 22, 2


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def refuse_locks() -> None:
    """From now on this process, and what it starts, gets no file lock."""
    instructions = _instructions(*_CALLS[platform.machine()])
    code = ctypes.create_string_buffer(
        b"".join(struct.pack("HBBI", *each) for each in instructions)
    )
    program = _Program(len(instructions), ctypes.addressof(code))
    control = ctypes.CDLL(None).prctl
    assert control(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0
    assert control(_SECCOMP, _FILTER, ctypes.byref(program), 0, 0) == 0


def _instructions(fcntl: int, flock: int) -> list[tuple[int, int, int, int]]:
    """Operation, how many to skip if it holds, if not, and its argument."""
    count = len(_SET_LOCKS)
    return [
        (_LOAD, 0, 0, 0),  # the call's number
        (_EQUAL, count + 3, 0, flock),
        (_EQUAL, 0, count + 1, fcntl),
        (_LOAD, 0, 0, 24),  # its second argument
        *((_EQUAL, count - at, 0, each) for at, each in enumerate(_SET_LOCKS)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _FAIL | errno.ENOLCK),
    ]
