"""Answers to the exercises of chapter 03 that a learner may plausibly give and that are wrong."""

WRONG = {
    "Exercise 1: The product with priors": [
        "answer = lambda P, prior: np.prod(P, axis=0)",  # rows do not sum to 1
        "answer = lambda P, prior: np.prod(P, axis=0) / np.prod(P, axis=0).sum(axis=1, keepdims=True)",
        "def fuse(P, prior):\n"
        "    p = np.prod(P, axis=0) / prior ** len(P)\n"  # once too often
        "    return p / p.sum(axis=1, keepdims=True)\n"
        "answer = fuse",
        "def fuse(P, prior):\n"
        "    p = np.prod(P, axis=0) / prior ** 2\n"  # right for three modalities only
        "    return p / p.sum(axis=1, keepdims=True)\n"
        "answer = fuse",
        "def fuse(P, prior):\n"
        "    P /= prior\n"  # changes what it was given
        "    p = np.prod(P, axis=0) * prior\n"
        "    return p / p.sum(axis=1, keepdims=True)\n"
        "answer = fuse",
        "answer = lambda P, prior: P.mean(axis=0)",  # another rule
    ],
    "Exercise 2: Choose a weight honestly": [
        "best = max((k / 10 for k in range(11)), key=on_test)\n"  # chosen on the test rows
        "answer = {'alpha': best, 'accuracy': weighted(best)}",
        "answer = {'alpha': 0.0, 'accuracy': on_test(0.0)}",  # the image alone
        "best = max((k / 10 for k in range(11)), key=weighted)\n"  # the score of the rows it was chosen on
        "answer = {'alpha': best, 'accuracy': weighted(best)}",
        "answer = 0.5",
    ],
    "Exercise 3: The same lines on emoji": [
        "answer = {'comparison': results, 'product_wins': True}",  # digits, other names
        "from mmtutor.datasets import load_emoji\n"
        "cats = load_emoji()\n"
        "words = {'text': TfidfVectorizer()}\n"
        "one = {rule: fusion.late_fusion(words, head) for rule in ('mean', 'product')}\n"  # twice the mean
        "answer = {'comparison': compare(one, cats, make_folds(cats, n_splits=2)), 'product_wins': True}",
        "answer = {'product_wins': False}",
    ],
}
