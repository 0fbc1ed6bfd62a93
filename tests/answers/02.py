"""Answers to the exercises of chapter 02 that a learner may plausibly give and that are wrong."""

NETWORK = (
    "layers = keras.layers\nstart = [keras.Input((28, 28, 1)), layers.Conv2D(4, 3), layers.MaxPooling2D(4)]\n"
)
STEM, STOP = "text.stem(w) for w in", "w not in ENGLISH_STOP_WORDS"

WRONG = {
    "Exercise 1: A small network": [
        NETWORK + "end = [layers.Flatten(), layers.Dense(10)]\n"  # no softmax
        "answer = keras.Sequential(start + end), 40 + 1450",
        NETWORK + "end = [layers.Flatten(), layers.Dense(10, activation='softmax')]\n"
        "answer = keras.Sequential(start + end), 36 + 1440",  # no biases
        NETWORK + "end = [layers.Flatten(), layers.Dense(10, activation='softmax')]\n"
        "answer = keras.Sequential(start + end), 40 + 4 * 7 * 7 * 10 + 10",  # 28 / 4, not 26 / 4
        "layers = keras.layers\nanswer = keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(),\n"
        "    layers.Dense(5), layers.Dense(10, activation='softmax')]), 3985",  # no convolution
        "layers = keras.layers\nanswer = keras.Sequential([keras.Input((28, 28, 1)), layers.Conv2D(16, 3),\n"
        "    layers.MaxPooling2D(2), layers.Flatten(), layers.Dense(10, activation='softmax')]), 27210",
        "layers = keras.layers\nanswer = keras.Sequential([keras.Input((28, 28, 1)),\n"
        "    layers.MaxPooling2D(4), layers.Conv2D(4, 3), layers.Flatten(),\n"
        "    layers.Dense(10, activation='softmax')]), 1050",  # pools first
        NETWORK + "end = [layers.Flatten(), layers.Dense(8, activation='softmax')]\n"  # eight groups of emoji
        "answer = keras.Sequential(start + end), 40 + 1160",
        NETWORK + "end = [layers.Flatten(), layers.Dense(10, activation='softmax')]\n"
        "answer = keras.Sequential(start + end)",  # no pair
    ],
    "Exercise 2: Clean a text": [
        f"answer = lambda s: [text.stem(w) for w in s.split() if {STOP}]",  # capitals
        f"answer = lambda s: [w for w in map(text.stem, text.words(s)) if {STOP}]",  # stems first
        f"answer = lambda s: [w for w in text.words(s) if {STOP}]",  # no stems
        f"answer = lambda s: ' '.join(text.stem(w) for w in text.words(s) if {STOP})",
        "answer = lambda s: [text.stem(w) for w in text.words(s)]",  # stop words stay
        f"answer = lambda s: [{STEM} s.lower().split() if {STOP} and any(map(str.isalnum, w))]",
        f"answer = lambda s: [text.stem(w) for w in text.words(s) if {STOP} and w.isalpha()]",  # no numbers
        f"answer = lambda s: list(dict.fromkeys({STEM} text.words(s) if {STOP}))",  # no repeats
        f"answer = lambda s: (text.stem(w) for w in text.words(s) if {STOP})",
    ],
    "Exercise 3: Scale without looking": [
        "fit = StandardScaler().fit_transform\nanswer = lambda train, test: (fit(train), fit(test))",
        "def answer(train, test):\n"  # fitted on both
        "    scaler = StandardScaler().fit(np.vstack([train, test]))\n"
        "    return scaler.transform(train), scaler.transform(test)",
        "def answer(train, test):\n"  # one mean for all columns
        "    return (train - train.mean()) / train.std(), (test - train.mean()) / train.std()",
        "def answer(train, test):\n"  # the range, not the deviation
        "    low, high = train.min(axis=0), train.max(axis=0)\n"
        "    return (train - low) / np.maximum(high - low, 1), (test - low) / np.maximum(high - low, 1)",
        "def answer(train, test):\n"  # divides by 0
        "    with np.errstate(all='ignore'):\n"
        "        return [(each - train.mean(axis=0)) / train.std(axis=0) for each in (train, test)]",
        "def answer(train, test):\n"  # the test rows keep their units
        "    return StandardScaler().fit_transform(train), test",
    ],
    "Exercise 4: A better feature for noisy speech": [
        "answer = {'comparison': rows, 'mine': 'image', 'reference': 'sound', 'is_real': False}",  # not new
        "answer = {'comparison': rows.table, 'mine': 'image', 'reference': 'sound', 'is_real': False}",
        "same = compare({'sound': models['sound'], 'mine': models['sound']}, digits, digit_folds)\n"
        "answer = {'comparison': same, 'mine': 'mine', 'reference': 'sound', 'is_real': True}",  # no gain
        "answer = 0.75",
    ],
}
