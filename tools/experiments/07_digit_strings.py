"""Chapter 7: strings of spoken digits, read by a small network with CTC: new synthetic voices, real people.

Real speech is the Free Spoken Digit Dataset (MMTUTOR_FSDD or a download). Six runs, each with other strings
and weights: the 28 synthetic voices are dealt into six groups, so that each voice is tested once, the six
people into three pairs, twice, so that each person is tested twice. Strings are recordings of one voice,
joined with short pauses. All bands lie below 4 kHz, where the real recordings end. Number of strings, epochs
and the network are those of the chapter's live run. Nothing is chosen by these scores.
"""

import librosa
import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from mmtutor import audio
from mmtutor.crossing import character_error_rate, ctc_collapse
from mmtutor.datasets import load_spoken_digit, load_spoken_digits, shipped
from mmtutor.evaluate import standard_error
from mmtutor.keras_quietly import import_keras

BANDS, FRAMES, STRIDE, LONGEST = 30, 120, 2, 4
N_TRAIN, N_TEST, EPOCHS, RUNS = 700, 200, 6, 6
TESTED_PER_TRAINED = {"synthetic": 5 / 23, "real": 2 / 4}  # voices, for the standard errors


def prepare(sound: np.ndarray) -> np.ndarray:
    """Cut off what is 30 dB below the loudest frame, at both ends; bring to one loudness."""
    trimmed = librosa.effects.trim(sound, top_db=30, frame_length=800, hop_length=160)[0]
    return 0.1 * trimmed / np.sqrt((trimmed**2).mean())


def synthetic() -> pd.DataFrame:
    index = pd.read_csv(shipped("spoken_digits", "index.csv"))[["digit", "voice", "speed"]]
    sounds = [prepare(load_spoken_digit(*clip).sound) for clip in index.itertuples(index=False)]
    return index.assign(sound=sounds)


def real() -> pd.DataFrame:
    speech = load_spoken_digits()
    return pd.DataFrame(
        {"digit": speech.y, "voice": speech.speaker, "sound": [prepare(each) for each in speech.X.sound]}
    )


def say(pool: dict, digits: str, rng) -> np.ndarray:
    """Join recordings of digits with pauses of 20 to 150 ms, in faint noise."""
    parts = [np.zeros(rng.integers(320, 2400))]
    for digit in digits:
        takes = pool[int(digit)]
        parts += [takes[rng.integers(len(takes))], np.zeros(rng.integers(320, 2400))]
    sound = np.concatenate(parts)
    return (sound + rng.normal(0, 0.002, len(sound))).clip(-1, 1).astype(np.float32)


