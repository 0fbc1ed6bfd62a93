"""Pictures and clips composed from emoji, whose every label is exact because we put it there.

The drawings are shared out between two subsets: what is drawn in "train" never occurs in "test", so that a
score on "test" is about new drawings of known kinds. The split is by emoji, not by vendor.
"""

from functools import cache

import cv2
import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from mmtutor import audio
from mmtutor.datasets import _emoji_pictures, _emoji_table, _one_of
from mmtutor.table import make_table

# Kind -> English plural, Chinese measure word and noun, drawings of "train", drawings of "test".
KINDS = {
    "cat": ("cats", "只猫", "🐈 😺 😻 😽", "🐱 😸 😼 😾"),
    "dog": ("dogs", "只狗", "🐶 🐩", "🐕 🦮"),
    "monkey": ("monkeys", "只猴子", "🐒 🙈 🙊", "🐵 🙉"),
    "bird": ("birds", "只鸟", "🐦 🦅 🦜 🦩", "🦉 🦆 🕊 🪿"),
    "fish": ("fish", "条鱼", "🐟 🐡", "🐠 🦈"),
    "tree": ("trees", "棵树", "🌳 🎄 🌴", "🌲 🪾"),
    "flower": ("flowers", "朵花", "🌷 🌸 🌻 🌹 🪷 🥀", "🌺 🌼"),
    "heart": ("hearts", "颗心", "❤ 💙 💛 🖤 🤎", "💚 💜 🧡 🩷"),
    "star": ("stars", "颗星星", "⭐ ✴", "🌟 💫"),
    "moon": ("moons", "个月亮", "🌓 🌗 🌕 🌙 🌜", "🌔 🌖 🌛"),
    "clock": ("clocks", "个时钟", "🕐 🕓 🕰", "🕖 🕙 ⏰"),
    "ball": ("balls", "个球", "⚽ 🏀 🥎 🏉", "🏐 ⚾ 🏈"),
    "car": ("cars", "辆汽车", "🚗 🚖 🚓", "🚘 🚕 🚔 🚙"),
    "bus": ("buses", "辆公共汽车", "🚌 🚎", "🚍 🚐"),
    "boat": ("boats", "艘船", "⛵ 🚤 🛳", "🚢 🛥 ⛴"),
    "airplane": ("airplanes", "架飞机", "✈ 🛬", "🛩 🛫"),
    "building": ("buildings", "栋楼房", "🏢 🏨 🏦", "🏥 🏫 🏬"),
    "book": ("books", "本书", "📕 📘 📓", "📗 📙 📔"),
    "shoe": ("shoes", "只鞋", "👟 👠 🥾 🥿", "👞 👢"),
    "lock": ("locks", "把锁", "🔒 🔏", "🔓 🔐"),
    "umbrella": ("umbrellas", "把伞", "☂ 🌂", "☔ ⛱"),
    "medal": ("medals", "枚奖牌", "🥇 🥉 🎖", "🥈 🏅"),
    "envelope": ("envelopes", "个信封", "✉ 💌 📩", "📧 📨"),
    "camera": ("cameras", "台相机", "📷 🎥", "📸 📹"),
}
RELATIONS = {"left of": "左边", "right of": "右边", "above": "上面", "below": "下面"}
NUMBERS = {2: "two", 3: "three"}
# In pairs of opposites: along x, along y, around.
MOTIONS = ("left", "right", "up", "down", "counterclockwise", "clockwise")
MOVERS = "cat dog monkey bird fish tree car bus boat shoe umbrella envelope".split()  # no two ways up alike


