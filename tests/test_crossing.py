"""What a user may rely on when crossing modalities: the loss, retrieval with ties, edits, CTC's rule."""

from itertools import product

import numpy as np
import pytest
from scipy.stats import binomtest, norm

from mmtutor import audio
from mmtutor.crossing import (
    character_error_rate,
    ctc_collapse,
    edit_distance,
    hits_at_k,
    info_nce,
    make_digit_strings,
    recall_at_k,
    wilson,
    word_overlap,
)
from mmtutor.keras_quietly import import_keras


def unit(rng, *shape):
    z = rng.standard_normal(shape).astype(np.float32)
    return z / np.linalg.norm(z, axis=-1, keepdims=True)


def numpy_info_nce(pairs, temperature):
    scores = pairs[:, 0] @ pairs[:, 1].T / temperature
    there = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    back = np.exp(scores) / np.exp(scores).sum(axis=0, keepdims=True)
    return -(np.log(np.diag(there)) + np.log(np.diag(back))) / 2


@pytest.mark.parametrize("n", [1, 3, 20])
@pytest.mark.parametrize("temperature", [0.05, 1.0])
def test_info_nce_equals_a_few_lines_of_numpy(n, temperature):
    pairs = unit(np.random.default_rng(0), n, 2, 8)
    found = np.array(info_nce(temperature)(None, pairs))
    np.testing.assert_allclose(found, numpy_info_nce(pairs.astype(float), temperature), atol=2e-5)


def test_info_nce_of_a_collapsed_network_is_the_log_of_the_batch():
    pairs = np.ones((7, 2, 4), np.float32) / 2
    np.testing.assert_allclose(np.array(info_nce()(None, pairs)), np.log(7), rtol=1e-5)


def test_info_nce_does_not_care_for_the_order_of_samples_or_of_the_two_modalities():
    pairs, loss = unit(np.random.default_rng(1), 6, 2, 5), info_nce()
    whole = np.array(loss(None, pairs))
    np.testing.assert_allclose(np.array(loss(None, pairs[::-1])), whole[::-1], atol=1e-5)
    np.testing.assert_allclose(np.array(loss(None, pairs[:, ::-1])), whole, atol=1e-5)


def test_info_nce_trains_both_towers():
    keras = import_keras()
    inputs = [keras.Input((4,)), keras.Input((3,))]
    both = [keras.layers.UnitNormalization()(keras.layers.Dense(2)(each)) for each in inputs]
    model = keras.Model(inputs, keras.ops.stack(both, axis=1))
    model.compile("sgd", info_nce(), jit_compile=False)
    before = [weight.numpy() for weight in model.trainable_weights]
    rng = np.random.default_rng(0)
    X = [rng.standard_normal((8, width)).astype(np.float32) for width in (4, 3)]
    model.fit(X, np.zeros(8), verbose=0)
    assert len(before) == 4
    assert all(
        (weight.numpy() != old).any() for weight, old in zip(model.trainable_weights, before, strict=True)
    )


def test_a_temperature_of_zero_is_refused():
    with pytest.raises(ValueError, match="temperature=0"):
        info_nce(0)


def test_recall_counts_the_partners_among_the_first_k():
    similarity = np.array([[0.9, 0.2, 0.1], [0.8, 0.5, 0.1], [0.3, 0.2, 0.1]])
    assert [recall_at_k(similarity, k) for k in (1, 2, 3)] == pytest.approx([1 / 3, 2 / 3, 1])


def test_collapsed_embeddings_score_chance():
    for k in (1, 10, 100):
        assert recall_at_k(np.ones((100, 100)), k) == pytest.approx(k / 100)


def test_ties_count_as_breaking_them_at_random_does():
    rng = np.random.default_rng(0)
    similarity = rng.integers(0, 3, (30, 30)).astype(float)
    broken = [recall_at_k(similarity + rng.uniform(0, 0.1, (30, 30)), 4) for _ in range(300)]
    assert recall_at_k(similarity, 4) == pytest.approx(np.mean(broken), abs=0.01)


