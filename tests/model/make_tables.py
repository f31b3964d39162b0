"""Writes SavedModels with lookup tables, in a process of its own: run with a folder, a number and names of variants.

Each kind is written in each of these variants, with what must or must not count: see ``VARIANTS``. The number shifts
TensorFlow's counters, so that two runs differ in every made-up name.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import tensorflow as tf

v1 = tf.compat.v1
lookup = tf.lookup

Contents = Mapping[str, int]
FIRST: Contents = {"good": 1, "bad": 2, "ugly": 3}
SECOND: Contents = {"good": 7, "bad": 8, "ugly": 9}
OTHER: Contents = {"good": 1, "bad": 2, "ugly": 4}

VARIANTS: dict[str, tuple[Contents, Contents]] = {
    "plain": (FIRST, SECOND),
    "other": (OTHER, SECOND),
    "swapped": (SECOND, FIRST),
    "reordered": (dict(reversed(FIRST.items())), SECOND),
    "grown": ({**FIRST, "nice": 5}, SECOND),
}


def served(folder: Path, first, second, **kept) -> None:
    module = tf.Module()
    module.first, module.second = first, second
    for name, value in kept.items():
        setattr(module, name, value)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="word")])
    def serve(word):
        return {"a": first.lookup(word), "b": second.lookup(word) * tf.constant(10, second.value_dtype)}

    tf.saved_model.save(module, str(folder), signatures=serve)


def keys_and_values(contents: Contents, dtype=tf.int64):
    return tf.constant(list(contents), tf.string), tf.cast(list(contents.values()), dtype)


def static(folder: Path, *contents: Contents) -> None:
    served(
        folder,
        *(lookup.StaticHashTable(lookup.KeyValueTensorInitializer(*keys_and_values(each)), -1) for each in contents),
    )


def mutable(folder: Path, *contents: Contents, dtype=tf.int64) -> None:
    tables = [lookup.experimental.MutableHashTable(tf.string, dtype, -1) for _ in contents]
    for table, each in zip(tables, contents, strict=True):
        # One by one: the table keeps them in an order of its own.
        for word, number in each.items():
            table.insert(tf.constant([word]), tf.cast([number], dtype))
    served(folder, *tables)


def mutable_floats(folder: Path, *contents: Contents) -> None:
    mutable(folder, *contents, dtype=tf.float32)


def dense(folder: Path, *contents: Contents) -> None:
    tables = [lookup.experimental.DenseHashTable(tf.string, tf.int64, -1, "", "\n") for _ in contents]
    for table, each in zip(tables, contents, strict=True):
        for word, number in each.items():
            table.insert(tf.constant([word]), tf.constant([number], tf.int64))
    served(folder, *tables)


def written(folder: Path, contents: Contents) -> str:
    # Named by what it holds, so that two tables that exchange their files leave the same assets.
    path = folder.parent / "vocabularies" / f"from_{min(contents.values())}.txt"
    path.parent.mkdir(exist_ok=True)
    # The line's number is what a word stands for.
    words = {place: word for word, place in contents.items()}
    path.write_text("".join(f"{words.get(place, f'none {place}')}\n" for place in range(max(words) + 1)))
    return str(path)


def file_initializer(path: str):
    index = lookup.TextFileIndex
    return lookup.TextFileInitializer(path, tf.string, index.WHOLE_LINE, tf.int64, index.LINE_NUMBER)


def files(folder: Path, *contents: Contents) -> None:
    paths = [written(folder, each) for each in contents]
    served(folder, *(lookup.StaticHashTable(file_initializer(path), -1) for path in paths))


def old_tables(folder: Path, tables, legacy: bool) -> None:
    with v1.Session(graph=v1.get_default_graph()) as session:
        word = v1.placeholder(tf.string, [None], "word")
        signature = v1.saved_model.predict_signature_def(
            {"word": word}, {name: table.lookup(word) for name, table in zip("ab", tables, strict=True)}
        )
        session.run(v1.tables_initializer())
        builder = v1.saved_model.Builder(str(folder))
        fill = {"legacy_init_op" if legacy else "main_op": v1.tables_initializer()}
        assets = v1.get_collection(v1.GraphKeys.ASSET_FILEPATHS)
        builder.add_meta_graph_and_variables(session, ["serve"], {"number": signature}, assets, **fill)
        builder.save()


def old_static(folder: Path, *contents: Contents) -> None:
    with tf.Graph().as_default():
        kind = v1.lookup.StaticHashTable
        tables = [kind(lookup.KeyValueTensorInitializer(*keys_and_values(each)), -1) for each in contents]
        old_tables(folder, tables, legacy=False)


def old_files(folder: Path, *contents: Contents) -> None:
    with tf.Graph().as_default():
        paths = [written(folder, each) for each in contents]
        tables = [v1.lookup.StaticHashTable(file_initializer(path), -1) for path in paths]
        old_tables(folder, tables, legacy=True)


def again(folder: Path) -> None:
    """Loaded and saved once more: tables are restored and initialized by functions of functions."""
    loaded = tf.saved_model.load(str(folder))
    tf.saved_model.save(loaded, str(folder.with_name(f"again_{folder.name}")), signatures=loaded.signatures)


KINDS: list[Callable[..., None]] = [static, mutable, mutable_floats, dense, files, old_static, old_files]


def main(folder: str, noise: str, *variants: str) -> None:
    for _ in range(int(noise)):
        tf.function(lambda x: x + 1)(tf.constant(1.0))
        lookup.experimental.MutableHashTable(tf.string, tf.int64, -1)
    for make in KINDS:
        for variant in variants:
            target = Path(folder, f"{make.__name__}_{variant}")
            make(target, *VARIANTS[variant])
            again(target)


if __name__ == "__main__":
    main(*sys.argv[1:])
