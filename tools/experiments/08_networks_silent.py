"""Chapter 8: the network that fuses in time, without the sound; five seeds.

Clips, seeds, epochs and columns are those of 08_networks.py.
"""

import runpy
from pathlib import Path

import pandas as pd

from mmtutor.motion import FusedInTime, VideoLSTM

SHARED = runpy.run_path(str(Path(__file__).with_name("08_networks.py")))


def run() -> pd.DataFrame:
    encoders = {"video": VideoLSTM(each_step=True)}
    return SHARED["measure"]("CNN + LSTM", lambda how: FusedInTime(encoders, **how))
