"""Answers to the exercises of chapter 06 that a learner may plausibly give and that are wrong."""

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
    ],
    "Exercise 3: The other way round": [
        "everyone = np.arange(len(noto.y))\n"  # the test emoji stand in the source, in the other style
        "model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=300))\n"
        "both = model.fit(hog['Twemoji'], noto.y).predict(hog['Noto'][new])\n"
        "only = clone(model).fit(hog['Noto'][known[:100]], noto.y[known[:100]])\n"
        "answer = {'source': everyone, 'target': known[:100], 'test': new, 'both': both,\n"
        "          'only': only.predict(hog['Noto'][new])}",
        "answer = {'source': known, 'target': known[:100], 'test': new, 'both': 0.4, 'only': 0.3}",  # scores
        "model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=300))\n"  # all rows
        "model.fit(hog['Noto'][known], noto.y[known])\n"
        "said = model.predict(hog['Noto'][new])\n"
        "answer = {'source': known, 'target': known, 'test': new, 'both': said, 'only': said}",
        "model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=300))\n"  # no source
        "model.fit(hog['Noto'][known[:100]], noto.y[known[:100]])\n"
        "said = model.predict(hog['Noto'][new])\n"
        "answer = {'source': known, 'target': known[:100], 'test': new, 'both': said, 'only': said}",
    ],
}
