# SPDX-License-Identifier: Apache-2.0
"""Which version of a model may answer while clients ask at a steady pace and the version changes."""

import time

PACE = 50  # requests a second


class Switching:
    """Begins with `version` in service. From the call of a change to its end both may answer."""

    def __init__(self, version):
        self.start = time.monotonic()
        self.spans = [[version, self.start, None]]  # version, from, until

    def await_turn(self, i):
        """Returns when request `i` is due: the pace of the clients, not a wait for an event."""
        delay = self.start + i / PACE - time.monotonic()
        if delay > 0:
            time.sleep(delay)

    def switched(self, version, called):
        """`version` serves from now on; the change was asked for at `called`."""
        self.spans[-1][2] = time.monotonic()
        self.spans.append([version, called, None])

    def legal(self, sent, received):
        """The versions that may have answered a request."""
        return {v for v, begin, end in self.spans if begin <= received and (end is None or sent <= end)}
