"""Access tokens that carry their own end, so that a restarted simulator still knows them."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import timedelta

from lawang.domain.clock import Clock

LIFE = timedelta(hours=1)


@dataclass(frozen=True)
class Tokens:
    """Gives and recognises tokens, signed with `secret`."""

    secret: str
    clock: Clock

    def give(self) -> str:
        """A token that holds for `LIFE`."""
        end = str(int((self.clock() + LIFE).timestamp()))
        return f"{end}.{self._sign(end)}"

    def is_good(self, token: str) -> bool:
        """Whether the token was given here and has not run out."""
        end, _, signature = token.partition(".")
        if not hmac.compare_digest(signature.encode(), self._sign(end).encode()):
            return False
        return int(end) > self.clock().timestamp()

    def _sign(self, text: str) -> str:
        return hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