def make_scenes(
    n_samples: int = 500,
    subset: str = "train",
    kinds: tuple[str, ...] | None = None,
    n_kinds: int = 2,
    max_each: int = 3,
    size: int = 96,
    vendor: str = "noto",
    language: str = "en",
    random_state: int = 0,
) -> Bunch:
    """Compose still pictures of a few objects: one kind, or two kinds beside or above each other.

    Parameters
    ----------
    n_samples : int, default=500
    subset : {"train", "test"}, default="train"
        Which drawings are used, and other places: the two have nothing in common but the kinds.
    kinds : tuple of str, optional
        Names from `KINDS`, at least `n_kinds` of them; by default all 24.
    n_kinds : {1, 2}, default=2
        Kinds in one picture.
    max_each : int from 1 to 3, default=3
        Each kind of a picture appears 1 to `max_each` times, all numbers equally often.
    size : int from 64 to 192, default=96
        Height and width in pixels. The longer side of an object is 18 to 30 % of it.
    vendor : {"noto", "twemoji"}, default="noto"
        Who drew the objects.
    language : {"en", "zh"}, default="en"
        Of the sentences; the pictures are the same.
    random_state : int, default=0
        More samples of one seed begin with the same samples.

    Returns
    -------
    Bunch
        X : pd.DataFrame, shape (n_samples, 2)
            Columns ``image`` (uint8 RGB arrays (size, size, 3)) and ``text`` (str, *two cats left of a car*).
        y : array of str, shape (n_samples,)
            The kind that the sentence names first.
        boxes : list of int arrays, shape (n_objects, 4)
            x_min, y_min, x_max, y_max in pixels, half-open: ``picture[y_min:y_max, x_min:x_max]`` holds just
            the object. Boxes of one picture do not overlap.
        kinds : list of arrays of str, shape (n_objects,)
            Objects in the order of the boxes: the kind that the sentence names first comes first.
        masks : uint8 array, shape (n_samples, size, size)
            0 is background; k is the k-th object, counted from 1: pixels that it covers by half or more.
        counts : pd.DataFrame of int, shape (n_samples, 24)
            How many objects of each kind; columns are all kinds of `KINDS`.
        relations : pd.DataFrame of str, shape (n_samples, 3)
            Columns ``subject``, ``relation`` (left of, right of, above or below), ``object``. With one kind
            in a picture, relation and object are "".
        codepoints : list of arrays of str, shape (n_objects,)
            The emoji that was drawn.
        target_names : array of str
            The kinds that can occur.

    Raises
    ------
    ValueError
        For a parameter outside of what is said above.

    Notes
    -----
    Synthetic: what a model learns here are 24 kinds in two drawing styles, in pictures that never crowd.
    A relation is exact and the only one: *left of* means that a vertical line parts all objects of the two
    kinds, that no horizontal line does, and that their centers differ more across than up and down. Some
    kinds look much the same in both subsets (hearts in other colors), others less (stars, dogs): HOG and
    colors of the boxes with logistic regression name 1.00 of the objects in new pictures of the drawings
    they were trained on, .73 in "test" pictures, .55 of those if Twemoji's (means of five seeds). Objects
    are a little smaller where there are many.
    Taught in chapters 7, 11 and 12.
    """
    _one_of("language", language, ("en", "zh"))
    names = tuple(dict.fromkeys(KINDS if kinds is None else kinds))
    for name in names:
        _one_of("kinds", name, tuple(KINDS))
    _whole(n_samples=(n_samples, 1, 10**6), n_kinds=(n_kinds, 1, min(2, len(names))))
    _whole(max_each=(max_each, 1, 3), size=(size, 64, 192))
    rng = _generator(subset, random_state)
    scenes = [_scene(rng, names, subset, n_kinds, max_each, size, vendor) for _ in range(n_samples)]
    pictures, masks, boxes, kinds, words, codepoints = map(list, zip(*scenes, strict=True))
    counts = pd.DataFrame([{kind: list(each).count(kind) for kind in KINDS} for each in kinds])
    texts = [_sentence(language, counts.iloc[row], *each) for row, each in enumerate(words)]
    relations = pd.DataFrame(words, columns=["subject", "relation", "object"])
    return Bunch(
        X=make_table({"image": pictures, "text": texts}),
        y=relations.subject.to_numpy(str),
        boxes=boxes,
        kinds=kinds,
        masks=np.array(masks),
        counts=counts,
        relations=relations,
        codepoints=codepoints,
        target_names=np.unique(names),
    )


def _scene(rng, names, subset, n_kinds, max_each, size, vendor) -> tuple:
    chosen = rng.choice(names, n_kinds, replace=False)
    numbers = rng.integers(1, max_each + 1, n_kinds)
    relation = str(rng.choice(list(RELATIONS))) if n_kinds == 2 else ""
    kinds, boxes = np.repeat(chosen, numbers), None
    while boxes is None:  # with other sizes, if these leave no room
        drawings = [_draw(rng, kind, subset, rng.uniform(0.18, 0.3) * size, vendor) for kind in kinds]
        sides = np.array([drawing.shape[1::-1] for _, drawing in drawings])
        boxes = _places(rng, sides, kinds == chosen[0], relation, size)
    picture, mask = _background(rng, size), np.zeros((size, size), np.uint8)
    for k, (left, top, right, bottom) in enumerate(boxes):
        _paste(picture[top:bottom, left:right], drawings[k][1])
        mask[top:bottom, left:right][drawings[k][1][..., 3] >= 0.5] = k + 1
    words = (str(chosen[0]), relation, str(chosen[1]) if relation else "")
    codepoints = np.array([codepoint for codepoint, _ in drawings])
    return picture.round().astype(np.uint8), mask, boxes, kinds, words, codepoints


