"""Network encoders and the classifier that fuses them: masks, seeds, missing objects, saving, refusals."""

import pickle
import random
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

from contract import each_check, keep_encoder_contract, pass_check
from mmtutor import networks
from mmtutor.audio import RATE
from mmtutor.evaluate import count_parameters
from mmtutor.image import HOG
from mmtutor.networks import (
    ImageCNN,
    KerasFusionClassifier,
    SoundCNN,
    SoundLSTM,
    TextLSTM,
    TextTransformer,
)
from mmtutor.table import make_table

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # in Keras


def make_xor(n=80, seed=0):
    """The label says whether the picture's brightness agrees with the word: one modality alone is chance."""
    rng = np.random.default_rng(seed)
    bright, day = rng.permutation(np.arange(n) % 2), rng.permutation(np.arange(n) // 2 % 2)
    pictures = [(rng.integers(0, 60, (9, 7, 3)) + 180 * b).astype(np.uint8) for b in bright]
    words = [rng.choice([["night", "dark night"], ["day", "a day"]][d]) for d in day]
    X = make_table({"image": pictures, "text": words})
    X.index += 100  # as after any split: no row is called 0
    return X, np.where(bright == day, "agree", "differ")


def make_tones(n=12):
    time = np.arange(RATE // 4) / RATE
    return [np.sin(2 * np.pi * (400 + 1600 * (i % 2)) * time).astype(np.float32) * 0.5 for i in range(n)]


X, y = make_xor()
SMALL = {"n_features": 4, "epochs": 2}
IMAGE = ImageCNN(size=8, filters=(4,), **SMALL)
TEXT = TextLSTM(length=4, embedding=4, n_units=4, **SMALL)
TRANSFORMER = TextTransformer(length=4, embedding=4, **SMALL)
SOUND = {"seconds": 0.25, "n_bands": 10, **SMALL}
ENCODERS = {
    "image": (IMAGE, X.image.iloc[:12]),
    "text": (TEXT, X.text.iloc[:12]),
    "transformer": (TRANSFORMER, X.text.iloc[:12]),
    "sound": (SoundCNN(filters=(4,), **SOUND), pd.Series(make_tones(), name="sound")),
    "sound lstm": (SoundLSTM(n_units=4, **SOUND), pd.Series(make_tones(), name="sound")),
}
Y = np.arange(12) % 2
FUSION = KerasFusionClassifier(
    {"image": IMAGE, "text": TEXT}, n_hidden=16, dropout=0.1, epochs=30, learning_rate=0.01
)
PLAIN = {"image": HOG(size=16, cell=8, stride=8), "text": TfidfVectorizer()}
QUICK = KerasFusionClassifier(PLAIN, n_hidden=4, epochs=1)


@pytest.fixture(scope="module")
def fused():
    return clone(FUSION).fit(X, y)


# What goes in, what comes out


def test_a_picture_becomes_a_square_of_bytes():
    arrays = IMAGE.prepare(X.image)
    assert arrays.shape == (80, 8, 8, 3) and arrays.dtype == np.uint8
    assert np.array_equal(ImageCNN(size=9).prepare([np.full((9, 9, 3), 7, np.uint8)])[0, 0, 0], [7, 7, 7])


def test_tokens_are_numbered_by_how_frequent_they_are_in_the_training_rows():
    encoder = TextLSTM(length=4, n_words=2).adapt(["b a", "B a", "c b"])
    assert encoder.vocabulary_ == {"b": 3, "a": 4}
    assert encoder.prepare(["a b", "c", "", "b b b b b"]).tolist() == [
        [1, 4, 3, 0],
        [1, 2, 0, 0],
        [1, 0, 0, 0],
        [1, 3, 3, 3],
    ]


def test_list_cuts_a_text_into_characters():
    encoder = TextLSTM(length=4, tokenizer=list).adapt(["été", "七"])
    assert encoder.vocabulary_ == {"é": 3, "t": 4, "七": 5}
    assert encoder.prepare(["Té七七"]).tolist() == [[1, 4, 3, 5]]


def test_bands_of_the_training_sounds_have_mean_0_and_standard_deviation_1():
    rng = np.random.default_rng(0)
    sounds = [rng.uniform(-1, 1, 4000).astype(np.float32) * (i + 1) / 20 for i in range(20)]
    arrays = SoundCNN(seconds=0.25).adapt(sounds).prepare(sounds)
    assert arrays.shape == (20, 26, 40) and arrays.dtype == np.float32
    assert np.allclose(arrays.mean(axis=(0, 1)), 0, atol=1e-3)
    assert np.allclose(arrays.std(axis=(0, 1)), 1, atol=1e-3)


def test_short_and_long_sounds_get_one_length_and_silence_is_never_nan():
    sounds = [np.ones(10, np.float32), np.zeros(9000, np.float32), *make_tones(2)]
    for encoder in (SoundCNN(**SOUND), SoundLSTM(**SOUND)):
        assert encoder.adapt(sounds).prepare(sounds).shape == (4, 26, 10)
        for training in (sounds, sounds[1:2]):  # silence among sounds, and nothing but silence
            arrays = encoder.adapt(training).prepare(sounds)
            assert np.isfinite(arrays).all() and np.isfinite(encoder.network(arrays)(arrays)).all()


@pytest.mark.parametrize("name", ENCODERS)
def test_a_network_maps_prepared_arrays_to_features(name):
    encoder, column = ENCODERS[name]
    encoder = clone(encoder)
    arrays = encoder.adapt(column).prepare(column)
    network = encoder.network(arrays, name="mine")
    assert network.name == "mine" and network.output_shape == (None, 4)
    assert network.input_shape == (None, *arrays.shape[1:])
    features = np.asarray(network(arrays))
    assert features.dtype == np.float32 and features.shape == (12, 4) and (features >= 0).all()


# Masks


@pytest.mark.parametrize("kind", [TextLSTM, TextTransformer])
def test_longer_padding_gives_the_same_features(kind):
    short = kind(length=4, embedding=4, n_features=8).adapt(X.text)
    long = clone(short).set_params(length=9).adapt(X.text)
    arrays = short.prepare(X.text), long.prepare(X.text)
    assert arrays[0].shape == (80, 4) and arrays[1].shape == (80, 9)
    networks_ = short.network(arrays[0]), long.network(arrays[1])
    weights = [
        np.pad(w, [(0, n - m) for m, n in zip(w.shape, v.shape, strict=True)])  # positions 4 to 8: unused
        for w, v in zip(*(network.get_weights() for network in networks_), strict=True)
    ]
    networks_[1].set_weights(weights)
    features = [np.asarray(network(a)) for network, a in zip(networks_, arrays, strict=True)]
    assert features[0].std() > 0
    assert np.allclose(*features, atol=1e-6)


@pytest.mark.parametrize("kind", [TextLSTM, TextTransformer])
def test_an_empty_text_has_features(kind):
    for training in (["", "a", "a b"], [""]):
        encoder = kind(length=4, embedding=4, **SMALL).adapt(training)
        arrays = encoder.prepare(["", "a", "c"])
        assert np.isfinite(encoder.network(arrays)(arrays)).all()


# Encoders as transformers: the contract


@pytest.mark.parametrize("name", ENCODERS)
def test_a_network_encoder_keeps_the_estimator_contract(name):
    encoder, column = ENCODERS[name]
    encoder = clone(encoder)
    whole = keep_encoder_contract(encoder.fit(column, Y), column, rounding=1e-5)
    assert whole.shape == (12, 4) and whole.dtype == np.float32
    names = [f"{type(encoder).__name__.lower()}{i}" for i in range(4)]
    assert list(encoder.get_feature_names_out()) == names
    assert list(encoder.history_.index) == [1, 2] and {"loss", "accuracy"} == set(encoder.history_)


@pytest.mark.parametrize("estimator", [e for e, _ in ENCODERS.values()], ids=repr)
@each_check
def test_scikit_learns_own_checks_pass(estimator, check):
    pass_check(estimator, check)


def test_trained_features_carry_the_label():
    bright = np.array([picture.mean() > 100 for picture in X.image])
    encoder = clone(IMAGE).set_params(epochs=20, learning_rate=0.01)
    features = encoder.fit(X.image[:60], bright[:60]).transform(X.image)
    assert LogisticRegression().fit(features[:60], bright[:60]).score(features[60:], bright[60:]) == 1
    assert encoder.history_.loss.iloc[-1] < encoder.history_.loss.iloc[0] / 2


def test_an_encoder_without_labels_is_refused_with_the_reason():
    with pytest.raises(
        ValueError, match=r"ImageCNN learns from labels: call fit\(X, y\); a network that was"
    ):
        ImageCNN().fit(X.image)
    with pytest.raises(NotFittedError):
        ImageCNN().transform(X.image)
    for encoder in (TextLSTM(), SoundCNN()):
        with pytest.raises(NotFittedError):
            encoder.prepare(X.text)


def test_an_encoder_refuses_what_it_cannot_use_and_names_row_and_column():
    broken = X.copy()
    broken.loc[103, "image"] = None
    with pytest.raises(ValueError, match="row 103, column 'image': missing"):
        ImageCNN().fit(broken.image, y)
    with pytest.raises(ValueError, match="row 1, column 'X': "):
        TextLSTM().adapt(["a", b"b"])
    with pytest.raises(ValueError, match="row 0, column 'X': holds NaN"):
        SoundCNN().adapt([np.full(4000, np.nan, np.float32)])
    with pytest.raises(ValueError, match=r"ImageCNN\(size=0\): not a whole number of 1 or more"):
        ImageCNN(size=0).adapt(X.image)
    with pytest.raises(ValueError, match="y has one class, 'a'"):
        clone(IMAGE).fit(X.image, ["a"] * 80)


# The classifier learns


def test_fusion_learns_what_neither_modality_knows(fused):
    test = make_xor(seed=1)
    assert fused.score(*test) == 1
    for column in X:
        alone = clone(FUSION).set_params(encoders={column: FUSION.encoders[column]}, epochs=9).fit(X, y)
        assert alone.score(*test) < 0.7
    assert list(fused.history_.index) == list(range(1, 31))
    assert fused.history_.loss.iloc[-1] < 0.3 * fused.history_.loss.iloc[0]


def test_probabilities_are_those_of_the_keras_model(fused):
    inputs = {c: e.prepare(X[c]) for c, e in fused.encoders_.items()}
    p = fused.predict_proba(X)
    assert p.shape == (80, 2) and np.allclose(p.sum(axis=1), 1, atol=1e-6)
    assert np.allclose(p, fused.model_(inputs), atol=1e-6)
    assert list(fused.classes_) == ["agree", "differ"]
    assert (fused.predict(X) == fused.classes_[p.argmax(axis=1)]).all()
    assert [node.name for node in fused.model_.inputs] == ["image", "text"]
    assert fused.predict_proba(X.iloc[:0]).shape == (0, 2)


def test_parameters_are_counted(fused):
    image = 3 * 9 * 4 + 4 + 4 * 4 * 4 * 4 + 4
    words = 3 + len(fused.encoders_["text"].vocabulary_)
    text = words * 4 + 4 * (4 + 4 + 1) * 4 + 4 * 4 + 4
    assert count_parameters(fused) == fused.model_.count_params() == image + text + 8 * 16 + 16 + 16 * 2 + 2


def test_any_transformer_is_an_encoder_dense_or_sparse():
    encoders = {"image": make_pipeline(PLAIN["image"], PCA(2)), "text": PLAIN["text"]}
    model = clone(QUICK).set_params(encoders=encoders).fit(X, y)
    assert {node.name: node.shape for node in model.model_.inputs} == {"image": (None, 2), "text": (None, 3)}
    assert model.predict(X).shape == (80,)


def test_a_subclass_may_fuse_in_another_way():
    model = Product({"image": IMAGE, "text": TEXT}, epochs=1).fit(X, y)
    assert model.model_.get_layer("hidden").kernel.shape == (4, 64)
    assert np.array_equal(pickle.loads(pickle.dumps(model)).predict_proba(X), model.predict_proba(X))


class Product(KerasFusionClassifier):
    def fuse(self, features):
        return networks.import_keras().layers.Multiply()(features)


# The classifier's contract


def test_the_same_seed_gives_the_same_numbers_and_leaves_global_random_numbers_alone(fused):
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    networks.import_keras().utils.set_random_seed(7)
    before = random.getstate(), np.random.get_state()[1].copy()  # noqa: NPY002
    again = clone(FUSION).fit(X, y)
    assert random.getstate() == before[0]
    assert np.array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002
    assert np.allclose(again.predict_proba(X), fused.predict_proba(X), atol=5e-4)
    other = clone(QUICK).set_params(random_state=1).fit(X, y)
    assert not np.allclose(other.predict_proba(X), clone(QUICK).fit(X, y).predict_proba(X), atol=1e-3)


PREDICT_AGAIN = """
import sys
sys.path.insert(0, {tests!r})
from test_networks import FUSION, X, clone, y
from mmtutor.networks import KerasFusionClassifier
print(*KerasFusionClassifier.load({file!r}).predict_proba(X)[:, 0].round(3))
print(*clone(FUSION).fit(X, y).predict_proba(X)[:, 0].round(3))
"""


def test_a_fresh_process_loads_the_same_model_and_trains_the_same_model(fused, tmp_path, request):
    fused.save(tmp_path / "model")
    code = PREDICT_AGAIN.format(tests=str(request.path.parent), file=str(tmp_path / "model"))
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded, trained = (np.array(line.split(), float) for line in run.stdout.splitlines())
    mine = fused.predict_proba(X)[:, 0]
    assert np.allclose(loaded, mine, atol=6e-4)
    assert np.allclose(trained, mine, atol=2e-3)
    assert run.stderr == ""


@pytest.mark.parametrize("threads", [None, "1"])
def test_tensorflow_has_as_many_threads_on_every_computer_unless_told_otherwise(threads, monkeypatch):
    code = (
        "import os; from mmtutor.keras_quietly import import_keras; keras = import_keras(); "
        "keras.ops.ones(3); print(os.environ['TF_NUM_INTRAOP_THREADS'])"
    )
    monkeypatch.delenv("TF_NUM_INTRAOP_THREADS", raising=False)
    if threads:
        monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", threads)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == (threads or "2") and not run.stderr


def test_a_file_of_another_kind_is_refused_before_anything_in_it_runs(tmp_path):
    (tmp_path / "other").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(ValueError, match=r"other: not written by KerasFusionClassifier\.save"):
        KerasFusionClassifier.load(tmp_path / "other")
    with pytest.raises(FileNotFoundError):
        KerasFusionClassifier.load(tmp_path / "none")
    with pytest.raises(NotFittedError):
        FUSION.save(tmp_path / "unfitted")


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("the pickle was read",))


def test_order_of_rows_columns_and_encoders_never_matters(fused):
    p = fused.predict_proba(X)
    order = np.random.default_rng(0).permutation(80)
    assert np.allclose(fused.predict_proba(X[["text", "image"]].iloc[order]), p[order], atol=1e-5)
    turned = clone(QUICK).set_params(encoders=dict(reversed(PLAIN.items())))
    assert np.allclose(
        turned.fit(X[["text", "image"]], y).predict_proba(X),
        clone(QUICK).fit(X, y).predict_proba(X),
        atol=1e-5,
    )


def test_scikit_learn_can_pickle_and_search(fused):
    assert np.array_equal(pickle.loads(pickle.dumps(fused)).predict_proba(X), fused.predict_proba(X))
    model = clone(QUICK).set_params(encoders={"image": IMAGE})
    search = GridSearchCV(model, {"encoders__image__size": [6], "n_hidden": [2]}, cv=2).fit(X, y)
    best = search.best_estimator_
    assert best.n_hidden == 2 and best.model_.inputs[0].shape == (None, 6, 6, 3)
    assert model.encoders["image"].size == 8  # the search changes copies


def test_other_processes_can_train(capfd):
    assert cross_val_score(QUICK, X, y, cv=2, n_jobs=2).shape == (2,)
    assert capfd.readouterr().err == ""


def test_the_vocabulary_comes_from_the_rows_that_train():
    model = clone(QUICK).set_params(encoders={"text": TEXT}, patience=1, validation_fraction=0.3)
    texts = X.assign(text=[f"word{row}" for row in range(80)])
    assert len(model.fit(texts, y).encoders_["text"].vocabulary_) == 56


# Class weights, early stopping, progress


def test_class_weights_move_probabilities():
    rare = np.where(np.arange(80) % 8 == 0, "rare", "common")
    model = clone(QUICK).set_params(epochs=20, learning_rate=0.03)
    means = {
        str(weight): clone(model).set_params(class_weight=weight).fit(X, rare).predict_proba(X)[:, 1].mean()
        for weight in (None, "balanced", {"rare": 20})
    }
    plain, balanced, heavy = means.values()
    assert plain < 0.25 and 0.35 < balanced < 0.65 and heavy > 0.65
    with pytest.raises(
        ValueError, match=r"class_weight names \['none'\]; the classes are \['agree', 'differ'\]"
    ):
        clone(QUICK).set_params(class_weight={"none": 2}).fit(X, y)


def test_early_stopping_keeps_the_best_epoch():
    noise = np.random.default_rng(0).permutation(y)  # nothing to learn: soon worse on held-out rows
    model = clone(QUICK).set_params(patience=2, epochs=60, n_hidden=64, learning_rate=0.03).fit(X, noise)
    losses = model.history_.val_loss
    assert len(losses) == losses.idxmin() + 2 < 60
    held_out = networks.train_test_split(
        np.arange(80),
        test_size=12,
        stratify=noise,
        random_state=int(np.random.default_rng(0).integers(2**31)),
    )[1]
    p = model.predict_proba(X.iloc[held_out])
    picked = p[np.arange(12), np.searchsorted(model.classes_, noise[held_out])]
    assert np.isclose(-np.log(picked).mean(), losses.min(), atol=1e-3)


def test_early_stopping_needs_two_samples_of_each_class():
    single = np.where(np.arange(80) == 4, "single", "many")
    with pytest.raises(ValueError, match="single"):
        clone(QUICK).set_params(patience=1).fit(X, single)


def test_progress_says_each_epoch(monkeypatch):
    said = []
    monkeypatch.setattr(networks.Progress, "step", lambda self, what: said.append(what))
    clone(QUICK).set_params(progress=True, epochs=3).fit(X, y)
    assert len(said) == 3 and said[0].startswith("epochs, loss 0.")


# Missing objects


def test_a_missing_object_is_refused_by_default_in_training_and_in_use(fused):
    broken = X.copy()
    broken.loc[103, "text"] = None
    for act in (lambda: clone(FUSION).fit(broken, y), lambda: fused.predict(broken)):
        with pytest.raises(ValueError, match="row 103, column 'text': missing"):
            act()


def test_modality_dropout_accepts_missing_objects_and_a_hidden_branch_is_zero():
    rng = np.random.default_rng(0)
    day = np.array(["day" in text for text in X.text])
    pictures = [np.full((8, 8, 3), 200 * d + rng.integers(50), np.uint8) for d in day]
    both = make_table({"image": pictures, "text": X.text})  # each modality alone knows the label
    both.loc[rng.random(80) < 0.2, "text"] = None
    model = clone(FUSION).set_params(modality_dropout=0.4, epochs=60).fit(both, day)
    assert model.score(both, day) == 1
    for column in both:
        gone = both[both.text.notna()].copy()
        gone[column] = None
        assert model.score(gone, day[both.text.notna()]) == 1
    nothing = model.predict_proba(make_table({"image": [None] * 2, "text": [None] * 2}))
    hidden = {"present": np.zeros((1, 2)), "image": np.full((1, 8, 8, 3), 99), "text": np.full((1, 4), 3)}
    assert np.allclose(nothing, model.model_(hidden), atol=1e-6)
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.predict_proba(both), model.predict_proba(both))


