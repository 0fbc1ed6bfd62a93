"""Answers to the exercises of chapter 09 that a learner may plausibly give and that are wrong."""

PARTS = "p = 1 / (1 + np.exp(-np.asarray(a, float)))\n    "

WRONG = {
    "Exercise 1: Slopes of two losses": [
        "def answer(a, y):\n"  # with respect to p instead of the logit
        f"    {PARTS}"
        "return {'squared error': 2 * (p - y), 'cross-entropy': -y / p + (1 - y) / (1 - p)}",
        "def answer(a, y):\n"  # the sign turned round
        f"    {PARTS}"
        "return {'squared error': 2 * (y - p) * p * (1 - p), 'cross-entropy': y - p}",
        "def answer(a, y):\n"  # the factor 2 forgotten
        f"    {PARTS}"
        "return {'squared error': (p - y) * p * (1 - p), 'cross-entropy': p - y}",
        "def answer(a, y):\n"  # the mean over samples
        f"    {PARTS}"
        "return {'squared error': np.mean(2 * (p - y) * p * (1 - p)), 'cross-entropy': np.mean(p - y)}",
        "def answer(a, y):\n"  # the logit taken for the probability
        "    return {'squared error': 2 * (a - y) * a * (1 - a), 'cross-entropy': a - y}",
        "answer = {'squared error': -0.002, 'cross-entropy': -0.999}",
    ],
    "Exercise 2: Mend ten networks": [
        "answer = {}",
        "answer = {patient.__name__: patient for patient in broken.PATIENTS}",  # nothing was mended
        "answer = {patient.__name__: broken.healthy for patient in broken.PATIENTS}",  # one does not average
        "def deaf():\n"  # the branch that made trouble is left out
        "    picture, text = inputs()\n"
        "    z = layers.Average()([see(picture), see(picture)])\n"
        "    return train(keras.Model([picture, text], head(z)), [P, W], Y)\n"
        "answer = {patient.__name__: deaf for patient in broken.PATIENTS}",
        "def untrained():\n"  # stops before the line that raised
        "    picture, text = inputs()\n"
        "    z = layers.Average()([see(picture), read(text)])\n"
        "    return keras.Model([picture, text], head(z))\n"
        "answer = {patient.__name__: untrained for patient in broken.PATIENTS}",
        "answer = 'import Concatenate'",
    ],
}
