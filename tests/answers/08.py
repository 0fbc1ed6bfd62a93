"""Answers to the exercises of chapter 08 that a learner may plausibly give and that are wrong."""

CLIP = """
picture = np.full((32, 32, 3), 200, np.uint8)
cv2.circle(picture, (10, 16), 6, (200, 30, 30), -1)
right = [np.roll(picture, k, axis=1) for k in range(8)]
mine = np.array(right + [np.roll(right[-1], k, axis={axis}) for k in range(1, 9)])
t = np.arange({samples}) / 16_000
beep = np.where(abs(t - 0.4) < 0.05, 0.5 * np.sin(2 * np.pi * 1000 * t), 0)
answer = {{"frames": {frames}, "sound": beep.astype(np.float32), "motion": "{motion}"}}
"""
RIGHT = {"axis": 0, "samples": 32_000, "frames": "mine", "motion": "right"}

WRONG = {
    "Exercise 1: Which samples belong to a frame?": [
        "answer = lambda k, fps, rate: (k * round(rate / fps), (k + 1) * round(rate / fps))",  # drifts
        "answer = lambda k, fps, rate: (round(k * rate / fps), round((k + 1) * rate / fps) - 1)",  # the last
        "answer = lambda k, fps, rate: (k * rate / fps, (k + 1) * rate / fps)",  # no whole numbers
        "answer = lambda k, fps, rate: (round((k - 1) * rate / fps), round(k * rate / fps))",  # from 1
        "answer = lambda k, fps, rate: (round(k * rate / round(fps)), round((k + 1) * rate / round(fps)))",
        "answer = (640, 1280)",  # a frame, not the function
    ],
    "Exercise 2: Find the lag": [
        "answer = 0.0",  # believes the files
        "answer = -secret",  # the wrong way round
        "answer = round(secret * rate)",  # in samples
        "answer = round(secret * fps)",  # in frames
        "answer = secret + 0.25",  # beyond the neighbors
        "answer = [secret]",  # a list
    ],
    "Exercise 3: A clip of your own": [
        CLIP.format(**RIGHT | {"axis": 1}),  # one motion throughout
        CLIP.format(**RIGHT | {"motion": "down"}),  # what does not move at the beep
        CLIP.format(**RIGHT | {"samples": 16_000}),  # half as long as the clip
        CLIP.format(**RIGHT | {"frames": "mine / 255"}),  # no bytes
        CLIP.format(**RIGHT | {"frames": "mine[:8]"}),  # half of the frames
        "answer = (frames, sound, 'right')",  # no dictionary
    ],
}