def _places(rng, sides: np.ndarray, first: np.ndarray, relation: str, size: int) -> np.ndarray | None:
    """Draw places for objects of these widths and heights; take the first draw that is in order.

    No box touches another, and the relation, if there is one, is the only one that holds between the objects
    of the kind that is named first (a mask) and the others.
    """
    axis, low, high = int(relation in ("above", "below")), np.ones_like(sides), size - 1 - sides
    if relation:
        cut = int(rng.uniform(0.4, 0.6) * size)
        before = first == (relation in ("left of", "above"))  # on the left, or on top
        high[before, axis] = cut - 1 - sides[before, axis]
        low[~before, axis] = cut + 1
    start = rng.integers(low, high + 1, (300, *sides.shape))
    end = start + sides
    after = (start[:, :, None] >= end[:, None] + 2).any(-1) | np.eye(len(sides), dtype=bool)
    good = (after | after.swapaxes(1, 2)).all((1, 2))
    if relation:
        (start_a, end_a), (start_b, end_b) = [
            (start[:, g, 1 - axis], end[:, g, 1 - axis]) for g in (first, ~first)
        ]
        good &= (start_a.min(1) < end_b.max(1)) & (start_b.min(1) < end_a.max(1))
        middle = (start + end)[:, first].mean(1) - (start + end)[:, ~first].mean(1)
        good &= abs(middle[:, axis]) > abs(middle[:, 1 - axis])
    return np.hstack([start[good][0], end[good][0]]) if good.any() else None


def _sentence(language: str, counts: pd.Series, subject: str, relation: str, other: str) -> str:
    def several(kind):
        number, (plural, chinese, *_) = counts[kind], KINDS[kind]
        if language == "zh":
            return " 一两三"[number] + chinese
        article = "an" if kind[0] in "aeiou" else "a"
        return f"{article} {kind}" if number == 1 else f"{NUMBERS[number]} {plural}"

    if not relation:
        return several(subject)
    if language == "zh":
        return f"{several(subject)}在{several(other)}的{RELATIONS[relation]}"
    return f"{several(subject)} {relation} {several(other)}"


def make_videos(
    n_samples: int = 200,
    subset: str = "train",
    n_frames: int = 16,
    fps: int = 8,
    size: int = 64,
    random_state: int = 0,
) -> Bunch:
    """Make short clips with sound: which way does the object move when it beeps?

    An object makes one motion, then, from some moment on, another, say left and then clockwise. During one
    of the two, a beep is heard. The class is the motion at the beep.

    Parameters
    ----------
    n_samples : int, default=200
    subset : {"train", "test"}, default="train"
        Which drawings are used, and other clips.
    n_frames : int, 8 or more, default=16
    fps : int from 1 to `n_frames`, default=8
        Frames a second: a clip lasts a second or more.
    size : int from 32 to 112, default=64
        Height and width in pixels.
    random_state : int, default=0
        More samples of one seed begin with the same samples.

    Returns
    -------
    Bunch
        X : pd.DataFrame, shape (n_samples, 2)
            Columns ``video`` (uint8 RGB arrays (n_frames, size, size, 3)) and ``sound`` (float32 arrays of
            as many seconds, in [-1, 1]).
        y : array of str, shape (n_samples,)
            The motion at the beep: left, right, up, down, clockwise or counterclockwise.
        motions : array of str, shape (n_samples, 2)
            The first and the second motion.
        change : float array, shape (n_samples,)
            Seconds from the start to the change from the first motion to the second.
        event : float array, shape (n_samples,)
            Seconds from the start to the middle of the beep; a tenth to a quarter of the clip lies between it
            and the change.
        codepoints : array of str, shape (n_samples,)
            The emoji that moves.
        fps : int, frames a second
        rate : int, 16000 samples of sound a second
        target_names : array of str, shape (6,)

    Raises
    ------
    ValueError
        For a parameter outside of what is said above.

    Notes
    -----
    Synthetic, and made so that the best possible accuracy is known. One frame: 1/6, because place and angle
    are uniform at every moment, whatever the motion (what leaves on one side comes in on the other). Sound
    alone: 1/6. All frames without their order: 1/4, because they show which two of the three pairs of
    opposites occur. All frames in order: 1/2, for there are two motions to choose from. Frames and sound,
    aligned: 1. The first motion and the second never belong to one pair; a clip played backwards shows the
    opposite motions in the opposite order. Taught in chapter 8.
    """
    _whole(n_samples=(n_samples, 1, 10**6), size=(size, 32, 112))
    _whole(n_frames=(n_frames, 8, 10**4), fps=(fps, 1, n_frames))
    rng = _generator(subset, random_state)
    clips = [_clip(rng, subset, n_frames, fps, size) for _ in range(n_samples)]
    videos, sounds, *labels, codepoints = zip(*clips, strict=True)
    y, motions, change, event = map(np.array, labels)
    return Bunch(
        X=make_table({"video": videos, "sound": sounds}),
        y=y,
        motions=motions,
        change=change,
        event=event,
        codepoints=np.array(codepoints),
        fps=fps,
        rate=audio.RATE,
        target_names=np.unique(MOTIONS),
    )


