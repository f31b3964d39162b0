"""Statistics, permutations and transforms: what holds for all values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from pytest_wml.contract import BadContract, image_transforms
from pytest_wml.contract.comparison import Tolerance, largest_error, row_findings
from pytest_wml.contract.consistency import _permutation
from pytest_wml.contract.statistics import confusion, percentile, wilson

COUNTS = st.integers(1, 5000).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total)))
FLOATS = st.floats(-1e6, 1e6, width=32)


@given(COUNTS)
def test_wilson_holds_the_share(counts):
    """Within 0 to 1, around the share, and mirrored when right and wrong are exchanged."""
    right, total = counts
    low, high = wilson(right, total)
    assert 0 <= low <= right / total <= high <= 1
    assert wilson(total - right, total) == pytest.approx((1 - high, 1 - low), abs=1e-12)


@given(COUNTS, st.integers(2, 9))
def test_more_rows_make_the_interval_narrower(counts, times):
    """The same share among more rows is surer."""
    right, total = counts
    low, high = wilson(right, total)
    lower, higher = wilson(right * times, total * times)
    assert higher - lower < high - low


def test_wilson_of_a_textbook():
    """81 of 263: 0.2553 to 0.3662 (Newcombe 1998, Statistics in Medicine 17, table I, method 3)."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)


@given(st.lists(FLOATS, min_size=1), st.floats(0.1, 100), st.floats(0.1, 100))
def test_a_percentile_is_one_of_the_values(values, one, other):
    """It grows with the percentage, and so many percent do not exceed it."""
    found = percentile(values, one)
    assert found in values
    assert sum(value <= found for value in values) >= len(values) * one / 100
    assert percentile(values, min(one, other)) <= percentile(values, max(one, other))
    assert percentile(values, 100) == max(values)


@given(st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), min_size=1))
def test_a_confusion_matrix_counts_every_row(pairs):
    """Its sum is the number of rows, its diagonal what was right; labels stand in the order of numbers."""
    expected, predicted = ([str(label) for label in side] for side in zip(*pairs, strict=True))
    labels, matrix = confusion(expected, predicted)
    assert sum(map(sum, matrix)) == len(pairs)
    assert sum(matrix[place][place] for place in range(len(labels))) == sum(one == other for one, other in pairs)
    assert labels == sorted(labels, key=int)


@given(st.integers(2, 200), st.integers(0, 2**32 - 1))
def test_another_order_has_every_row_once(length, seed):
    """Never the order that was there."""
    order = _permutation(length, seed)
    assert sorted(order.tolist()) == list(range(length))
    assert order.tolist() != list(range(length))


@given(arrays(np.float32, array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4), elements=FLOATS))
def test_an_answer_is_equal_to_itself(array):
    """No finding, no error, also for what is no number."""
    array.flat[0] = np.nan
    assert row_findings({"a": array}, {"a": array.copy()}, Tolerance(1e-6, 1e-6), other_name="other") == []
    assert largest_error({"a": array}, {"a": array}) == 0


@given(
    arrays(np.float64, st.tuples(st.integers(1, 6), st.integers(1, 4)), elements=st.floats(-10, 10)),
    st.data(),
)
def test_one_changed_number_is_the_only_finding(array, data):
    """Its row and place are named, whatever stands around it."""
    place = tuple(data.draw(st.integers(0, length - 1)) for length in array.shape)
    changed = array.copy()
    changed[place] += 1.0
    (finding,) = row_findings({"a": changed}, {"a": array}, Tolerance(1e-6, 1e-6), other_name="other")
    assert finding.row == place[0]
    assert f"a[{place[1]}]" in finding.message
    assert finding.facts["error"] == pytest.approx(1.0)


IMAGES = arrays(
    st.sampled_from([np.float32, np.float64, np.uint8]),
    st.sampled_from([(2, 9), (1, 3, 3), (2, 3, 3, 3), (2, 1, 3, 3)]),
    elements=st.integers(0, 255),
)


@settings(max_examples=50)
@given(IMAGES)
def test_the_ready_set_keeps_shape_type_and_range(images):
    """The same for everybody: the same images and seed give the same numbers."""
    before = images.copy()
    for name, transform in image_transforms(shape=(3, 3, images.size // len(images) // 9)).items():
        changed = transform(images)
        assert (changed.shape, changed.dtype) == (images.shape, images.dtype), name
        assert changed.min() >= images.min()
        assert changed.max() <= max(images.max(), images.min() + 1)
        np.testing.assert_array_equal(changed, transform(images))
    np.testing.assert_array_equal(images, before)


def test_a_shift_moves_by_a_pixel():
    """What comes in at the edge is the edge's own pixels."""
    image = np.arange(9.0).reshape(1, 9)
    shift = image_transforms(shape=(3, 3))
    assert shift["shift up"](image).reshape(3, 3).tolist() == [[3, 4, 5], [6, 7, 8], [6, 7, 8]]
    assert shift["shift right"](image).reshape(3, 3).tolist() == [[0, 0, 1], [3, 3, 4], [6, 6, 7]]


@pytest.mark.parametrize(
    ("shape", "axis"), [((1, 784), 1), ((1, 3, 4), 1), ((1, 3, 4, 3), 1), ((1, 3, 5, 6), 2)], ids=str
)
def test_a_shift_moves_along_the_images_height(shape, axis):
    """Flat MNIST images, grey images, channels last and channels first."""
    image = np.arange(float(np.prod(shape))).reshape(shape)
    seen = image.reshape(1, 28, 28) if shape == (1, 784) else image
    moved = image_transforms()["shift up"](image).reshape(seen.shape)
    rows = range(seen.shape[axis])
    expected = [seen.take(min(row + 1, len(rows) - 1), axis=axis) for row in rows]
    np.testing.assert_array_equal(moved, np.stack(expected, axis=axis))


def test_noise_is_the_same_on_every_release_of_numpy():
    """A recording answers only what was asked when it was made."""
    noisy = image_transforms()["noise"](np.array([[0.0, 0.5, 1.0, 0.5]]))
    assert (noisy * 1280).tolist() == [[0.0, 693.0, 1280.0, 679.0]]


@pytest.mark.parametrize("columns", [1, 4, 9, 10, 16, 25, 64, 100, 1024])
def test_a_flat_row_is_shifted_as_an_image_only_where_its_size_is_given(columns):
    """A square number of columns may be a table's."""
    with pytest.raises(BadContract, match=r"not images that can be shifted[\s\S]*image_transforms\(shape="):
        image_transforms()["shift up"](np.zeros((2, columns)))


@pytest.mark.parametrize(
    ("shape", "given"), [((2, 10), (3, 3)), ((2, 5, 3, 5), None), ((4,), None), ((2, 28, 28), (14, 14))]
)
def test_what_is_not_an_image_is_not_shifted(shape, given):
    """Rows of another size than given, five channels, a single number."""
    with pytest.raises(BadContract, match="not images that can be shifted"):
        image_transforms(shape=given)["shift up"](np.zeros(shape))


@pytest.mark.parametrize("shape", [(), (9,), (3, 0), (3, 3, 3, 3), (2.5, 2), "33"])
def test_a_size_that_no_image_has(shape):
    """The error says what is accepted."""
    with pytest.raises(BadContract, match=r"not the shape of an image[\s\S]*\(height, width\)"):
        image_transforms(shape=shape)
