"""How often somebody may do something."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

_KEYS_MAX = 2000


class Pace:
    """Lets each key do something so often: `burst` at once, then `per_s` a second."""

    def __init__(self, burst: int, per_s: float, clock: Callable[[], float]) -> None:
        self._burst = burst
        self._per_s = per_s
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, key: str) -> float:
        """0 where it may, which counts as having done it; else how long to wait, in seconds."""
        now = self._clock()
        left, at = self._left.pop(key, (float(self._burst), now))
        left = min(self._burst, left + (now - at) * self._per_s)
        wait = 0.0 if left >= 1 else (1 - left) / self._per_s
        self._left[key] = (left - 1 if not wait else left, now)
        if len(self._left) > _KEYS_MAX:
            self._left.popitem(last=False)
        return wait
