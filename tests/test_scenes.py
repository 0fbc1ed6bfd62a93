"""What a user may rely on in composed pictures and clips: their labels are exact, their subsets disjoint."""

import re

import cv2
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mmtutor import audio, video
from mmtutor.datasets import _emoji_table
from mmtutor.scenes import KINDS, MOTIONS, MOVERS, RELATIONS, make_scenes, make_videos
from mmtutor.table import check_data

N = 300


@pytest.fixture(scope="module", params=["train", "test"])
def scenes(request):
    return make_scenes(N, request.param)


@pytest.fixture(scope="module")
def clips():
    return make_videos(N // 2)


def codepoints(kind, subset):
    return {f"{ord(emoji):04X}" for emoji in KINDS[kind][2 if subset == "train" else 3].split()}


# The split


def test_no_drawing_is_in_both_subsets_or_in_two_kinds():
    drawings = [code for kind in KINDS for subset in ("train", "test") for code in codepoints(kind, subset)]
    assert len(KINDS) == 24 and len(drawings) == len(set(drawings)) == 137
    assert set(drawings) <= set(_emoji_table().codepoint)
    assert all(len(codepoints(kind, subset)) >= 2 for kind in KINDS for subset in ("train", "test"))


@pytest.mark.parametrize("make", [make_scenes, make_videos])
def test_what_is_drawn_in_one_subset_never_occurs_in_the_other(make):
    train, test = (set(np.hstack(make(80, subset).codepoints)) for subset in ("train", "test"))
    assert len(train) > 20 and len(test) > 20 and not train & test
    places = [make(20, subset).X.iloc[:, 0] for subset in ("train", "test")]
    assert not any(np.array_equal(a, b) for a, b in zip(*places, strict=True))


def test_each_object_is_drawn_as_one_of_its_kind(scenes):
    subset = "train" if "1F408" in np.hstack(scenes.codepoints) else "test"
    for kinds, drawn in zip(scenes.kinds, scenes.codepoints, strict=True):
        assert all(code in codepoints(kind, subset) for kind, code in zip(kinds, drawn, strict=True))


# Scenes


def test_scenes_are_a_table_with_labels(scenes):
    X, y, _ = check_data(scenes)
    assert X.shape == (N, 2) and list(X) == ["image", "text"]
    assert all(picture.shape == (96, 96, 3) and picture.dtype == np.uint8 for picture in X.image)
    assert scenes.masks.shape == (N, 96, 96) and scenes.masks.dtype == np.uint8
    assert scenes.counts.shape == (N, 24) and list(scenes.counts) == list(KINDS)
    assert (y == scenes.relations.subject).all() and set(y) <= set(scenes.target_names) == set(KINDS)


def test_boxes_are_tight_around_the_masks_and_do_not_touch(scenes):
    for boxes, mask in zip(scenes.boxes, scenes.masks, strict=True):
        assert mask.max() == len(boxes) and np.issubdtype(boxes.dtype, np.integer)
        for k, (left, top, right, bottom) in enumerate(boxes, 1):
            rows, columns = np.nonzero(mask == k)
            assert (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) == (
                left,
                top,
                right,
                bottom,
            )
            assert set(np.unique(mask[top:bottom, left:right])) <= {0, k}
            assert 0 < left < right < 96 and 0 < top < bottom < 96
            assert 15 <= max(right - left, bottom - top) <= 30


def test_masks_cover_what_differs_from_the_background():
    scenes = make_scenes(40, kinds=("heart", "ball"))
    for picture, mask in zip(scenes.X.image, scenes.masks, strict=True):
        free = cv2.dilate((mask > 0).astype(np.uint8), np.ones((5, 5))) == 0
        background = np.median(picture[free], axis=0)
        far = np.abs(picture.astype(int) - background).max(2) > 60
        assert not far[free].any() and far[mask > 0].mean() > 0.4


def test_the_relation_holds_and_no_other(scenes):
    for boxes, kinds, (subject, relation, other) in zip(
        scenes.boxes, scenes.kinds, scenes.relations.to_numpy(), strict=True
    ):
        a, b = boxes[kinds == subject], boxes[kinds == other]
        parted = {
            "left of": a[:, 2].max() <= b[:, 0].min(),
            "right of": b[:, 2].max() <= a[:, 0].min(),
            "above": a[:, 3].max() <= b[:, 1].min(),
            "below": b[:, 3].max() <= a[:, 1].min(),
        }
        assert [name for name, holds in parted.items() if holds] == [relation]
        across, down = np.abs(
            [(a[:, i] + a[:, i + 2]).mean() - (b[:, i] + b[:, i + 2]).mean() for i in (0, 1)]
        )
        assert (across > down) == (relation in ("left of", "right of"))


def test_counts_agree_with_the_objects_and_the_sentence(scenes):
    numbers = {"a": 1, "an": 1, "two": 2, "three": 3}
    plurals = {plural: kind for kind, (plural, *_) in KINDS.items()}
    for row, text in enumerate(scenes.X.text):
        counts = scenes.counts.loc[row]
        assert counts.sum() == len(scenes.boxes[row]) == len(scenes.kinds[row])
        assert all(counts[kind] == list(scenes.kinds[row]).count(kind) for kind in KINDS)
        n_a, a, relation, n_b, b = re.fullmatch(r"(\w+) (\w+) (\D+?) (an?|two|three) (\w+)", text).groups()
        assert relation == scenes.relations.relation[row]
        for number, noun, kind in [
            (n_a, a, scenes.relations.subject[row]),
            (n_b, b, scenes.relations.object[row]),
        ]:
            assert counts[kind] == numbers[number] and kind == scenes.kinds[row][0 if noun == a else -1]
            assert noun == kind if numbers[number] == 1 else plurals[noun] == kind
            assert (number == "an") == (numbers[number] == 1 and noun[0] in "aeiou")


def test_kinds_numbers_and_relations_are_drawn_equally_often():
    scenes = make_scenes(600, kinds=("cat", "star", "car", "tree"))
    counts = scenes.counts[["cat", "star", "car", "tree"]].to_numpy()
    assert np.abs(np.bincount(counts.ravel(), minlength=4)[1:] / 1200 - 1 / 3).max() < 0.06
    assert np.abs(scenes.relations.relation.value_counts(normalize=True)[list(RELATIONS)] - 0.25).max() < 0.07
    assert np.abs((counts > 0).mean(0) - 0.5).max() < 0.08
    assert set(np.hstack(scenes.kinds)) == set(scenes.target_names) == {"cat", "star", "car", "tree"}


def test_english_and_chinese_say_the_same():
    english, chinese = (
        make_scenes(200, max_each=2, kinds=("cat", "car")),
        make_scenes(200, "train", ("cat", "car"), max_each=2, language="zh"),
    )
    assert all(np.array_equal(a, b) for a, b in zip(english.X.image, chinese.X.image, strict=True))
    said = dict(zip(english.X.text, chinese.X.text, strict=True))
    assert said["two cats left of a car"] == "两只猫在一辆汽车的左边"
    assert {text[-2:] for text in said.values()} == set(RELATIONS.values())
    assert len(said) == len(set(said.values()))
    assert all(
        re.fullmatch(r"[一两](只猫|辆汽车)在[一两](只猫|辆汽车)的[左右上下][边面]", t) for t in said.values()
    )


def test_one_kind_has_no_relation():
    scenes = make_scenes(60, n_kinds=1)
    assert ((scenes.counts > 0).sum(axis=1) == 1).all() and (
        scenes.relations[["relation", "object"]] == ""
    ).all(axis=None)
    assert set(make_scenes(60, n_kinds=1, kinds=["fish"]).X.text) == {"a fish", "two fish", "three fish"}
    assert set(make_scenes(60, n_kinds=1, kinds=["bus"], language="zh").X.text) == {
        "一辆公共汽车",
        "两辆公共汽车",
        "三辆公共汽车",
    }


@pytest.mark.parametrize("parameters", [{"size": 64}, {"size": 192}, {"vendor": "twemoji"}, {"max_each": 1}])
def test_other_sizes_vendors_and_numbers(parameters):
    scenes = make_scenes(30, **parameters)
    size = parameters.get("size", 96)
    assert scenes.X.image[0].shape == (size, size, 3) and scenes.masks.shape == (30, size, size)
    sides = np.hstack([(boxes[:, 2:] - boxes[:, :2]).max(1) for boxes in scenes.boxes])
    assert 0.16 * size <= sides.min() and sides.max() <= 0.31 * size
    assert scenes.counts.max(axis=None) == parameters.get("max_each", 3)


@pytest.mark.parametrize("make", [make_scenes, make_videos])
def test_one_seed_gives_one_data_set_and_more_samples_begin_alike(make):
    few, again, many, other = make(6), make(6), make(12), make(6, random_state=1)
    for column in few.X:
        for row in range(6):
            assert np.array_equal(few.X[column][row], again.X[column][row])
            assert np.array_equal(few.X[column][row], many.X[column][row])
    assert not any(np.array_equal(few.X.iloc[row, 0], other.X.iloc[row, 0]) for row in range(6))


@pytest.mark.parametrize(
    ("make", "parameters", "words"),
    [
        (
            make_scenes,
            {"subset": "validation"},
            "subset='validation' is unknown; choose one of 'train', 'test'",
        ),
        (make_scenes, {"kinds": ("cat", "tiger")}, "kinds='tiger' is unknown"),
        (make_scenes, {"kinds": ("cat", "cat")}, "n_kinds=2: choose a whole number from 1 to 1"),
        (make_scenes, {"n_kinds": 3}, "n_kinds=3: choose a whole number from 1 to 2"),
        (make_scenes, {"max_each": 0}, "max_each=0: choose a whole number from 1 to 3"),
        (make_scenes, {"size": 96.0}, "size=96.0: choose a whole number from 64 to 192"),
        (make_scenes, {"language": "fr"}, "language='fr' is unknown"),
        (make_scenes, {"vendor": "apple"}, "vendor='apple' is unknown"),
        (make_scenes, {"random_state": None}, "random_state=None: choose a whole number"),
        (make_videos, {"subset": "all"}, "subset='all' is unknown"),
        (make_videos, {"n_samples": 0}, "n_samples=0: choose a whole number from 1"),
        (make_videos, {"n_frames": 4}, "n_frames=4: choose a whole number from 8"),
        (make_videos, {"fps": 25}, "fps=25: choose a whole number from 1 to 16"),
        (make_videos, {"size": 128}, "size=128: choose a whole number from 32 to 112"),
    ],
)
def test_impossible_parameters_are_refused(make, parameters, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        make(**({"n_samples": 2} | parameters))


# Clips


def test_clips_are_a_table_of_video_and_sound_of_one_length(clips):
    X, y, _ = check_data(clips)
    assert list(X) == ["video", "sound"] and clips.fps == 8 and clips.rate == audio.RATE == 16_000
    assert all(video.problem(clip) is None and clip.shape == (16, 64, 64, 3) for clip in X.video)
    assert all(audio.problem(sound) is None for sound in X.sound)
    assert {(sound.dtype, len(sound)) for sound in X.sound} == {(np.dtype(np.float32), 32_000)}
    assert set(y) == set(clips.target_names) == set(MOTIONS)


def test_the_class_is_the_motion_at_the_beep(clips):
    later = (clips.event > clips.change).astype(int)
    assert (clips.motions[np.arange(N // 2), later] == clips.y).all() and 0.35 < later.mean() < 0.65
    distance = np.abs(clips.event - clips.change)
    assert distance.min() >= 0.2 and distance.max() <= 0.5 and clips.event.min() > 0.15
    axes = np.array([[MOTIONS.index(motion) // 2 for motion in both] for both in clips.motions])
    assert (axes[:, 0] != axes[:, 1]).all()


def test_the_beep_is_heard_when_it_is_said_to_be(clips):
    for sound, event in zip(clips.X.sound, clips.event, strict=True):
        loud = np.convolve(sound.astype(float) ** 2, np.ones(800), "same")
        assert abs(loud.argmax() / clips.rate - event) < 0.01
        quiet = np.abs(np.arange(len(sound)) / clips.rate - event) > 0.05
        assert np.abs(sound[quiet]).max() < 0.15 < 0.4 < np.abs(sound).max()


def moves(motion, clip):
    """Whether two frames are the same but for a roll of 1 to 4 pixels in this direction, background apart."""
    axis, sign = (MOTIONS.index(motion) // 2, 2 * (MOTIONS.index(motion) % 2) - 1)
    a, b = (frame.astype(int) for frame in clip)
    changed = {
        k: np.abs(np.roll(a, k * sign, 1 - axis) - b)[np.abs(a - b).max(2) > 25].mean()
        for k in (*range(-4, 0), *range(1, 5))
    }
    return min(changed, key=changed.get) > 0


def test_objects_move_as_the_labels_say(clips):
    agrees = []
    for clip, both, change in zip(clips.X.video, clips.motions, clips.change, strict=True):
        last = int(change * clips.fps)  # the last frame before the second motion
        for motion, frames in [(both[0], clip[last - 1 : last + 1]), (both[1], clip[last + 1 : last + 3])]:
            if "clock" not in motion:
                agrees.append(moves(motion, frames))
    assert len(agrees) > N // 2 and np.mean(agrees) > 0.97


def test_what_turns_clockwise_goes_from_the_top_to_the_right():
    from mmtutor import scenes

    drawing = np.zeros((21, 21, 4), np.float32)
    drawing[:7, 8:13] = (200, 0, 0, 1)  # a hand that points to the top
    frame = scenes._frame(np.full((64, 64, 3), 100.0), drawing, 0, 0, 90)
    rows, columns = np.nonzero(frame[..., 0] > 150)
    assert columns.mean() > 34 and abs(rows.mean() - 32) < 1
    assert MOTIONS.index("clockwise") == 5  # an odd place in its pair: the angle grows


@pytest.mark.parametrize("number", [0, 8, 15])
def test_one_frame_tells_nothing_of_the_class(number):
    def features(clips):
        frames = [cv2.resize(clip[number], (12, 12), interpolation=cv2.INTER_AREA) for clip in clips.X.video]
        return np.array(frames).reshape(len(frames), -1) / 255

    train, test = make_videos(300, size=32), make_videos(300, size=32, random_state=1)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500))
    score = model.fit(features(train), train.y).score(features(test), test.y)
    assert abs(score - 1 / 6) < 0.075  # 3.5 standard errors


def test_length_rate_and_size_of_a_clip_can_be_chosen():
    clips = make_videos(20, n_frames=24, fps=12, size=48)
    assert clips.X.video[0].shape == (24, 48, 48, 3) and len(clips.X.sound[0]) == 32_000
    assert np.abs(clips.event - clips.change).min() >= 0.2 and clips.fps == 12
    short = make_videos(20, n_frames=8, fps=8)
    assert len(short.X.sound[0]) == 16_000 and short.event.min() > 0.05 and short.event.max() < 0.95


def test_a_clip_survives_a_file(tmp_path, clips):
    video.write(tmp_path / "clip.avi", clips.X.video[0], clips.fps, clips.X.sound[0])
    clip = video.read(tmp_path / "clip.avi")
    assert np.array_equal(clip.frames, clips.X.video[0]) and clip.fps == clips.fps
    assert np.array_equal(audio.read(tmp_path / "clip.wav"), clips.X.sound[0])


def test_what_moves_is_of_a_kind_that_has_a_top(clips):
    allowed = set().union(*(codepoints(kind, "train") for kind in MOVERS))
    assert set(MOVERS) <= set(KINDS) and set(clips.codepoints) <= allowed
