"""Answers to the exercises of chapter 02 that a learner may plausibly give and that are wrong."""

WRONG = {
    "Exercise 1: Pool by averages": [
        "answer = lambda x, size: pool(x)",  # maxima, of blocks of two
        "answer = lambda x, size: x.reshape(len(x) // size, size, -1, size).mean(axis=(1, 3))",  # no rest
        "answer = lambda x, size: x[: len(x) // 2 * 2, : x.shape[1] // 2 * 2]"
        ".reshape(len(x) // 2, 2, -1, 2).mean(axis=(1, 3))",  # always two
        "answer = lambda x, size: x[size // 2 :: size, size // 2 :: size]",  # picks one, averages none
        "answer = lambda x, size: cv2.resize(x, (x.shape[0] // size, x.shape[1] // size))",  # axes exchanged
    ],
    "Exercise 2: Clean a text": [
        "answer = lambda s: [text.stem(w) for w in s.split() if w not in ENGLISH_STOP_WORDS]",  # capitals
        "answer = lambda s: [w for w in map(text.stem, text.words(s)) if w not in ENGLISH_STOP_WORDS]",
        "answer = lambda s: [w for w in text.words(s) if w not in ENGLISH_STOP_WORDS]",  # no stems
        "answer = lambda s: ' '.join(text.stem(w) for w in text.words(s) if w not in ENGLISH_STOP_WORDS)",
        "answer = lambda s: [text.stem(w) for w in text.words(s)]",  # stop words stay
    ],
    "Exercise 3: A better feature for noisy speech": [
        "answer = {'comparison': rows, 'mine': 'image', 'reference': 'sound', 'is_real': False}",  # not new
        "answer = {'comparison': rows.table, 'mine': 'image', 'reference': 'sound', 'is_real': False}",
        "same = compare({'sound': models['sound'], 'mine': models['sound']}, digits, digit_folds)\n"
        "answer = {'comparison': same, 'mine': 'mine', 'reference': 'sound', 'is_real': True}",  # no gain
        "answer = 0.75",
    ],
}