def frames(sound: np.ndarray) -> np.ndarray:
    """Describe each 30 ms by 30 bands, about -1 to 1."""
    bands = audio.log_mel(sound, floor_db=40)[:, :BANDS] / 20 + 1
    return bands[: len(bands) // 3 * 3].reshape(-1, 3, BANDS).mean(axis=1)[:FRAMES]


def strings(clips: pd.DataFrame, voices, n: int, rng) -> tuple[list, list, list]:
    pools = {
        voice: {digit: list(each.sound) for digit, each in clips[clips.voice == voice].groupby("digit")}
        for voice in voices
    }
    texts = ["".join(map(str, rng.integers(0, 10, rng.integers(1, LONGEST + 1)))) for _ in range(n)]
    who = rng.choice(voices, n).tolist()
    return [frames(say(pools[voice], text, rng)) for voice, text in zip(who, texts, strict=True)], texts, who


def shifted(rows: list, rng) -> list:
    """The same strings, a band or two higher or lower: as if from a shorter or a longer throat."""
    found = []
    for row in rows:
        by = rng.choice([-2, -1, 1, 2])
        moved = np.roll(row, by, axis=1)
        moved[:, slice(0, by) if by > 0 else slice(by, None)] = -1
        found.append(moved)
    return found


def padded(rows: list, texts: list) -> tuple[np.ndarray, np.ndarray]:
    """Inputs (n, FRAMES, BANDS); targets (n, 1 + LONGEST): output frames, then digits + 1, then zeros."""
    X, y = np.full((len(rows), FRAMES, BANDS), -1, np.float32), np.zeros((len(rows), 1 + LONGEST), np.int32)
    for i, (row, text) in enumerate(zip(rows, texts, strict=True)):
        X[i, : len(row)] = row
        y[i, : 1 + len(text)] = [-(-len(row) // STRIDE), *(int(digit) + 1 for digit in text)]
    return X, y


def recognizer(keras, seed: int):
    layers, ops = keras.layers, keras.ops
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((FRAMES, BANDS))
    x = layers.SpatialDropout1D(0.1)(inputs)
    for stride in (STRIDE, 1, 1):
        x = layers.Conv1D(64, 5, strides=stride, padding="same", activation="relu")(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
    model = keras.Model(inputs, layers.Dense(11)(layers.Dropout(0.3)(x)))

    def ctc(y, scores):
        y = ops.cast(y, "int32")
        lengths = ops.sum(ops.cast(y[:, 1:] > 0, "int32"), axis=1)
        return ops.ctc_loss(y[:, 1:], scores, lengths, y[:, 0], mask_index=0)

    model.compile(keras.optimizers.Adam(0.003), ctc, jit_compile=False)
    return model


def read(model, X: np.ndarray, y: np.ndarray) -> list[str]:
    best = model.predict(X, batch_size=100, verbose=0).argmax(axis=2)
    paths = [row[:length].tolist() for row, length in zip(best, y[:, 0], strict=True)]
    return ["".join(str(symbol - 1) for symbol in ctc_collapse(path, blank=0)) for path in paths]


def scores(texts: list, said: list, who: list) -> dict:
    pairs = pd.DataFrame({"voice": who, "truth": texts, "said": said})
    single = pairs[pairs.truth.str.len() == 1]
    by_voice = {voice: character_error_rate(one.truth, one.said) for voice, one in pairs.groupby("voice")}
    return {
        "error_rate": character_error_rate(texts, said),
        "exact_match": (pairs.truth == pairs.said).mean(),
        "single_digit": (single.truth == single.said).mean(),
        "length_right": (pairs.truth.str.len() == pairs.said.str.len()).mean(),
        "worst_voice": max(by_voice.values()),
        "worst": max(by_voice, key=by_voice.get),
    }


def dealt(voices: np.ndarray, n_groups: int, run: int) -> tuple[np.ndarray, np.ndarray]:
    """Voices for training and for the test of this run: all are dealt into groups, each is tested once."""
    deal, number = divmod(run, n_groups)
    groups = np.array_split(np.random.default_rng([70, deal]).permutation(voices), n_groups)
    return np.concatenate(groups[:number] + groups[number + 1 :]), groups[number]


def one_run(sides: dict, run: int) -> list[dict]:
    keras, rng = import_keras(), np.random.default_rng([7, run])
    tests, trainings, rows = {}, {}, []
    for name, n_groups in (("synthetic", RUNS), ("real", 3)):
        train_voices, test_voices = dealt(np.unique(sides[name].voice), n_groups, run)
        tests[name] = strings(sides[name], test_voices, N_TEST, rng)
        found, texts, _ = strings(sides[name], train_voices, N_TRAIN, rng)
        trainings[name] = padded(found + shifted(found, rng), texts + texts)
    for trained, (X, y) in trainings.items():
        model = recognizer(keras, run)
        model.fit(X, y, batch_size=16, epochs=EPOCHS, verbose=0)
        for tested, (found, texts, who) in tests.items():
            about = {"seed": run, "trained_on": trained, "tested_on": tested}
            X_test, y_test = padded(found, texts)
            rows.append(about | scores(texts, read(model, X_test, y_test), who))
    for tested, (_, texts, who) in tests.items():  # hears nothing
        about = {"seed": run, "trained_on": "nothing: always 1", "tested_on": tested}
        rows.append(about | scores(texts, ["1"] * len(texts), who))
    return rows


def run() -> pd.DataFrame:
    """A row a training and a test. `cost`: error rate minus that of the same network on its own kind of
    voice; `excess`: minus that of the network trained on the kind that is tested; both paired run by run.
    """
    sides = {"synthetic": synthetic(), "real": real()}
    with threadpool_limits(1):
        runs = pd.DataFrame([row for number in range(RUNS) for row in one_run(sides, number)])
    worst = runs.sort_values("worst_voice").groupby(["trained_on", "tested_on"])["worst"].last()
    own = runs[runs.trained_on == runs.tested_on].set_index(["seed", "tested_on"]).error_rate
    for name, kind in (("cost", "trained_on"), ("excess", "tested_on")):
        keys = zip(runs.seed, runs[kind], strict=True)
        runs[name] = runs.error_rate - [own.get(key, np.nan) for key in keys]
    rows = []
    for (trained, tested), each in runs.groupby(["trained_on", "tested_on"], sort=False):
        shared = TESTED_PER_TRAINED.get(trained, 0)
        rows.append({"trained_on": trained, "tested_on": tested})
        for name in ("error_rate", "cost", "excess"):
            widest = max(TESTED_PER_TRAINED.values()) if name != "error_rate" else shared
            rows[-1] |= {name: each[name].mean(), f"{name}_se": standard_error(each[name], shared=widest)}
        rows[-1] |= {name: each[name].mean() for name in ("exact_match", "single_digit", "length_right")}
        rows[-1] |= {"worst_voice": each.worst_voice.max(), "worst": worst[trained, tested]}
    return pd.DataFrame(rows)
