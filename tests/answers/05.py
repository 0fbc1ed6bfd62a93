"""Answers to the exercises of chapter 05 that a learner may plausibly give and that are wrong."""

WRONG = {
    "Exercise 1: Leave out a vote": [
        "def fuse(P, present, prior):\n"
        "    p = prior * (P / prior * present[:, :, None]).prod(axis=0)\n"  # a missing vote becomes a veto
        "    return p / np.fmax(p.sum(axis=1, keepdims=True), 1e-9)\n"
        "answer = fuse",
        "def fuse(P, present, prior):\n"
        "    p = np.where(present[:, :, None] == 1, P, 1).prod(axis=0)\n"  # priors left in, and none without
        "    return p / p.sum(axis=1, keepdims=True)\n"
        "answer = fuse",
        "def fuse(P, present, prior):\n"
        "    p = np.where(present[:, :, None] == 1, P, 1).prod(axis=0) / prior ** (len(P) - 1)\n"  # n of all
        "    return p / p.sum(axis=1, keepdims=True)\n"
        "answer = fuse",
        "answer = lambda P, present, prior: np.nanmean(P, axis=0)",  # another rule
        "def fuse(P, present, prior):\n"
        "    p = prior * np.where(present[:, :1, None] == 1, P / prior, 1).prod(axis=0)\n"  # of the first row
        "    return p / p.sum(axis=1, keepdims=True)\n"
        "answer = fuse",
        "def fuse(P, present, prior):\n"
        "    everywhere = present.all(axis=1)[:, None, None]\n"  # a gap in one row drops the modality in all
        "    p = prior * np.where(everywhere, P / prior, 1).prod(axis=0)\n"
        "    return p / p.sum(axis=1, keepdims=True)\n"
        "answer = fuse",
        "def fuse(P, present, prior):\n"
        "    p = prior * np.where(present[:, :, None] == 1, P / prior, 1).prod(axis=0)\n"
        "    return p / p.sum()\n"  # over all rows
        "answer = fuse",
        "def fuse(P, present, prior):\n"
        "    P[present == 0] = prior\n"  # changes what it was given
        "    p = prior * (P / prior).prod(axis=0)\n"
        "    return p / p.sum(axis=1, keepdims=True)\n"
        "answer = fuse",
    ],
    "Exercise 2: Weights that balance": [
        "answer = lambda y: {c: 1 / n for c, n in zip(*np.unique(y, return_counts=True))}",  # no N, no K
        "answer = lambda y: {c: n / len(y) for c, n in zip(*np.unique(y, return_counts=True))}",  # inverted
        "answer = lambda y: {c: len(y) / n for c, n in zip(*np.unique(y, return_counts=True))}",  # no K
        "answer = lambda y: dict(enumerate(len(y) / np.unique(y, return_counts=True)[1] / 10))",  # ours only
        "answer = lambda y: {c: len(y) / (10 * n) for c, n in zip(*np.unique(y, return_counts=True))}",  # K
    ],
    "Exercise 3: End the race in your own way": [
        "answer = {'history': joint, 'k': lambda r, a: 1 - np.tanh(a * r) if r > 1 else 1.0}",  # no cure
        "answer = {'history': train(epochs=4, unimodal=1.0),\n"  # the chapter's, cut short
        "          'k': lambda r, a: 1 - np.tanh(a * r) if r > 1 else 1.0}",
        "answer = {'history': trained['with unimodal losses'],\n"  # the chapter's
        "          'k': lambda r, a: 1 - np.tanh(a * r) if r > 1 else 1.0}",
        "answer = {'history': 1.001 * trained['with unimodal losses'],\n"
        "          'k': lambda r, a: 1 - np.tanh(a * r)}",  # slows down all
        "answer = {'history': 1.001 * trained['with unimodal losses'],\n"
        "          'k': lambda r, a: 1 - np.tanh(a) if r > 1 else 1.0}",  # the ratio only decides
        "answer = joint.image.iloc[-1]",
    ],
}
