"""How often something may happen: a bucket per key, kept only while it is not full."""

from __future__ import annotations

import math
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class Rates:
    """`per_second` for each key, and `burst` at once. Times are monotonic seconds."""

    def __init__(self, per_second: float, burst: int) -> None:
        self._per_second = per_second
        self._burst = float(burst)
        self._buckets: dict[object, _Bucket] = {}

    def refusal(self, key: object, now: float) -> int | None:
        """Count one; or after how many whole seconds to come again."""
        bucket = self._buckets.setdefault(key, _Bucket(self._burst, now))
        bucket.left = self._filled(bucket, now)
        bucket.at = now
        if bucket.left < 1.0:
            return max(1, math.ceil((1.0 - bucket.left) / self._per_second))
        bucket.left -= 1.0
        return None

    def _filled(self, bucket: _Bucket, now: float) -> float:
        return min(self._burst, bucket.left + (now - bucket.at) * self._per_second)

    def forget(self, now: float) -> None:
        """Let go of the buckets that are full again."""
        full = [
            key for key, each in self._buckets.items() if self._filled(each, now) >= self._burst
        ]
        for key in full:
            del self._buckets[key]


def nearby(address: str) -> str:
    """Who counts as one: an IPv4 address, an IPv6 network of the size that one customer gets."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(ip, IPv6Address):
        return str(ip)
    return str(ip.ipv4_mapped or ip_network((ip, 64), strict=False))
