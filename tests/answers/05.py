"""Answers to the exercises of chapter 05 that a learner may plausibly give and that are wrong."""

WRONG = {
    "Exercise 1: Vote without the missing, weigh the rare": [
        "def answer(P, present, n, w):\n"
        "    prior = n * w / (n * w).sum()\n"
        "    p = prior * (np.nan_to_num(P) / prior * present[:, :, None]).prod(axis=0)\n"  # a gap is a veto
        "    return p / np.fmax(p.sum(axis=1, keepdims=True), 1e-9)",
        "def answer(P, present, n, w):\n"
        "    p = np.where(present[:, :, None] == 1, P, 1).prod(axis=0)\n"  # priors left in, and none without
        "    return p / p.sum(axis=1, keepdims=True)",
        "def answer(P, present, n, w):\n"
        "    prior = n * w / (n * w).sum()\n"
        "    p = np.where(present[:, :, None] == 1, P, 1).prod(axis=0) / prior ** (len(P) - 1)\n"  # n of all
        "    return p / p.sum(axis=1, keepdims=True)",
        "def answer(P, present, n, w):\n"
        "    return np.nan_to_num(P).sum(axis=0) / np.fmax(present.sum(axis=0), 1)[:, None]",  # the mean
        "def by(prior, P, present):\n"
        "    p = prior * np.where(present[:, :, None] == 1, P / prior, 1).prod(axis=0)\n"
        "    return p / p.sum(axis=1, keepdims=True)\n"
        "answer = lambda P, present, n, w: by(n / n.sum(), P, present)",  # as if there were no weights
        "answer = lambda P, present, n, w: by(np.full(len(n), 1 / len(n)), P, present)",  # as if balanced
        "answer = lambda P, present, n, w: by(w / w.sum(), P, present)",  # weights, but of how many samples?
        "answer = lambda P, present, n, w: by(n / w / (n / w).sum(), P, present)",  # upside down
        "def answer(P, present, n, w):\n"  # weights count in training, not in the vote
        "    p = by(n / n.sum(), P, present) * w\n"
        "    return p / p.sum(axis=1, keepdims=True)",
        "def answer(P, present, n, w):\n"
        "    prior = n * w / (n * w).sum()\n"
        "    p = prior * np.where(present[:, :, None] == 1, P / prior, 1).prod(axis=0)\n"
        "    return p / p.sum()",  # over all rows
        "def answer(P, present, n, w):\n"
        "    prior = n * w / (n * w).sum()\n"
        "    everywhere = present.all(axis=1)[:, None, None]\n"  # a gap in one row drops the modality in all
        "    p = prior * np.where(everywhere, P / prior, 1).prod(axis=0)\n"
        "    return p / p.sum(axis=1, keepdims=True)",
    ],
    "Exercise 2: Choose, and stop": [
        "def alone(votes, y, m):\n"
        "    return (votes[m].argmax(axis=1) == y).mean()\n"
        "answer = lambda votes, y, parts: sorted(votes, key=lambda m: -alone(votes, y, m))",  # by relevance
        "def grow(votes, y, parts, stop):\n"
        "    right = lambda names: sum(np.log(votes[m]) for m in names).argmax(axis=1) == y\n"
        "    each = lambda names: np.array([right(names)[rows].mean() for rows in parts])\n"
        "    names = []\n"
        "    while left := [m for m in votes if m not in names]:\n"
        "        best = max(left, key=lambda m: right([*names, m]).mean())\n"
        "        if names and stop(each([*names, best]) - each(names)):\n"
        "            return names\n"
        "        names.append(best)\n"
        "    return names\n"
        "answer = lambda votes, y, parts: grow(votes, y, parts, lambda gains: False)",  # never stops
        "answer = lambda votes, y, parts: grow(votes, y, parts, lambda gains: gains.mean() <= 0)",  # any gain
        "answer = lambda votes, y, parts: grow(votes, y, parts, lambda gains: gains.mean() < 0.01)",
        "answer = lambda votes, y, parts: list(votes)[: len(grow(votes, y, parts, lambda g: g.mean() <= 0))]",
        "def answer(votes, y, parts):\n"  # one too many: it stops after the step that gains nothing
        "    names = grow(votes, y, parts, lambda g: g.mean() <= 2 * standard_error(g))\n"
        "    return names + [m for m in votes if m not in names][:1]",
    ],
    "Exercise 3: Fill, shrink, decide": [
        "from sklearn.model_selection import GridSearchCV, StratifiedKFold\n"
        "sizes = {'pca__n_components': [20, 40, 80]}\n"
        "full = make_pipeline(SimpleImputer(), StandardScaler(), PCA(random_state=0), head)\n"
        "filled_before = SimpleImputer().fit_transform(Z)\n"
        "short = make_pipeline(StandardScaler(), PCA(random_state=0), head)\n"
        "answer = GridSearchCV(short, sizes, cv=folds).fit(filled_before, digits.y)",  # fails in use
        "answer = GridSearchCV(full, sizes, cv=list(StratifiedKFold(3).split(Z, digits.y))).fit(Z, digits.y)",
        "answer = GridSearchCV(full, sizes, cv=3).fit(Z, digits.y)",  # folds by row
        "answer = GridSearchCV(full, {'pca__n_components': [40]}, cv=folds).fit(Z, digits.y)",
        "answer = GridSearchCV(make_pipeline(SimpleImputer(), head), {}, cv=folds).fit(Z, digits.y)",  # PCA
        "answer = GridSearchCV(full, sizes, cv=folds)",  # not fitted
        "answer = full.set_params(pca__n_components=40).fit(Z, digits.y)",  # no search
        "from sklearn.model_selection import GroupKFold\n"
        "by_scan = {'cv': GroupKFold(3).split(Z, digits.y, digits.scan)}\n"  # groups, but not the voices
        "answer = GridSearchCV(full, sizes, cv=list(by_scan['cv'])).fit(Z, digits.y)",
        "one_size = {'pca__n_components': [40], 'logisticregression__C': [0.1, 1, 10]}\n"
        "answer = GridSearchCV(full, one_size, cv=folds).fit(Z, digits.y)",  # three candidates
    ],
    "Exercise 4: End the race in your own way": [
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
