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
        "answer = lambda confusion: {'recall': np.diag(confusion) / confusion.sum(axis=1)}",
        "answer = 0.6",
    ],
    "Exercise 2: How many are trained?": [
        "answer = lambda k, w, a, b: a * w + k * k * w * w + w * b",  # no depthwise filter
        "answer = lambda k, w, a, b: a * w + w + k * k * w + w + w * b + b",  # with biases
        "answer = lambda k, w, a, b: a * w + 9 * w + w * b",  # right for one kernel only
    ],
    "Exercise 3: Choose a rate without the test rows": [
        "score = lambda rate: curve(pretrained_weights, rate, 1)['val_accuracy'][-1]\n"
        "best = max((1e-4, 1e-3), key=score)\n"  # chosen on the test rows
        "answer = {'rate': best, 'train': learn, 'validation': judge, 'accuracy': score(best)}",
        "half = len(learn) // 2\n"  # kinds of things on both sides
        "answer = {'rate': 3e-4, 'train': learn[:half], 'validation': learn[half:], 'accuracy': 0.55}",
        "answer = {'rate': 3e-4}",
    ],
}
