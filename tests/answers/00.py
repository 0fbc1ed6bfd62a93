"""Answers to the exercises of chapter 00 that a learner may plausibly give and that are wrong."""

WRONG = {
    "Exercise 1: Say a number": [
        "answer = len(load_spoken_digit(3, voice='am_michael').sound)",  # samples, not seconds
        "answer = load_spoken_digit(3, voice='am_michael').sound / 16000",  # an array
        "answer = len(load_spoken_digit(3).sound) / 16000",  # another voice
        "answer = '0.85'",
    ],
}
