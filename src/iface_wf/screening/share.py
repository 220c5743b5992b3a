"""A share of a screening, for one of many jobs of a scheduler that divide it between them."""

from __future__ import annotations

import re
from typing import NamedTuple

from iface_wf.errors import InputError, shown
from iface_wf.flows.graph import Graph

#: Most shares, far more than schedulers allow jobs in an array.
MOST = 100_000


class Share(NamedTuple):
    """One of so many shares.

    Attributes
    ----------
    number
        Which one, from 1.
    of
        How many there are.
    """

    number: int
    of: int

    def part(self, graph: Graph) -> Graph:
        """Return the results of this share, those of neighbours in the list together, because they have parts in common.

        What cannot be built is told by the first share.
        """
        keys = list(graph.items)
        first, end = ((number * len(keys)) // self.of for number in (self.number - 1, self.number))
        own = graph.only(keys[first:end])
        return own if self.number == 1 else Graph(own.parts, own.items)


def read_share(text: str) -> Share:
    """Read ``3/8``: the third of eight.

    Raises
    ------
    InputError
        For anything else, also where the number is not from 1 to the count.
    """
    found = re.fullmatch(r"\s*(\d{1,6})\s*/\s*(\d{1,6})\s*", text)
    share = Share(int(found[1]), int(found[2])) if found else Share(0, 0)
    if not 1 <= share.number <= share.of <= MOST:
        raise InputError(
            f"A part is NUMBER/COUNT with numbers from 1, such as 3/8 or $SLURM_ARRAY_TASK_ID/8 in an array 1-8, not {shown(text)}."
        )
    return share
