"""Answers to the exercises of chapter 04 that a learner may plausibly give and that are wrong."""

WRONG = {
    "Exercise 1: Per class by hand": [
        "def answer(confusion):\n"  # rows and columns exchanged
        "    right = np.diag(confusion)\n"
        "    given, true = np.maximum(confusion.sum(axis=0), 1), confusion.sum(axis=1)\n"
        "    return {'precision': right / true, 'recall': right / given,\n"
        "            'F1': 2 * right / (given + true)}",
        "def answer(confusion):\n"  # the ordinary mean for the harmonic one
        "    right = np.diag(confusion)\n"
        "    P = right / np.maximum(confusion.sum(axis=0), 1)\n"
        "    R = right / confusion.sum(axis=1)\n"
        "    return {'precision': P, 'recall': R, 'F1': (P + R) / 2}",
        "def answer(confusion):\n"  # P + R may be below 1
        "    right = np.diag(confusion)\n"
        "    P, R = (right / np.maximum(confusion.sum(axis=axis), 1) for axis in (0, 1))\n"
        "    return {'precision': P, 'recall': R, 'F1': 2 * P * R / np.maximum(P + R, 1)}",
        "answer = lambda confusion: {'recall': np.diag(confusion) / confusion.sum(axis=1)}",
        "answer = 0.6",
    ],
    "Exercise 2: Tune from a careless head": [
        "answer = {'good': gentle[:2], 'careless': gentle[:2], 'trained': 1_020_040}",  # the good head twice
        "answer = {'good': gentle[:2], 'careless': frozen_accuracy, 'trained': 1_020_040}",
        "low = [value / 2 for value in gentle[:2]]\n"  # exchanged
        "answer = {'careless': gentle[:2], 'good': low, 'trained': 1_020_040}",
        "low = [value / 2 for value in gentle[:2]]\n"  # without the softmax
        "answer = {'good': gentle[:2], 'careless': low, 'trained': counts['last block']}",
        "low = [value / 2 for value in gentle[:2]]\n"  # without the biases
        "answer = {'good': gentle[:2], 'careless': low, 'trained': counts['last block'] + 1280 * 8}",
    ],
    "Exercise 3: Choose a rate without the test rows": [
        "answer = {'train': learn, 'validation': judge, 'frozen': frozen_accuracy,\n"  # on the test rows
        "          'scores': {1e-4: 0.55, 1e-3: 0.4}, 'rate': 1e-4, 'accuracy': 75 / len(judge)}",
        "cut = GroupShuffleSplit(1, test_size=0.3, random_state=0)\n"  # the head has seen the validation rows
        "inner, val = (learn[n] for n in next(cut.split(learn, groups=emoji.groups[learn])))\n"
        "answer = {'train': inner, 'validation': val,\n"
        "          'frozen': frozen.score(features[val], codes[val]),\n"
        "          'scores': {1e-4: 0.99, 1e-3: 0.7}, 'rate': 1e-4, 'accuracy': 75 / len(judge)}",
        "cut = GroupShuffleSplit(1, test_size=0.3, random_state=0)\n"  # not the better rate
        "inner, val = (learn[n] for n in next(cut.split(learn, groups=emoji.groups[learn])))\n"
        "answer = {'train': inner, 'validation': val, 'frozen': 0.5,\n"
        "          'scores': {1e-4: 0.55, 1e-3: 0.4}, 'rate': 1e-3, 'accuracy': 75 / len(judge)}",
        "half = len(learn) // 2\n"  # kinds of things on both sides
        "answer = {'train': learn[:half], 'validation': learn[half:], 'frozen': 0.5,\n"
        "          'scores': {1e-4: 0.55, 1e-3: 0.4}, 'rate': 1e-4, 'accuracy': 75 / len(judge)}",
        "answer = {'rate': 3e-4}",
    ],
}
