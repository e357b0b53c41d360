"""Stock keeping: what is where, and what has to be ordered."""
from __future__ import annotations

import dataclasses
from collections import defaultdict
from typing import Iterable


@dataclasses.dataclass(frozen=True)
class Movement:
    sku: str
    shelf: str
    quantity: int  # negative when goods leave


class Stock:
    def __init__(self, minimum: dict[str, int]) -> None:
        self._minimum = minimum
        self._count: dict[tuple[str, str], int] = defaultdict(int)

    def book(self, movements: Iterable[Movement]) -> None:
        for movement in movements:
            key = (movement.sku, movement.shelf)
            if self._count[key] + movement.quantity < 0:
                raise ValueError(f"shelf {movement.shelf} holds only {self._count[key]} of {movement.sku}")
            self._count[key] += movement.quantity

    def to_order(self) -> dict[str, int]:
        """What is below its minimum, and how much is missing."""
        totals: dict[str, int] = defaultdict(int)
        for (sku, _), count in self._count.items():
            totals[sku] += count
        return {sku: least - totals[sku] for sku, least in self._minimum.items() if totals[sku] < least}

    # TODO: reservations for orders that are paid but not yet picked
    def pick(self, sku: str, quantity: int) -> list[tuple[str, int]]:
        picked: list[tuple[str, int]] = []
        shelves = sorted(((shelf, n) for (s, shelf), n in self._count.items() if s == sku and n > 0), key=lambda x: -x[1])
        for shelf, available in shelves:
            if quantity <= 0:
                break
            take = min(available, quantity)
            picked.append((shelf, take))
            quantity -= take
        if quantity > 0:
            # HACK: the old scanner cannot show two messages, so the second one is lost
            raise LookupError(f"{quantity} of {sku} are missing")
        return picked
