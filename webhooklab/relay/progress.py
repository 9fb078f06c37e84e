"""How far a channel has been taken in: what may be acknowledged. No I/O."""

from __future__ import annotations

from collections import deque


class Progress:
    """Sequences as they come, in order, and as they are committed, in any order.

    `reached`: this and all before it are committed, or are not to come.
    """

    def __init__(self, reached: int) -> None:
        self.reached = reached
        self._coming: deque[int] = deque()
        self._committed: set[int] = set()

    def came(self, sequence: int) -> bool:
        """A delivery is there, to be committed; False: it is, or is being, already."""
        newest = self._coming[-1] if self._coming else self.reached
        if sequence <= newest:
            return False
        self._coming.append(sequence)
        return True

    def committed(self, sequence: int) -> None:
        """One that came is committed."""
        self._committed.add(sequence)
        while self._coming and self._coming[0] in self._committed:
            self.reached = self._coming.popleft()
            self._committed.discard(self.reached)

    @property
    def open(self) -> int:
        """How many came, and are not committed."""
        return len(self._coming) - len(self._committed)
