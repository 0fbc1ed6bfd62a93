"""The course's data sets, each as a table: one row a sample, one column a modality.

Every loader returns a scikit-learn Bunch. What is shipped lies in `mmtutor/data`, with its licenses.
"""

import hashlib
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from mmtutor import audio, image
from mmtutor.table import make_table
from mmtutor.text import stem, words

DATA = Path(__file__).parent / "data"
TILE, COLUMNS = 64, 40  # the sheets of emoji: side of a tile in pixels, tiles in a row

# Words that name a group of emoji, or nearly: whoever reads one needs no classifier.
GROUP_WORDS = {
    "en": "smiley smile emotion face people person body animal nature food drink travel place activity "
    "object symbol",
    "zh": "表情 情感 脸 人 身体 动物 自然 食物 食品 饮料 旅行 地点 活动 物品 物体 符号 标志",
}


def load_emoji(
    vendor: str = "noto",
    language: str = "en",
    text: str = "keywords",
    n_keywords: int = 2,
    empty_as_missing: bool = False,
    random_state: int = 0,
) -> Bunch:
    """Load 1,378 emoji: a picture and words each, in eight groups.

    Parameters
    ----------
    vendor : {"noto", "twemoji"}, default="noto"
        Who drew the pictures: Google or Twitter.
    language : {"en", "zh"}, default="en"
        English or Chinese words.
    text : {"keywords", "all keywords", "name"}, default="keywords"
        ``"keywords"``: a few at random, after leaving out those that share a word with the emoji's name or
        group. ``"all keywords"``: every one; they nearly spell the group (the leak of chapter 1).
        ``"name"``: the official name.
    n_keywords : int, default=2
        How many words ``text="keywords"`` draws; an emoji with fewer shows them all.
    empty_as_missing : bool, default=False
        Texts that come out empty are ``""``, a text without words; True makes them missing (NaN).
    random_state : int, default=0
        Which keywords are drawn.

    Returns
    -------
    Bunch
        X : pd.DataFrame, shape (1378, 2)
            Columns ``image`` (uint8 RGB arrays (64, 64, 3), on white) and ``text`` (str).
        y : array of str, shape (1378,)
            The group: Activities, Animals & Nature, Food & Drink, Objects, People & Body, Smileys & Emotion,
            Symbols or Travel & Places.
        groups : array of str, shape (1378,)
            The last word of the English name. *Red apple* and *green apple* are of one kind: a split must
            keep them on one side.
        name, subgroup, codepoint : arrays of str, shape (1378,)
        target_names : array of str, shape (8,)
        DESCR : str

    Raises
    ------
    ValueError
        For an unknown vendor, language or kind of text.
    OSError
        If a shipped file is missing or damaged; the message says how to restore it.

    Notes
    -----
    Pictures: Noto Emoji (Apache-2.0), Twemoji (CC BY 4.0). Words: Unicode CLDR (Unicode-3.0).
    Taught in chapter 1.
    """
    _one_of("vendor", vendor, ("noto", "twemoji"))
    _one_of("language", language, ("en", "zh"))
    _one_of("text", text, ("keywords", "all keywords", "name"))
    emoji = _emoji_table()
    names = emoji[f"name_{language}"]
    if text == "name":
        texts = list(names)
    elif text == "all keywords":
        texts = list(emoji[f"keywords_{language}"].str.replace("|", " "))
    else:
        rng = np.random.default_rng(random_state)
        fair = _fair_keywords(language)
        texts = [" ".join(rng.choice(each, min(n_keywords, len(each)), replace=False)) for each in fair]
    if empty_as_missing:
        texts = [each or None for each in texts]
    return Bunch(
        X=make_table({"image": list(_emoji_pictures(vendor).copy()), "text": texts}),
        y=emoji.group.to_numpy(str),
        groups=emoji.name_en.str.lower().str.findall(r"\w+").str[-1].to_numpy(str),
        name=names.to_numpy(str),
        subgroup=emoji.subgroup.to_numpy(str),
        codepoint=emoji.codepoint.to_numpy(str),
        target_names=np.unique(emoji.group.to_numpy(str)),
        DESCR=(DATA / "emoji" / "README.md").read_text("utf-8"),
    )


