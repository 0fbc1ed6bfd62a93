"""Answers to the exercises of chapter 06 that a learner may plausibly give and that are wrong."""

HEAD = (
    "def answer(source, source_y, target, target_y, test):\n"
    "    both = pd.concat([source, target]), [*source_y, *target_y]\n"
    "    hog = lambda table: image.HOG(cell=16).fit_transform(table.image)\n"
    "    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=300))\n"
    "    fit = lambda table, y: model.fit(hog(table), y)\n"
)

WRONG = {
    "Exercise 1: Pool what is there": [
        "def answer(Y, how):\n"  # one missing modality makes the whole sample missing
        "    if how == 'concatenation':\n"
        "        return np.nan_to_num(Y).reshape(len(Y), -1)\n"
        "    return {'mean': np.mean, 'maximum': np.max}[how](Y, axis=1)",
        "def answer(Y, how):\n"  # a zero that takes part
        "    Y = np.nan_to_num(Y)\n"
        "    return {'mean': Y.mean(1), 'maximum': Y.max(1), 'concatenation': Y.reshape(len(Y), -1)}[how]",
        "def answer(Y, how):\n"  # the gap stays in the concatenation
        "    if how == 'concatenation':\n"
        "        return Y.reshape(len(Y), -1)\n"
        "    return {'mean': np.nanmean, 'maximum': np.nanmax}[how](Y, axis=1)",
        "def answer(Y, how):\n"  # samples and modalities exchanged
        "    if how == 'concatenation':\n"
        "        return np.nan_to_num(Y).reshape(len(Y), -1)\n"
        "    return {'mean': np.nanmean, 'maximum': np.nanmax}[how](Y, axis=0)",
        "def answer(Y, how):\n"  # feature by feature, not modality by modality
        "    if how == 'concatenation':\n"
        "        return np.nan_to_num(Y).swapaxes(1, 2).reshape(len(Y), -1)\n"
        "    return {'mean': np.nanmean, 'maximum': np.nanmax}[how](Y, axis=1)",
        "def answer(Y, how):\n"  # works in place
        "    if how == 'concatenation':\n"
        "        Y[np.isnan(Y)] = 0\n"
        "        return Y.reshape(len(Y), -1)\n"
        "    return {'mean': np.nanmean, 'maximum': np.nanmax}[how](Y, axis=1)",
        "def answer(Y, how):\n"  # what is there moves up into the gap
        "    if how == 'concatenation':\n"
        "        there = [y[~np.isnan(y)] for y in Y]\n"
        "        return np.array([np.pad(y, (0, Y[0].size - len(y))) for y in there])\n"
        "    return {'mean': np.nanmean, 'maximum': np.nanmax}[how](Y, axis=1)",
        "def answer(Y, how):\n"  # only the last modality may be missing
        "    short = np.isnan(Y[:, -1])\n"
        "    if how == 'concatenation':\n"
        "        return np.nan_to_num(Y).reshape(len(Y), -1)\n"
        "    pool = {'mean': np.mean, 'maximum': np.max}[how]\n"
        "    return np.where(short, pool(Y[:, :-1], axis=1), pool(Y, axis=1))",
        "def answer(Y, how):\n"  # a number that is small, but not small enough
        "    if how == 'maximum':\n"
        "        return np.nan_to_num(Y, nan=-10).max(axis=1)\n"
        "    return np.nanmean(Y, axis=1) if how == 'mean' else np.nan_to_num(Y).reshape(len(Y), -1)",
        "def answer(Y, how):\n"  # the median
        "    if how == 'concatenation':\n"
        "        return np.nan_to_num(Y).reshape(len(Y), -1)\n"
        "    return {'mean': np.nanmedian, 'maximum': np.nanmax}[how](Y, axis=1)",
    ],
    "Exercise 2: Turn one space into another": [
        "answer = lambda A, B: np.linalg.lstsq(B, A, rcond=None)[0]",  # stretches, too
        "def answer(A, B):\n"  # the way back
        "    U, _, Vt = np.linalg.svd(B.T @ A)\n"
        "    return (U @ Vt).T",
        "def answer(A, B):\n"  # V for its transpose
        "    U, _, Vt = np.linalg.svd(B.T @ A)\n"
        "    return U @ Vt.T",
        "def answer(A, B):\n"  # the rotated samples, not the rotation
        "    U, _, Vt = np.linalg.svd(B.T @ A)\n"
        "    return B @ U @ Vt",
        "def answer(A, B):\n"  # no reflections
        "    U, _, Vt = np.linalg.svd(B.T @ A)\n"
        "    U[:, -1] *= np.sign(np.linalg.det(U @ Vt))\n"
        "    return U @ Vt",
        "def answer(A, B):\n"  # centered first
        "    U, _, Vt = np.linalg.svd((B - B.mean(axis=0)).T @ (A - A.mean(axis=0)))\n"
        "    return U @ Vt",
    ],
    "Exercise 3: The other way round": [
        HEAD
        + "    return fit(source, source_y).predict(hog(test))",  # the target is not used, and may be alone
        HEAD + "    return fit(target, target_y).predict(hog(test))",  # no source
        HEAD + "    return fit(*both).score(hog(test), noto.y[new])",  # a score
        HEAD
        + "    return fit(both[0], [*target_y, *source_y]).predict(hog(test))",  # labels in another order
        HEAD + "    return fit(*both).predict(hog(source if len(source) else target))",  # not the test rows
        HEAD
        + "    side = (source, source_y) if len(source) else (target, target_y)\n"  # either, never both
        + "    return fit(*side).predict(hog(test))",
    ],
}
