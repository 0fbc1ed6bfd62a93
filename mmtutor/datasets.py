"""The course's data sets, each as a table: one row a sample, one column a modality.

Every loader returns a scikit-learn Bunch. What is shipped lies in `mmtutor/data`, with its licenses.
"""

import hashlib
import inspect
import json
from functools import cache, partial
from numbers import Integral, Real
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.utils import Bunch

from mmtutor import audio, image
from mmtutor.folder import load_folder as load_folder
from mmtutor.speech import load_spoken_digits as load_spoken_digits
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

MODALITIES = ("image", "sound", "text")
SUBSETS = {"train": 1500, "test": 750}  # of trimodal digits: samples unless told otherwise


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
    index = _clips()
    _one_of("digit", digit, tuple(range(10)))
    _one_of("voice", voice, tuple(index.voice.unique()))
    _one_of("speed", speed, tuple(float(each) for each in index.speed.unique()))
    clip = index[(index.voice == voice) & (index.digit == digit) & (index.speed == speed)].iloc[0]
    return Bunch(
        sound=_recording(clip).copy(),
        rate=audio.RATE,
        digit=digit,
        voice=voice,
        speed=speed,
        DESCR=(DATA / "spoken_digits" / "README.md").read_text("utf-8"),
    )


def load_trimodal_digits(
    subset: str = "train",
    n_samples: int | None = None,
    image_noise: float = 8.0,
    snr_db: float = 5.0,
    typo_rate: float = 0.4,
    uneven: float = 0.0,
    dependence: float = 0.0,
    missing: float | dict[str, float] = 0.0,
    missing_by_class: bool = False,
    split: int = 0,
    random_state: int = 0,
) -> Bunch:
    """Load digits in three modalities, put together here: an image, a sound and a text each.

    Parameters
    ----------
    subset : {"train", "test"}, default="train"
        The two share no voice and no scan.
    n_samples : int, optional
        From 1 to a million; by default 1,500 for training and 750 for testing. Digits are balanced.
    image_noise : float, 0 to 100, default=8
        Standard deviation of the noise added to each pixel, on the scans' own scale from 0 (white paper) to
        16 (ink). Values outside the scale are clipped, as a camera clips.
    snr_db : float, -100 or more, default=5
        Signal-to-noise ratio of the sound in decibels: the power of the spoken word over that of the white
        noise, which fills the whole second. ``np.inf`` adds none.
    typo_rate : float, 0 to 1, default=0.4
        How likely each character is typed wrong: twice, before its neighbor, as another character of the
        language's ten words, or not at all, equally often.
    uneven : float, 0 to 3, default=0
        How much reliability varies from sample to sample and from modality to modality. The power of each
        noise and the odds of a typing error are multiplied by exp(2 · uneven · z), with z drawn from the
        standard normal distribution for each cell.
    dependence : float, 0 to 1, default=0
        The share of samples whose image and sound both show one and the same wrong digit, as when a number
        was read from the wrong line. The text is right: modalities are no longer independent given the class.
    missing : float or dict of modality -> float, 0 to 1, default=0
        How likely each cell is to be missing (None; in the text column NaN). A sample that would lose all
        three keeps the modality that is least likely to be missing, by chance among equals; so with one
        share p for all, the share that is missing in the end is p - p³/3.
    missing_by_class : bool, default=False
        Let the share grow in equal steps from 0 for digit 0 to twice `missing` for digit 9; `missing` is then
        at most 0.5.
    split : int, default=0
        Which 8 of the 28 voices (both genders and accents) and which third of the scans are for testing.
        As long as it is the same, no training set meets a test set in a voice or a scan, whatever their
        `random_state`.
    random_state : int, default=0
        Everything else that is drawn. Each purpose has a generator of its own: another `typo_rate` leaves
        images and sounds as they were, and more noise is the same noise, louder.

    Returns
    -------
    Bunch
        X : pd.DataFrame, shape (n_samples, 3)
            Columns ``image`` (uint8 RGB arrays (8, 8, 3), all grey, 255 for ink), ``sound`` (float32 arrays
            (16000,), one second, the word in its middle, made quieter where it would pass [-1, 1]) and
            ``text`` (str, sometimes ``""``).
        y : int64 array, shape (n_samples,)
            The digit, 0 to 9.
        groups, voice : arrays of str, shape (n_samples,)
            Who speaks. Each voice has scans of its own, so that folds by group share neither.
        rate : int, 16000 samples a second
        language : array of str, shape (n_samples,)
            BCP 47 code of the text's language.
        scan : int array, shape (n_samples,)
            Row of the image in `sklearn.datasets.load_digits`; a scan is used several times.
        quality : pd.DataFrame, shape (n_samples, 3)
            ``image_noise``, ``snr_db`` and ``typo_rate`` of each sample: what `uneven` made of them.
        shown : pd.DataFrame, shape (n_samples, 3)
            The digit that ``image``, ``sound`` and ``text`` show: y, but for `dependence`.
        target_names : int array, 0 to 9
        DESCR : str
            This text.

    Raises
    ------
    ValueError
        For a value that is not allowed; the message names the parameter, the value and what is allowed.
    OSError
        If a shipped file is missing or damaged.

    Notes
    -----
    The pairs are synthetic: an image, a sound and a text have nothing in common but their digit. That makes
    the modalities independent given the class, which suits the product rule; `dependence` breaks it.

    Images are the 1,797 scans of `sklearn.datasets.load_digits`, which does not say who wrote them: writers
    are in training and test set alike. The speech is synthetic (28 English voices of Kokoro-82M by hexgrad,
    Apache-2.0; ``mmtutor/data/spoken_digits/README.md``). Words come in 47 languages, Chinese twice: as
    characters and in pinyin (``mmtutor/data/number_words/README.md``). All languages are in both subsets:
    about one test text in five is also a training text, letter by letter, and about 12 of 1,500 texts are
    empty (20 seeds: 18 to 23 % and 6 to 21 texts).

    Taught in chapter 3.
    """
    _one_of("subset", subset, tuple(SUBSETS))
    n_samples = SUBSETS[subset] if n_samples is None else n_samples
    _number("n_samples", n_samples, 1, 10**6, Integral)
    _number("image_noise", image_noise, 0, 100)
    _number("snr_db", snr_db, -100, np.inf)
    _number("typo_rate", typo_rate, 0, 1)
    _number("uneven", uneven, 0, 3)
    _number("dependence", dependence, 0, 1)
    _number("split", split, 0, 2**32 - 1, Integral)
    _number("random_state", random_state, 0, 2**32 - 1, Integral)

    def rng(purpose: str) -> np.random.Generator:
        """A generator each, so that turning one knob leaves everything else as it was."""
        return np.random.default_rng([random_state, *f"{subset}: {purpose}".encode()])

    y = rng("labels").permutation(np.arange(n_samples) % 10)
    hidden = _hidden(missing, missing_by_class, y, rng("missing"))
    other = (y + rng("other digit").integers(1, 10, n_samples)) % 10
    misread = np.where(rng("dependence").random(n_samples) < dependence, other, y)
    shown = pd.DataFrame({"image": misread, "sound": misread, "text": y})
    factor = np.exp(2 * uneven * rng("uneven").standard_normal((3, n_samples)))
    quality = pd.DataFrame({"image_noise": image_noise * np.sqrt(factor[0])})
    quality["snr_db"] = snr_db - 10 * np.log10(factor[1])
    quality["typo_rate"] = typo_rate * factor[2] / (1 - typo_rate + typo_rate * factor[2])
    scans, clips = _side(subset, split)
    clips = clips.loc[_draw(rng("clips"), clips.groupby("digit").groups, list(shown.sound))]
    voice = clips.voice.to_numpy(str)
    wanted = list(zip(shown.image, voice, strict=True))
    scan = _draw(rng("scans"), scans.groupby(["digit", "voice"]).groups, wanted)
    language = rng("languages").choice(list(_number_words()), n_samples)
    image = _photograph(rng("image noise"), scan, quality.image_noise.to_numpy())
    sound = map(partial(_record, rng("sound noise")), clips.itertuples(), quality.snr_db)
    text = map(partial(_type, rng("typing")), shown.text, language, quality.typo_rate)
    X = make_table({"image": image, "sound": sound, "text": text})
    for column, rows in zip(X, hidden, strict=True):
        X.loc[rows, column] = None
    return Bunch(
        X=X,
        y=y,
        groups=voice,
        rate=audio.RATE,
        voice=voice,
        language=language,
        scan=scan,
        quality=quality,
        shown=shown,
        target_names=np.arange(10),
        DESCR=inspect.getdoc(load_trimodal_digits),
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
def _emoji_pictures(vendor: str, background=image.WHITE) -> np.ndarray:
    """uint8 array, shape (1378, 64, 64, 3), or 4 without background: the sheet's tiles, row by row."""
    _one_of("vendor", vendor, ("noto", "twemoji"))
    sheet = image.read(shipped("emoji", f"{vendor}_{TILE}.webp"), background)
    tiles = sheet.reshape(len(sheet) // TILE, TILE, COLUMNS, TILE, -1).swapaxes(1, 2)
    return tiles.reshape(-1, *tiles.shape[2:])[: len(_emoji_table())]


def _one_of(name: str, value, allowed: tuple) -> None:
    if value not in allowed:
        raise ValueError(f"{name}={value!r} is unknown; choose one of {', '.join(map(repr, allowed))}")


# Digits


@cache
def _clips() -> pd.DataFrame:
    return pd.read_csv(shipped("spoken_digits", "index.csv"))


@cache
def _voice(voice: str) -> np.ndarray:
    return audio.read(shipped("spoken_digits", f"{voice}.ogg"))


def _recording(clip) -> np.ndarray:
    """The sound of one row of `_clips`: a part of its voice's array, to be copied, not changed."""
    return _voice(clip.voice)[clip.start_sample : clip.start_sample + clip.n_samples]


@cache
def _number_words() -> dict[str, list[str]]:
    return json.loads(shipped("number_words", "number_words.json").read_text("utf-8"))


@cache
def _side(subset: str, split: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The subset's scans and clips; both have a digit and a voice. Voices share no scan with one another."""
    side, target, voices = list(SUBSETS).index(subset), load_digits().target, _clips().voice.unique()
    numbers = train_test_split(np.arange(len(target)), test_size=1 / 3, stratify=target, random_state=split)
    # A voice's name begins with its accent and gender.
    voices = train_test_split(voices, test_size=8, stratify=[v[:2] for v in voices], random_state=split)
    scans = pd.DataFrame({"digit": target[numbers[side]]}, index=numbers[side])
    turn = scans.groupby("digit").cumcount()  # the scans of a digit are dealt out like cards
    scans["voice"] = voices[side][turn % len(voices[side])]
    return scans, _clips()[_clips().voice.isin(voices[side])]


def _draw(rng: np.random.Generator, pools: dict, wanted: list) -> np.ndarray:
    """For each key that is wanted, an entry of its pool."""
    places = zip(wanted, rng.random(len(wanted)), strict=True)
    return np.array([pools[pool][int(place * len(pools[pool]))] for pool, place in places])


def _photograph(rng: np.random.Generator, scan: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """uint8 array, shape (n_samples, 8, 8, 3)."""
    grey = load_digits().images[scan] + noise[:, None, None] * rng.standard_normal((len(scan), 8, 8))
    grey = np.clip(np.rint(grey * 255 / 16), 0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=-1)


def _record(rng: np.random.Generator, clip, snr_db: float) -> np.ndarray:
    """One second: the clip in its middle, white noise all through."""
    speech = _recording(clip)[max(0, clip.n_samples - audio.RATE) // 2 :][: audio.RATE]
    sound = np.sqrt(np.mean(speech**2) / 10 ** (snr_db / 10)) * rng.standard_normal(audio.RATE)
    start = (audio.RATE - len(speech)) // 2
    sound[start : start + len(speech)] += speech
    return (sound / max(1, np.abs(sound).max())).astype(np.float32)


def _type(rng: np.random.Generator, digit: int, language: str, typo_rate: float) -> str:
    """Write a number's word, with errors of four kinds."""
    word, typed = _number_words()[language][digit], []
    letters = set("".join(_number_words()[language]))
    for letter, (chance, kind, which) in zip(word, rng.random((len(word), 3)), strict=True):
        if chance >= typo_rate:
            typed.append(letter)
        elif kind < 0.25:
            typed += [letter, letter]
        elif kind < 0.5 and typed:  # before the one that it should follow
            typed.insert(-1, letter)
        elif kind < 0.75:
            typed.append(sorted(letters - {letter})[int(which * (len(letters) - 1))])
    return "".join(typed)


def _hidden(missing, by_class: bool, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Bool array, shape (3, n_samples): which cells are missing."""
    shares = missing if isinstance(missing, dict) else dict.fromkeys(MODALITIES, missing)
    for name, share in shares.items():
        _one_of("missing: modality", name, MODALITIES)
        _number("missing", share, 0, 0.5 if by_class else 1)
    share = np.outer([shares.get(name, 0) for name in MODALITIES], 2 * y / 9 if by_class else 0 * y + 1)
    hidden = rng.random(share.shape) < share
    kept = np.argmin(share + 1e-9 * rng.random(share.shape), axis=0)  # by chance among equals
    hidden[kept, np.arange(len(y))] &= ~hidden.all(axis=0)
    return hidden


def _number(name: str, value, low: float, high: float, kind: type = Real) -> None:
    if isinstance(value, bool) or not isinstance(value, kind) or not low <= value <= high:
        what = "an integer" if kind is Integral else "a number"
        raise ValueError(f"{name}={value!r} is not allowed; give {what} from {low} to {high}")