def _clip(rng, subset, n_frames, fps, size) -> tuple:
    axes, signs = rng.choice(3, 2, replace=False), rng.integers(0, 2, 2)
    change = int(rng.uniform(0.35, 0.65) * n_frames)  # steps of the first motion; the others are the second's
    steps = np.clip(np.arange(n_frames)[:, None] - [0, change], 0, [change, n_frames])
    speed = rng.uniform(2, 4) * np.array([size / 64, size / 64, 5])
    path = np.tile(rng.uniform(0, [size, size, 360]), (n_frames, 1))
    path[:, axes] += steps * (2 * signs - 1) * speed[axes]
    codepoint, drawing = _draw(rng, rng.choice(MOVERS), subset, rng.uniform(0.4, 0.55) * size)
    background = _background(rng, size)
    frames = np.array([_frame(background, drawing, *place) for place in path])
    motions, later = np.array(MOTIONS)[2 * axes + signs], int(rng.integers(2))
    seconds = (change + 0.5) / fps
    event = seconds + (2 * later - 1) * rng.uniform(0.1, 0.25) * n_frames / fps
    sound = _beep(rng, event, n_frames / fps)
    return frames, sound, motions[later], motions, seconds, event, codepoint


def _frame(background: np.ndarray, drawing: np.ndarray, x: float, y: float, angle: float) -> np.ndarray:
    size, center = len(background), np.array(drawing.shape[1::-1]) / 2
    turn = cv2.getRotationMatrix2D(center, -angle, 1)
    turn[:, 2] += size / 2 - center
    layer = cv2.warpAffine(drawing, turn, (size, size))
    frame = background.copy()
    _paste(frame, np.roll(layer, (round(y), round(x)), (0, 1)))
    return frame.round().astype(np.uint8)


def _beep(rng, event: float, seconds: float) -> np.ndarray:
    """A tenth of a second of one tone, in faint white noise."""
    time = np.arange(round(seconds * audio.RATE)) / audio.RATE - event
    tone = np.sin(2 * np.pi * rng.uniform(600, 1800) * time) * np.cos(np.pi * time / 0.1) ** 2
    sound = rng.normal(0, 0.02, len(time)) + 0.5 * np.where(abs(time) < 0.05, tone, 0)
    return sound.clip(-1, 1).astype(np.float32)


def _draw(rng, kind: str, subset: str, longest: float, vendor: str = "noto") -> tuple[str, np.ndarray]:
    """Choose a drawing of a kind and scale it so that its longer side has so many pixels."""
    emoji = str(rng.choice(KINDS[kind][2 if subset == "train" else 3].split()))
    tile = _tight(_tiles(vendor)[emoji])
    width, height = (max(2, round(side * longest / max(tile.shape[:2]))) for side in tile.shape[1::-1])
    return f"{ord(emoji):04X}", _tight(cv2.resize(tile, (width, height), interpolation=cv2.INTER_AREA))


def _tight(drawing: np.ndarray) -> np.ndarray:
    """Cut off the border that no object covers by half or more."""
    rows, columns = np.nonzero(drawing[..., 3] >= 0.5)
    return drawing[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


@cache
def _tiles(vendor: str) -> dict[str, np.ndarray]:
    """Emoji -> float32 array (64, 64, 4): red, green, blue (0-255) times alpha, and alpha (0-1)."""
    tiles = _emoji_pictures(vendor, background=None).astype(np.float32)
    tiles[..., 3] /= 255
    tiles[..., :3] *= tiles[..., 3:]
    return {chr(int(code, 16)): tile for code, tile in zip(_emoji_table().codepoint, tiles, strict=True)}


def _background(rng, size: int) -> np.ndarray:
    """One light color, with soft spots."""
    spots = cv2.resize(rng.normal(0, 6, (8, 8)), (size, size), interpolation=cv2.INTER_CUBIC)
    return np.clip(rng.uniform(150, 225, 3) + spots[..., None], 0, 255)


def _paste(place: np.ndarray, drawing: np.ndarray) -> None:
    place[:] = place * (1 - drawing[..., 3:]) + drawing[..., :3]


def _generator(subset: str, random_state: int) -> np.random.Generator:
    _one_of("subset", subset, ("train", "test"))
    _whole(random_state=(random_state, 0, 2**32))
    return np.random.default_rng([random_state, subset == "test"])


def _whole(**parameters) -> None:
    for name, (value, low, high) in parameters.items():
        if not isinstance(value, (int, np.integer)) or not low <= value <= high:
            raise ValueError(f"{name}={value!r}: choose a whole number from {low} to {high:,}")