def test_random_embeddings_score_chance():
    rng = np.random.default_rng(0)
    similarity = unit(rng, 500, 16) @ unit(rng, 500, 16).T
    assert recall_at_k(similarity, 25) == pytest.approx(0.05, abs=0.03)


def test_the_partner_may_be_named():
    similarity = np.array([[0.1, 0.9], [0.8, 0.3], [0.7, 0.6]])
    assert hits_at_k(similarity, 1, right=np.array([1, 0, 1])).tolist() == [1, 1, 0]


@pytest.mark.parametrize(
    ("similarity", "k", "message"),
    [
        (np.ones((2, 3)), 1, "2 queries and 3 candidates"),
        (np.ones((2, 2)), 0, "k=0"),
        (np.ones((2, 2)), 3, "k=3"),
        (np.full((2, 2), np.nan), 1, "finite"),
        (np.ones((2, 2)), 1.5, "k=1.5"),
        (np.ones((2, 2)), "1", "k='1'"),
        (np.ones(3), 1, "a row a query"),
        (np.ones((0, 0)), 1, "one query or more"),
    ],
)
def test_impossible_retrieval_is_refused(similarity, k, message):
    with pytest.raises(ValueError, match=message):
        hits_at_k(similarity, k)


@pytest.mark.parametrize(
    ("right", "message"),
    [
        ([1], "give 2 whole"),
        ([0.0, 1.0], "give 2 whole"),
        (1, "give 2 whole"),
        ([0, 3], "row 1, right=3"),
        ([-1, 0], "row 0, right=-1"),
    ],
)
def test_impossible_partners_are_refused(right, message):
    with pytest.raises(ValueError, match=message):
        hits_at_k(np.ones((2, 3)), 1, right=right)


@pytest.mark.parametrize("shape", [(3, 4), (3, 3, 4)])
def test_pairs_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match="two embeddings a row"):
        info_nce()(None, np.ones(shape, np.float32))


@pytest.mark.parametrize("temperature", ["0.1", np.nan, np.inf, -1])
def test_impossible_temperatures_are_refused(temperature):
    with pytest.raises(ValueError, match="temperature="):
        info_nce(temperature)


def test_sentences_and_answers_must_be_texts():
    with pytest.raises(ValueError, match="two lists of str"):
        character_error_rate("4071", "4710")
    with pytest.raises(ValueError, match="row 1, said: None"):
        character_error_rate(["1", "2"], ["1", None])
    with pytest.raises(ValueError, match="not a sentence"):
        word_overlap(None, "a cat")


def test_wilson_covers_the_truth_as_often_as_it_says():
    found = np.random.default_rng(0).binomial(40, 0.1, 2000) / 40
    covered = [low <= 0.1 <= high for low, high in (wilson(share, 40) for share in found)]
    assert 0.92 < np.mean(covered) < 0.98


@pytest.mark.parametrize(("right", "n"), [(0, 10), (3, 40), (40, 40)])
def test_wilson_is_scipys_interval_for_whole_counts(right, n):
    theirs = binomtest(right, n).proportion_ci(method="wilson")
    assert wilson(right / n, n, z=norm.ppf(0.975)) == pytest.approx((theirs.low, theirs.high))


def test_wilson_stays_an_interval_at_the_ends():
    assert wilson(0, 10)[0] == 0 and 0.2 < wilson(0, 10)[1] < 0.35
    with pytest.raises(ValueError, match="share="):
        wilson(1.2, 10)
    for bad in ({"n": 2.5}, {"n": 0}, {"n": np.nan}, {"n": 3, "z": -1}):
        with pytest.raises(ValueError, match="share="):
            wilson(0.5, **bad)


