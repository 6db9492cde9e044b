"""Discover: what a customer has not bought yet, and who bought the same as he did has.

Owns EASE, the step from who bought what to how much one item speaks for another, and the list with its reasons.
Counts of customers who bought two items add up in any order; what is learnt is a function of the set of customers.

Source: Steck, Embarrassingly Shallow Autoencoders for Sparse Data (WWW, 2019): a ridge regression of every item on
all others, in closed form.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
from scipy.linalg import lapack
from scipy.sparse import csr_array

from services.value.domain.models.arrays import Floats, Ints

RIDGE = 1000.0
"""Of 1,000 and 5,000 the better for new products after 2017-10-15 in The Complete Journey."""
KEPT = 200
"""For how many others an item's voice is kept, the loudest."""


class Voices(NamedTuple):
    """How much each item speaks for others: per item the others and the weights, the loudest first."""

    others: Ints
    weights: Floats


class Discovery(NamedTuple):
    """An item, how much what he bought speaks for it, and which of that the most."""

    item: int
    score: float
    because: int


def together(customer: Ints, item: Ints, items: int) -> Floats:
    """How many customers bought both of two items, on the diagonal one: items are 0 to `items` - 1.

    Pairs that come twice count once. Additive: of two sets of customers the sum is that of all.
    """
    _, row = np.unique(customer, return_inverse=True)
    codes = np.unique(row * items + item)
    who = csr_array(
        (np.ones(len(codes)), (codes // items, codes % items)), shape=(int(row.max(initial=0)) + 1, items)
    )
    found: Floats = (who.T @ who).toarray()
    return found


def ease(counts: Floats, ridge: float = RIDGE) -> Floats:
    """The weights B of EASE: of `counts` G, with P = (G + ridge)^-1, B is 0 on the diagonal and -P_ij / P_jj else.

    Row i says how much having item i speaks for each other. Items nobody has bought speak for none.
    """
    matrix = counts + ridge * np.eye(len(counts))
    factor, _ = lapack.dpotrf(matrix, lower=1, overwrite_a=1)
    inverse, _ = lapack.dpotri(factor, lower=1, overwrite_c=1)
    inverse = np.tril(inverse) + np.tril(inverse, -1).T
    weights: Floats = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return weights


def learn(customer: Ints, item: Ints, items: int, ridge: float = RIDGE, kept: int = KEPT) -> Voices:
    """What is kept of EASE: each item's loudest voices for others; rows (customer, item) in any order."""
    weights = ease(together(customer, item, items), ridge)
    kept = min(kept, items)
    # equal weights in the order of the items
    others = np.argsort(-weights, axis=1, kind="stable")[:, :kept]
    return Voices(others, np.take_along_axis(weights, others, axis=1))


def discover(voices: Voices, owned: Collection[int], limit: int = 10) -> list[Discovery]:
    """Of the items he does not own those that what he owns speaks for most, the best first; none that nothing does.

    `because` is what spoke loudest.
    """
    mine = np.array(sorted(set(owned)), dtype=np.int64)
    items = len(voices.others)
    if not len(mine) or not items:
        return []
    others, weights = voices.others[mine], voices.weights[mine]
    scores = np.bincount(others.ravel(), weights.ravel(), items)
    scores[mine] = -np.inf
    best = np.argsort(-scores, kind="stable")[:limit]
    found = []
    for item in best[scores[best] > 0].tolist():
        spoken = np.where(others == item, weights, -np.inf).max(axis=1)
        found.append(Discovery(item, float(scores[item]), int(mine[int(spoken.argmax())])))
    return found
