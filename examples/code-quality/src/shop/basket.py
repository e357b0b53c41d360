"""What a customer has chosen, and what it costs."""


class Basket:
    """Articles with their prices, in cents."""

    def __init__(self):
        self._lines = []

    def add(self, name, cents, count=1):
        """Puts an article in; again with the same name adds to it."""
        self._lines.append((name, cents * count))

    def total(self):
        """The sum, in cents."""
        return sum(cents for _, cents in self._lines)


def empty():
    return Basket()
