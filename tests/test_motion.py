"""Motion: which way and how fast, how loud meanwhile, and networks that read both step by step."""

import cv2
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from contract import each_check, keep_encoder_contract, pass_check
from mmtutor import fusion
from mmtutor.motion import FrameDifferences, FusedInTime, Loudness, VideoLSTM
from mmtutor.scenes import make_videos

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # in Keras

NETWORK = VideoLSTM(size=8, n_frames=8, filters=(4,), n_units=4, n_features=4, epochs=2, batch_size=4)
BRANCH = clone(NETWORK).set_params(each_step=True)
STEPS = {"right": (1, 0, 0), "down": (0, 1, 0), "turn": (0, 0, 3)}  # pixels, pixels, degrees a step


@pytest.fixture(scope="module")
def clips():
    data = make_videos(12, n_frames=8, fps=8, size=32)
    order = np.random.default_rng(0).permutation(12)  # the index is shuffled, as after any split
    data.X, data.y = data.X.iloc[order], data.y[order]
    return data


def moving(right, down, turn, n=5, size=48):
    """A soft cross with one long arm that moves by so much a step."""
    frames = np.full((n, size, size, 3), 200, np.uint8)
    still = np.full((size, size, 3), 200, np.uint8)
    cv2.rectangle(still, (14, 21), (34, 27), (40, 40, 40), -1)
    cv2.rectangle(still, (21, 16), (27, 32), (40, 40, 40), -1)
    still = cv2.GaussianBlur(still, (0, 0), 2)
    for k in range(n):
        shift = cv2.getRotationMatrix2D((24, 24), -turn * k, 1)
        shift[:, 2] += np.array([right, down]) * k
        frames[k] = cv2.warpAffine(still, shift, (size, size), borderValue=(200, 200, 200))
    return frames


# Frame differences


@pytest.mark.parametrize("way", STEPS)
@pytest.mark.parametrize("sign", [1, -1])
def test_a_known_motion_is_measured_in_pixels_and_degrees(way, sign):
    step = sign * np.array(STEPS[way])
    found = FrameDifferences(5).fit_transform([moving(*step)]).reshape(4, 3)
    assert np.allclose(found[:, :2], step[:2], atol=0.2)
    assert np.allclose(found[:, 2], step[2], atol=1)


def test_a_clip_played_backwards_moves_the_other_way(clips):
    forwards = FrameDifferences(8).fit_transform(clips.X.video).reshape(-1, 7, 3)
    backwards = FrameDifferences(8).fit_transform([clip[::-1] for clip in clips.X.video]).reshape(-1, 7, 3)
    assert np.allclose(backwards, -forwards[:, ::-1], atol=1e-4)


def test_what_stands_still_has_no_motion_whatever_it_shows():
    for still in (np.zeros((3, 8, 8, 3), np.uint8), np.repeat(moving(0, 0, 0, n=1), 3, axis=0)):
        assert np.array_equal(FrameDifferences(3).fit_transform([still]), np.zeros((1, 6)))


def test_differences_find_the_motions_of_new_drawings():
    train, test = make_videos(150, size=32), make_videos(150, "test", size=32)
    model = make_pipeline(FrameDifferences(), StandardScaler(), LogisticRegression())
    assert model.fit(train.X.video, train.motions[:, 0]).score(test.X.video, test.motions[:, 0]) > 0.9


def test_features_are_named_by_step_and_way_and_the_contract_holds(clips):
    encoder = FrameDifferences(8).fit(clips.X.video)
    whole = keep_encoder_contract(encoder, clips.X.video)
    assert whole.shape == (12, 21) and whole.dtype == np.float32
    assert list(encoder.get_feature_names_out()[:4]) == [
        "step0_right",
        "step0_down",
        "step0_turn",
        "step1_right",
    ]
    assert encoder.transform([]).shape == (0, 21)


# Loudness


def test_loudness_is_the_power_of_each_slot_relative_to_the_loudest():
    sound = np.repeat(np.array([0.1, -0.4, 0.2], np.float32), 700)
    assert np.allclose(Loudness(3).fit_transform([sound, sound / 2]), [[1 / 16, 1, 1 / 4]] * 2)


def test_silence_is_zero_and_a_sound_shorter_than_its_slots_has_empty_ones():
    assert Loudness(4).fit_transform([np.zeros(9, np.float32)]).tolist() == [[0, 0, 0, 0]]
    assert Loudness(4).fit_transform([np.ones(2, np.float32)]).sum() == 2


def test_the_beep_is_loudest_in_the_frame_in_which_it_sounds():
    clips = make_videos(20, size=32)
    slots = Loudness(16).fit_transform(clips.X.sound)
    assert np.abs((slots.argmax(axis=1) + 0.5) / clips.fps - clips.event).max() < 0.6 / clips.fps