def test_modality_dropout_hides_its_share_but_never_all_that_a_row_has():
    rng = np.random.default_rng(0)
    present = np.ones((9000, 3), np.float32)
    hidden = networks._hide(present, 0.3, rng)
    assert hidden.dtype == np.float32 and hidden.any(axis=1).all()
    assert np.isclose(hidden.mean(), 0.7 + 0.3**3 / 3, atol=0.01)
    assert np.allclose(hidden.mean(axis=0), hidden.mean(), atol=0.02)
    present[:, 0] = 0
    present[5] = 0
    hidden = networks._hide(present, 0.9, rng)
    assert not hidden[:, 0].any() and not hidden[5].any()
    assert (hidden.sum(axis=1) > 0).sum() == 8999


def test_an_encoder_that_tolerates_missing_objects_is_left_to_it():
    from mmtutor.fusion import MissingTolerant

    holes = X.copy()
    holes.loc[103, "image"] = None
    encoders = {**PLAIN, "image": MissingTolerant(PLAIN["image"])}
    model = clone(QUICK).set_params(encoders=encoders).fit(holes, y)
    assert np.isfinite(model.predict_proba(holes)).all()


def test_a_column_without_any_object_is_refused():
    empty = X.assign(image=None)
    with pytest.raises(ValueError, match="column 'image' is missing in each of 80 rows; leave it out"):
        clone(QUICK).set_params(modality_dropout=0.0).fit(empty, y)


