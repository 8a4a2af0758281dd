"""Summaries of training data in which nobody can be found: the backgrounds that ship."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from sklearn.cluster import KMeans

from models.arrays import Array, Bytes, Weights
from models.manifest import Value

SMALLEST_GROUP = 5
"""Clusters and rows that stand for fewer members than this are not shown."""


_RANKED = 256
"""Of so many values the nearest are looked for."""


def cluster(x: Array, clusters: int, seed: int) -> Array:
    """Label of each row's k-means cluster (n,); clusters of fewer than SMALLEST_GROUP members join their nearest.

    Where more than half of them would have to, half as many clusters are looked for: joined clusters draw others to them.
    """
    labels = _merged(x.reshape(len(x), -1), clusters, seed)
    enough = clusters == 1 or 2 * len(np.unique(labels)) >= clusters
    return labels if enough else cluster(x, clusters // 2, seed)


def _merged(flat: Array, clusters: int, seed: int) -> Array:
    kmeans = KMeans(min(clusters, len(np.unique(flat, axis=0))), n_init=3, random_state=seed).fit(flat)
    labels = kmeans.labels_.copy()
    centres = {label: kmeans.cluster_centers_[label] for label in range(len(kmeans.cluster_centers_))}
    while len(centres) > 1:
        sizes = {label: int(np.sum(labels == label)) for label in centres}
        smallest = min(centres, key=lambda label: (sizes[label], label))
        if sizes[smallest] >= SMALLEST_GROUP:
            break
        gone = centres.pop(smallest)
        nearest = min(centres, key=lambda label: float(np.sum((centres[label] - gone) ** 2)))
        labels[labels == smallest] = nearest
        centres[nearest] = flat[labels == nearest].mean(axis=0)
    return labels


def summarise_records(
    rows: Sequence[Sequence[Value]], labels: Array, everybody: Sequence[Sequence[Value]] = ()
) -> tuple[list[list[Value]], Weights]:
    """One valid record per cluster, and its share of the rows.

    Each field is snapped to a value that occurs (the most frequent category, the nearest number to the cluster's mean),
    and no centre equals a row that occurs fewer than SMALLEST_GROUP times, among `everybody` if the rows were drawn from more.
    """
    occurring = [list(dict.fromkeys(row[i] for row in rows)) for i in range(len(rows[0]))]
    rare = {row for row, count in Counter(map(tuple, everybody or rows)).items() if count < SMALLEST_GROUP}
    sizes: Counter[tuple[Value, ...]] = Counter()
    for label in np.unique(labels):
        members = [row for row, its in zip(rows, labels, strict=True) if its == label]
        ranked = [_nearest([row[i] for row in members], values) for i, values in enumerate(occurring)]
        sizes[_first_not_in(rare, ranked)] += len(members)
    weights = np.array(list(sizes.values()), np.float64)
    return [list(centre) for centre in sizes], (weights / weights.sum()).astype(np.float32)


def summarise_images(images: Bytes, classes: Array, per_class: int, seed: int) -> tuple[Bytes, Weights]:
    """`per_class` centres of each class (rounded to bytes), and each one's share of the images."""
    centres, sizes = [], []
    for one in np.unique(classes):
        members = images[classes == one]
        labels = cluster(members.astype(np.float32), per_class, seed)
        for label in np.unique(labels):
            centres.append(np.round(members[labels == label].mean(axis=0)).astype(np.uint8))
            sizes.append(int(np.sum(labels == label)))
    weights = np.array(sizes, np.float64)
    return np.stack(centres), (weights / weights.sum()).astype(np.float32)


def _nearest(members: Sequence[Value], allowed: Sequence[Value]) -> list[Value]:
    """The allowed values, best first."""
    if isinstance(members[0], str):
        counts = Counter(members)
        return sorted(allowed, key=lambda value: (-counts[value], str(value)))
    numbers = np.array([float(value) for value in allowed])
    distance = np.abs(numbers - float(np.mean([float(value) for value in members])))
    near = np.argpartition(distance, min(_RANKED, len(numbers)) - 1)[:_RANKED]
    return [allowed[k] for k in near[np.lexsort((numbers[near], distance[near]))]]


def _first_not_in(rare: set[tuple[Value, ...]], ranked: list[list[Value]]) -> tuple[Value, ...]:
    """The best value of every field, moved one field at a time until the record is nobody's."""
    best = [values[0] for values in ranked]
    if tuple(best) not in rare:
        return tuple(best)
    for step in range(1, max(map(len, ranked))):
        for i in reversed(range(len(ranked))):
            if step < len(ranked[i]):
                moved = (*best[:i], ranked[i][step], *best[i + 1 :])
                if moved not in rare:
                    return moved
    raise ValueError("expected at least one combination of values that is nobody's record")