def test_loudness_keeps_the_contract(clips):
    encoder = Loudness(8).fit(clips.X.sound)
    assert keep_encoder_contract(encoder, clips.X.sound).shape == (12, 8)
    assert encoder.get_feature_names_out()[7] == "loudness7"


# Networks


def test_pictures_are_prepared_small_in_gray_and_evenly_spaced(clips):
    arrays = clone(NETWORK).set_params(n_frames=3).adapt(clips.X.video).prepare(clips.X.video)
    assert arrays.shape == (12, 3, 8, 8, 1) and arrays.dtype == np.uint8
    gray = clips.X.video.iloc[0][[0, 4, 7]].mean(axis=(1, 2)) @ [0.299, 0.587, 0.114]
    assert np.allclose(arrays[0].mean(axis=(1, 2, 3)), gray, atol=1)


@pytest.mark.parametrize("differences", [True, False])
def test_a_video_network_keeps_the_encoder_contract(clips, differences):
    encoder = clone(NETWORK).set_params(differences=differences).fit(clips.X.video, clips.y)
    whole = keep_encoder_contract(encoder, clips.X.video, rounding=1e-5)
    assert whole.shape == (12, 4) and whole.dtype == np.float32
    assert encoder.get_feature_names_out()[3] == "videolstm3"


def test_the_background_does_not_matter_and_the_order_of_frames_does(clips):
    encoder = clone(NETWORK)
    arrays = encoder.prepare(clips.X.video) // 2  # there is room above
    network = encoder.network(arrays)
    assert np.allclose(network(arrays), network(arrays + np.uint8(20)), atol=1e-4)
    assert not np.allclose(network(arrays), network(arrays[:, ::-1]), atol=1e-4)


def test_the_gradient_reaches_every_weight(clips):
    import tensorflow as tf

    encoders = {"video": BRANCH.adapt(clips.X.video), "sound": Loudness(8)}
    model = FusedInTime(encoders, n_units=4, n_hidden=4, epochs=1, dropout=0.0).fit(clips.X, clips.y)
    inputs = {"video": BRANCH.prepare(clips.X.video), "sound": Loudness(8).transform(clips.X.sound)}
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model.model_(inputs) ** 2)
    gradients = tape.gradient(loss, model.model_.trainable_weights)
    assert all(np.abs(gradient).max() > 0 for gradient in gradients)


def test_fusion_in_time_pairs_each_step_with_the_sound_around_it():
    keras = pytest.importorskip("mmtutor.keras_quietly").import_keras()
    model = FusedInTime({"sound": Loudness(4), "video": BRANCH}, n_units=2)
    inputs = [keras.Input((4,)), keras.Input((3, 2))]
    lstm = keras.Model(inputs, model.fuse(inputs))
    loud, steps = np.array([[0.0, 2, 4, 0]], np.float32), np.ones((1, 3, 2), np.float32)
    joined = np.concatenate([[[[1.0], [3], [2]]], steps], axis=2).astype(np.float32)
    assert np.allclose(lstm([loud, steps]), lstm.layers[-1](joined), atol=1e-6)


def test_the_same_cnn_looks_at_every_step(clips):
    keras = pytest.importorskip("mmtutor.keras_quietly").import_keras()
    arrays = BRANCH.prepare(clips.X.video)
    network = BRANCH.network(arrays)
    features = np.asarray(network(arrays))
    assert features.shape == (12, 7, 4)
    assert np.allclose(features[5:7], network(arrays[5:7]), atol=1e-5)  # a clip does not see the others
    still = arrays.copy()
    still[:, 4:] = still[:, 3:4]
    mean = still.mean(axis=(1, 2, 3, 4), keepdims=True)
    layers = [each for each in network.layers if each.weights]
    frames = (still / 40 - mean / 40).astype(np.float32)
    step = np.concatenate([frames[:, 3], 0 * frames[:, 3]], axis=-1)  # nothing moves any more
    by_hand = layers[-1](keras.ops.mean(layers[0](step), axis=(1, 2)))
    assert len(layers) == 2 and np.allclose(np.asarray(network(still))[:, 3:], by_hand[:, None], atol=1e-4)


