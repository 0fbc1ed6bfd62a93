"""Answers to the exercises of chapter 08 that a learner may plausibly give and that are wrong."""

MOMENT = """
def answer(path, second):
    clip, sound = video.read(path), audio.read(path.with_suffix(".wav"))
    k = {k}
    first, stop = {first}, {stop}
    return clip.frames[k]{channels}, sound[first:stop]
"""
SEEN = {
    "k": "int(second * clip.fps)",
    "first": "round(k * rate / clip.fps)",
    "stop": "round((k + 1) * rate / clip.fps)",
    "channels": "",
}
NETWORK = """
steps_in = keras.Input((15, 3))
x = {layers}
answer = keras.Model(steps_in, keras.layers.Dense(6, activation="{activation}")(x))
"""
CLIP = """
picture = np.full((32, 32, 3), 200, np.uint8)
cv2.circle(picture, (10, 16), 6, (200, 30, 30), -1)
right = [np.roll(picture, k, axis=1) for k in range(8)]
mine = np.array(right + [np.roll(right[-1], k, axis={axis}) for k in range(1, 9)])
t = np.arange({n} * 16_000 // {fps}) / 16_000
beep = np.where(abs(t - 0.4) < 0.05, 0.5 * np.sin(2 * np.pi * 1000 * t), 0).astype(np.float32)
answer = {{"path": Path(folder.name) / "wrong.avi", "motion": "{motion}"}}
video.write(answer["path"], mine[:{n}], {fps}, beep)
"""
RIGHT = {"axis": 0, "n": 16, "fps": 8, "motion": "right"}

WRONG = {
    "Exercise 1: What is seen and heard at this second?": [
        MOMENT.format(**SEEN | {"k": "round(second * clip.fps)"}),  # the next frame, too early
        MOMENT.format(**SEEN | {"channels": "[..., ::-1]"}),  # blue for red
        MOMENT.format(**SEEN | {"first": "k * int(rate / clip.fps)", "stop": "first + int(rate / clip.fps)"}),
        MOMENT.format(**SEEN | {"stop": "round((k + 1) * rate / clip.fps) - 1"}),  # the last one lost
        MOMENT.format(**SEEN | {"stop": "len(sound)"}),  # all that follows
        "answer = lambda path, second: (int(second * 8), sound)",  # numbers, and the clip of the lesson
    ],
    "Exercise 2: A network that cannot be shuffled": [
        NETWORK.format(layers="keras.layers.GlobalAveragePooling1D()(steps_in)", activation="softmax"),
        NETWORK.format(
            layers="keras.layers.GlobalMaxPooling1D()(keras.layers.Dense(8)(steps_in))", activation="softmax"
        ),
        NETWORK.format(layers="keras.layers.LSTM(16, return_sequences=True)(steps_in)", activation="softmax"),
        NETWORK.format(layers="keras.layers.LSTM(16)(steps_in)", activation="linear"),
        NETWORK.format(layers="steps_in[:, -1] - steps_in[:, 0]", activation="softmax"),
        "answer = keras.layers.LSTM(6)",  # a layer, with no softmax
    ],
    "Exercise 3: Find the lag": [
        "answer = 0.0",  # believes the files
        "answer = -scores.idxmax() if 'scores' in globals() and hasattr(scores, 'idxmax') else 0.0",
        "answer = 10_000",  # in samples
        "answer = 5",  # in slots
        "answer = [0.5]",  # a list
        "answer = 'late'",
    ],
    "Exercise 4: A clip of your own": [
        CLIP.format(**RIGHT | {"axis": 1}),  # one motion throughout
        CLIP.format(**RIGHT | {"motion": "down"}),  # what does not move at the beep
        CLIP.format(**RIGHT | {"n": 8}),  # half of the frames
        CLIP.format(**RIGHT | {"fps": 16}),  # twice as fast
        "answer = {'frames': frames, 'sound': sound, 'motion': 'right'}",  # no file
        "answer = (path, 'right')",  # no dictionary
    ],
}
