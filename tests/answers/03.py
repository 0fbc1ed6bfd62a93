"""Answers to the exercises of chapter 03 that a learner may plausibly give and that are wrong."""

LEARN = """
def answer(P, y):
    logs, Y, theta = np.log(P), np.eye(P.shape[2])[y], np.zeros(len(P))
    for _ in range({steps}):
        p = softmax(np.tensordot(theta, logs, 1), axis=1)
        theta -= {rate} * {slope}.sum(axis=2).mean(axis=1)
    return theta
"""
ONE_RULE = """  # the mean, twice
from mmtutor.datasets import load_emoji

cats = load_emoji()
words = {'text': TfidfVectorizer()}
both = compare({rule: fusion.late_fusion(words, head) for rule in ('mean', 'product')}, cats,
               make_folds(cats, n_splits=2))
"""
TWO_RULES = """
from mmtutor.datasets import load_emoji

cats = load_emoji()
views = {'image': make_pipeline(image.HOG(), Normalizer()), 'text': TfidfVectorizer()}
both = compare({rule: fusion.late_fusion(views, head, rule=rule) for rule in ('mean', 'product')}, cats,
               make_folds(cats, n_splits=2))
gain = both.difference('product', 'mean')
"""

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
        "answer = lambda P, prior: P[0]",  # no fusion
        "answer = np.prod(three, axis=0)",  # what the function gives, not the function
    ],
    "Exercise 2: How far to trust each vote": [
        "answer = lambda P, y: np.ones(len(P))",  # the plain product
        LEARN.format(slope="(logs * (Y - p))", rate=0.2, steps=300),  # uphill
        LEARN.format(slope="(logs * -Y)", rate=0.2, steps=300),  # forgets what the model says
        LEARN.format(slope="(logs * (p - Y))", rate=0.02, steps=50),  # stops early
        LEARN.format(slope="(logs * (p - Y))", rate=5, steps=300),  # jumps
        "answer = lambda P, y: np.array([0.84, 1.0, 1.11])",  # fixed, whatever the votes
        "answer = np.array([0.84, 1.0, 1.11])",  # the exponents, not the function
    ],
    "Exercise 3: The same lines on emoji": [
        "answer = {'comparison': results, 'difference': 0.026, 'product_wins': True}",  # digits, other names
        ONE_RULE + "answer = {'comparison': both, 'difference': 0.0, 'product_wins': False}",
        TWO_RULES
        + "answer = {'comparison': both, 'difference': gain.mean, 'product_wins': not gain.exceeds(0)}",
        TWO_RULES + "answer = {'comparison': both, 'difference': 0.1, 'product_wins': gain.exceeds(0)}",
        "answer = {'product_wins': False}",
        "answer = (results, False)",
    ],
}
