"""Chapter 8: what a network's parts earn: differences as input, an LSTM over time, sound; five seeds.

The same CNN looks at each step of a clip: at a frame alone, or at a frame beside its difference from the one
before. Its features, beside the loudness or not, are read by an LSTM; or a dense layer sees each step and the
mean over steps is taken, an order-blind rival that may still multiply motion by loudness. Label *at the beep*
is the motion at the beep, *first motion* that of the clip's first part. Seed s makes 800 clips for training
and, of other drawings, 400 for testing, 32 pixels wide; no clip is made twice, all seeds share the drawings.
Frames alone, which stay near chance, have three seeds. `training` is the accuracy of the last epoch.
"""

import cv2
import numpy as np
import pandas as pd

from mmtutor.keras_quietly import import_keras
from mmtutor.motion import FusedInTime, Loudness, VideoLSTM
from mmtutor.scenes import make_videos

SEEDS = range(1, 6)
HOW = {"epochs": 15, "batch_size": 32, "learning_rate": 0.005, "dropout": 0.0}


class MeanOverTime(FusedInTime):
    """Fuse step by step with a dense layer, then take the mean over the steps."""

    def fuse(self, features: list):
        layers = import_keras().layers
        each = layers.Dense(self.n_units, activation="relu")(self.side_by_side(features))
        return layers.GlobalAveragePooling1D()(each)


def settings():
    for shown in ("differences", "frames"):
        for reader in ("mean", "LSTM"):
            for sound in (False, True):
                yield "at the beep", shown, reader, sound
    yield from (("first motion", "differences", reader, False) for reader in ("mean", "LSTM"))


def run() -> pd.DataFrame:
    cv2.setNumThreads(1)
    rows = []
    for seed in SEEDS:
        train = make_videos(800, "train", size=32, random_state=seed)
        test = make_videos(400, "test", size=32, random_state=seed)
        for label, shown, reader, sound in settings():
            if shown == "frames" and seed > 3:
                continue
            encoders = {"video": VideoLSTM(each_step=True, differences=shown == "differences")}
            encoders |= {"sound": Loudness()} if sound else {}
            kind = FusedInTime if reader == "LSTM" else MeanOverTime
            y, y_new = (d.y if label == "at the beep" else d.motions[:, 0] for d in (train, test))
            model = kind(encoders, random_state=seed, **HOW).fit(train.X, y)
            said = np.asarray(model.predict(test.X), str)
            row = {"seed": seed, "label": label, "input": shown, "reader": reader, "sound": sound}
            row |= {"accuracy": np.mean(said == y_new), "training": model.history_.accuracy.iloc[-1]}
            turns, turn_said = (np.char.endswith(each, "clockwise") for each in (y_new, said))
            row |= {"turns": np.mean((said == y_new)[turns]), "others": np.mean((said == y_new)[~turns])}
            rows.append(row | {"turns_called_turns": np.mean(turn_said[turns])})
    return pd.DataFrame(rows)