# Refusals


@pytest.mark.parametrize(
    ("X", "y", "params", "message"),
    [
        (X[["text"]], y, {}, r"encoders are given for columns \['image', 'text'\], the table has \['text'\]"),
        (X, y, {"encoders": {}}, r"encoders are given for columns \[\]"),
        (X.to_numpy(), y, {}, "X is a ndarray; a multimodal data set is a table: use make_table"),
        (X, y[:5], {}, "X has 80 rows and y has 5"),
        (X, ["a"] * 80, {}, "y has one class, 'a'; a classifier needs two or more"),
        (X, [*y[:79], None], {}, "row 79, column 'y': missing"),
        (X, y, {"epochs": 0}, r"KerasFusionClassifier\(epochs=0\): not a whole number of 1 or more"),
        (X, y, {"batch_size": 2.5}, r"KerasFusionClassifier\(batch_size=2.5\): not a whole number"),
        (X, y, {"class_weight": "even"}, "class_weight"),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(X, y, params, message):
    with pytest.raises(ValueError, match=message):
        clone(QUICK).set_params(**params).fit(X, y)


def test_features_that_are_not_finite_are_refused():
    class Broken(HOG):
        def transform(self, X):
            return super().transform(X) * np.nan

    with pytest.raises(ValueError, match="encoder of 'image' contains NaN"):
        clone(QUICK).set_params(encoders={"image": Broken()}).fit(X, y)


def test_labels_may_be_numbers_or_booleans():
    for labels in (np.arange(80) % 3 * 10, np.arange(80) % 2 == 0):
        model = clone(QUICK).fit(X, labels)
        assert set(model.predict(X)) <= set(labels.tolist()) and len(model.classes_) == len(set(labels))