def test_fusion_in_time_learns_what_is_said_by_the_moment_of_the_sound():
    rng = np.random.default_rng(0)
    early = rng.permutation(np.arange(60) % 2)
    frames = np.zeros((60, 8, 8, 8, 3), np.uint8)
    bright = rng.permutation(np.arange(60) // 2 % 2)  # whether the clip is bright at the start or at the end
    frames[bright == 1, :4], frames[bright == 0, 4:] = 200, 200
    sound = np.zeros((60, 800), np.float32)
    sound[early == 1, :400], sound[early == 0, 400:] = 0.5, 0.5
    from mmtutor.table import make_table

    X, y = make_table({"video": list(frames), "sound": list(sound)}), (early == bright).astype(int)
    branch = clone(BRANCH).set_params(differences=False)
    how = {"n_units": 8, "epochs": 40, "batch_size": 8, "learning_rate": 0.02, "dropout": 0.0}
    assert FusedInTime({"video": branch, "sound": Loudness(8)}, **how).fit(X, y).score(X, y) == 1


def test_a_clip_network_is_a_branch_of_early_fusion(clips):
    model = fusion.early_fusion({"video": NETWORK, "sound": Loudness(8)}, LogisticRegression())
    assert model.fit(clips.X, clips.y).predict(clips.X).shape == (12,)


@pytest.mark.parametrize("estimator", [FrameDifferences(), Loudness(), NETWORK], ids=repr)
@each_check
def test_scikit_learns_own_checks_pass(estimator, check):
    pass_check(estimator, check)


# Refusals


@pytest.mark.parametrize(
    ("encoder", "message"),
    [
        (FrameDifferences(1), "n_frames=1.*: n_frames is no whole number of 2 or more"),
        (FrameDifferences(2.0), "n_frames is no whole number"),
        (FrameDifferences(8, blur=0), "blur is not above 0"),
        (FrameDifferences(8, blur="a"), "blur is not above 0"),
        (Loudness(0), "n_slots=0.*: n_slots is no whole number of 1 or more"),
        (clone(NETWORK).set_params(n_frames=1), r"VideoLSTM\(n_frames=1\): one frame has no motion"),
        (clone(NETWORK).set_params(size=0), r"VideoLSTM\(size=0\): not a whole number"),
        (BRANCH, "is a branch of FusedInTime"),
    ],
)
def test_parameters_out_of_their_range_are_refused(clips, encoder, message):
    column = clips.X.sound if isinstance(encoder, Loudness) else clips.X.video
    with pytest.raises(ValueError, match=message):
        clone(encoder).fit(column, clips.y)


@pytest.mark.parametrize("encoder", [FrameDifferences(8), NETWORK], ids=repr)
def test_a_clip_that_is_missing_or_too_short_or_none_is_refused_by_row_and_column(clips, encoder):
    row = clips.X.index[3]
    for bad, message in (
        (None, "missing"),
        (np.zeros((7, 8, 8, 3), np.uint8), "7 frames, fewer than n_frames=8"),
        (np.zeros((8, 8, 3), np.uint8), "an array of shape"),
    ):
        column = clips.X.video.copy()
        column.at[row] = bad
        with pytest.raises(ValueError, match=f"row {row}, column 'video': {message}"):
            clone(encoder).fit(column, clips.y).transform(column)


@pytest.mark.parametrize("encoder", [FrameDifferences(1), FrameDifferences(8, blur=0), Loudness(0)])
def test_parameters_are_checked_without_fit_too(clips, encoder):
    column = clips.X.sound if isinstance(encoder, Loudness) else clips.X.video
    with pytest.raises(ValueError, match="the default works"):
        encoder.transform(column)


@pytest.mark.parametrize(
    ("clip", "message"),
    [
        (np.zeros((8, 16, 32, 3), np.uint8), "32 x 16 pixels, other clips 32 x 32"),
        (np.zeros((8, 1, 32, 3), np.uint8), "32 x 1 pixels, other clips 32 x 32"),
    ],
)
def test_pixels_of_clips_of_two_sizes_are_not_compared(clips, clip, message):
    column = clips.X.video.copy()
    column.at[row := column.index[5]] = clip
    with pytest.raises(ValueError, match=f"row {row}, column 'video': {message}"):
        FrameDifferences(8).transform(column)
    with pytest.raises(ValueError, match=r"row 0.*32 x 1 pixels, no picture"):
        FrameDifferences(8).transform([np.zeros((8, 1, 32, 3), np.uint8)])


@pytest.mark.parametrize(
    ("encoders", "message"),
    [
        ({"video": BRANCH, "sound": Loudness(16)}, "column 'sound' has 16, column 'video' has 7; .*Loudness"),
        ({"video": clone(BRANCH).set_params(n_frames=4), "sound": Loudness(8)}, "steps do not match"),
        ({"video": NETWORK, "sound": Loudness(8)}, r"column 'video': VideoLSTM.*set each_step=True"),
    ],
)
def test_steps_that_do_not_match_are_refused_by_column(clips, encoders, message):
    with pytest.raises(ValueError, match=message):
        FusedInTime(encoders, n_units=2, epochs=1).fit(clips.X, clips.y)


def test_hiding_whole_objects_is_refused_where_steps_are_fused():
    X, y = pd.DataFrame({"sound": [np.zeros(1600, np.float32)] * 4}), [0, 1, 0, 1]
    with pytest.raises(ValueError, match=r"modality_dropout=0\.2.*fill or drop missing clips"):
        FusedInTime({"sound": Loudness(8)}, modality_dropout=0.2).fit(X, y)