def fair_keywords(keywords: list[str], name: str, group: str, language: str) -> list[str]:
    """Leave out the keywords that share a word with an emoji's name or group.

    Parameters
    ----------
    keywords : list of str
    name, group : str
        The emoji's name in `language`, and its group in English.
    language : {"en", "zh"}
        English words are compared by their stems; Chinese, without spaces between words, by containment.

    Returns
    -------
    list of str: the rest, in the same order

    Notes
    -----
    Taught in chapter 1 (the text that spells the answer).
    """
    if language == "en":
        banned = _stems(name) | _stems(group) | _stems(GROUP_WORDS["en"])
        return [k for k in keywords if _stems(k) and not _stems(k) & banned]
    banned = GROUP_WORDS["zh"].split()
    return [
        k
        for k in keywords
        if not any(part in name or name in part for part in k.split())
        and not any(word in k for word in banned)
    ]


@cache
def _stems(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in words(text))


def load_spoken_digit(digit: int = 7, voice: str = "bf_emma", speed: float = 1.0) -> Bunch:
    """Load one spoken digit, said by a synthetic voice.

    Parameters
    ----------
    digit : int, 0-9
    voice : str, default="bf_emma"
        One of 28 English voices: a or b for American or British, f or m for female or male, and a name.
    speed : {0.85, 1.0, 1.2}, default=1.0

    Returns
    -------
    Bunch
        sound : float32 array, shape (n_samples,), in [-1, 1]
        rate : int, 16000 samples a second
        digit, voice, speed : as asked for
        DESCR : str

    Raises
    ------
    ValueError
        For a digit, voice or speed that was not recorded.
    OSError
        If a shipped file is missing or damaged.

    Notes
    -----
    The speech is synthetic (Kokoro-82M, Apache-2.0). Taught in chapter 0.
    """
    index = pd.read_csv(shipped("spoken_digits", "index.csv"))
    _one_of("digit", digit, tuple(range(10)))
    _one_of("voice", voice, tuple(index.voice.unique()))
    _one_of("speed", speed, tuple(float(each) for each in index.speed.unique()))
    clip = index[(index.voice == voice) & (index.digit == digit) & (index.speed == speed)].iloc[0]
    sound = audio.read(shipped("spoken_digits", f"{voice}.ogg"))
    return Bunch(
        sound=sound[clip.start_sample : clip.start_sample + clip.n_samples],
        rate=audio.RATE,
        digit=digit,
        voice=voice,
        speed=speed,
        DESCR=(DATA / "spoken_digits" / "README.md").read_text("utf-8"),
    )


def shipped(folder: str, name: str) -> Path:
    """Find a file that is shipped with the course, and make sure that it is whole.

    Parameters
    ----------
    folder, name : str
        A folder of ``mmtutor/data`` and a file in it, listed in the folder's SHA256SUMS.

    Returns
    -------
    Path

    Raises
    ------
    OSError
        If the file is missing or its SHA-256 is not the listed one; the message says how to restore it.

    Notes
    -----
    Used by every loader; taught in chapter 15.
    """
    path = DATA / folder / name
    listed = dict(
        reversed(line.split(maxsplit=1))
        for line in (DATA / folder / "SHA256SUMS").read_text("utf-8").splitlines()
    )
    cure = f"restore it with `git checkout -- mmtutor/data/{folder}/{name}`, or install mmtutor again"
    if not path.is_file() or name not in listed:
        raise FileNotFoundError(f"mmtutor/data/{folder}/{name} is missing; {cure}")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != listed[name]:
        raise OSError(
            f"mmtutor/data/{folder}/{name} is damaged: its SHA-256 begins with {found[:8]} instead of "
            f"{listed[name][:8]}; {cure}"
        )
    return path


@cache
def _fair_keywords(language: str) -> list[list[str]]:
    emoji = _emoji_table()
    columns = emoji[f"keywords_{language}"].str.split("|"), emoji[f"name_{language}"], emoji.group
    return [fair_keywords(*each, language) for each in zip(*columns, strict=True)]


@cache
def _emoji_table() -> pd.DataFrame:
    return pd.read_csv(shipped("emoji", "emoji.csv"), dtype=str, keep_default_na=False)


@cache
def _emoji_pictures(vendor: str) -> np.ndarray:
    """uint8 array, shape (1378, 64, 64, 3). The sheet is cut into tiles, row by row."""
    sheet = image.read(shipped("emoji", f"{vendor}_{TILE}.webp"))
    tiles = sheet.reshape(-1, TILE, COLUMNS, TILE, 3).swapaxes(1, 2).reshape(-1, TILE, TILE, 3)
    return tiles[: len(_emoji_table())]


def _one_of(name: str, value, allowed: tuple) -> None:
    if value not in allowed:
        raise ValueError(f"{name}={value!r} is unknown; choose one of {', '.join(map(repr, allowed))}")