@pytest.mark.parametrize(
    ("one", "other", "edits"),
    [
        ("", "", 0),
        ("", "abc", 3),
        ("kitten", "sitting", 3),
        ("4071", "4071", 0),
        ("12", "21", 2),
        (["two", "cats"], ["a", "cat", "left"], 3),
    ],
)
def test_edit_distance(one, other, edits):
    assert edit_distance(one, other) == edit_distance(other, one) == edits


def test_edit_distance_keeps_the_triangle_inequality():
    rng = np.random.default_rng(0)
    texts = ["".join(map(str, rng.integers(0, 3, rng.integers(0, 6)))) for _ in range(12)]
    for a, b, c in product(texts, repeat=3):
        assert edit_distance(a, c) <= edit_distance(a, b) + edit_distance(b, c)


def test_error_rate_weighs_by_length():
    assert character_error_rate(["1234", "5"], ["1234", "6"]) == pytest.approx(1 / 5)
    assert character_error_rate(["12"], [""]) == 1
    assert character_error_rate(["1"], ["123"]) == 2


def test_error_rate_needs_one_answer_each():
    for truth, said in ((["1"], []), ([""], ["1"])):
        with pytest.raises(ValueError, match="one answer each"):
            character_error_rate(truth, said)


@pytest.mark.parametrize(
    ("path", "text"),
    [("aa-b", "ab"), ("a-a", "aa"), ("aaa", "a"), ("---", ""), ("", ""), ("-44-0--77-7", "4077")],
)
def test_collapse_merges_repeats_and_then_drops_blanks(path, text):
    assert "".join(ctc_collapse(path)) == text


def test_collapse_agrees_with_keras():
    ops = import_keras().ops
    scores = np.random.default_rng(0).standard_normal((5, 12, 4)).astype(np.float32)
    decoded, _ = ops.ctc_decode(scores, np.full(5, 12), strategy="greedy", mask_index=0)
    for found, path in zip(np.array(decoded[0]), scores.argmax(axis=-1).tolist(), strict=True):
        assert found[found >= 0].tolist() == ctc_collapse(path, blank=0)


def test_word_overlap_does_not_see_order():
    assert word_overlap("a cat left of a dog", "a dog left of a cat") == 1
    assert word_overlap("two cats", "a dog") == word_overlap("", "a dog") == word_overlap("", "") == 0
    assert word_overlap("a a", "a") == pytest.approx(2 / 3)


def test_digit_strings_are_sounds_of_one_voice_and_as_long_as_their_texts():
    strings = make_digit_strings(20, voices=["bf_emma", "am_adam"])
    assert set(strings.groups) == {"bf_emma", "am_adam"} and set(map(len, strings.y)) == {1, 2, 3, 4}
    assert all(text.isdigit() for text in strings.y)
    for sound, text in zip(strings.X.sound, strings.y, strict=True):
        assert audio.problem(sound) is None and sound.dtype == np.float32
        assert 0.15 * len(text) < len(sound) / strings.rate < 1.1 * len(text) + 0.2


def test_digit_strings_come_out_again_and_more_begin_alike():
    few, more = make_digit_strings(3, random_state=1), make_digit_strings(5, random_state=1)
    assert few.y.tolist() == more.y[:3].tolist()
    assert all(map(np.array_equal, few.X.sound, more.X.sound[:3]))
    assert few.y.tolist() != make_digit_strings(3, random_state=2).y.tolist()


def test_unknown_voices_and_no_strings_are_refused():
    with pytest.raises(ValueError, match="voices='nobody'"):
        make_digit_strings(1, voices=["nobody"])
    with pytest.raises(ValueError, match="n_samples=0"):
        make_digit_strings(0)
    with pytest.raises(ValueError, match="give a list"):
        make_digit_strings(2, voices="am_adam")
    with pytest.raises(ValueError, match="voices is empty"):
        make_digit_strings(2, voices=[])
    with pytest.raises(ValueError, match=r"n_samples=2\.5"):
        make_digit_strings(2.5)
