#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""compare_results.py A B: whether two result files are the same to the bit
outside /provenance: the objects, their types and shapes, the stored values,
the attributes. Exit status 0 same, 1 different (each difference on a line)."""
import sys

import h5py
import numpy


def plain(value, file):
    """A value as something that compares to the bit: references as names,
    objects (variable-length texts) as they are, numbers as bytes."""
    if isinstance(value, h5py.Reference):
        return file[value].name
    if isinstance(value, numpy.void) and value.dtype.names:
        return [plain(value[name], file) for name in value.dtype.names]
    if isinstance(value, numpy.ndarray):
        if value.dtype.hasobject:
            return [value.shape, [plain(v, file) for v in value.ravel()]]
        return [value.dtype.str, value.shape, value.tobytes()]
    if isinstance(value, numpy.generic):
        return [value.dtype.str, value.tobytes()]
    return value


def facts(path):
    """Everything in a file outside /provenance, by name."""
    found = {}
    with h5py.File(path, "r") as file:

        def note(name, item):
            if name.split("/")[0] == "provenance":
                return
            if isinstance(item, h5py.Dataset):
                found[name] = [
                    "dataset",
                    item.id.get_type().encode(),
                    item.shape,
                    plain(item[()], file),
                ]
            else:
                found[name] = ["group"]
            for key, value in item.attrs.items():
                kind = item.attrs.get_id(key).get_type().encode()
                # Back references of a scale are a list without an order.
                value = plain(value, file)
                if key == "REFERENCE_LIST":
                    value = sorted(map(str, value[1]))
                found[f"{name}@{key}"] = [kind, value]

        note("", file)
        file.visititems(note)
    return found


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    a, b = facts(sys.argv[1]), facts(sys.argv[2])
    different = sorted(k for k in a.keys() | b.keys() if a.get(k) != b.get(k))
    for name in different:
        where = "differs" if name in a and name in b else "is in one only"
        print(f"/{name} {where}: {a.get(name)} and {b.get(name)}"[:400])
    n_datasets = sum(1 for fact in a.values() if fact[0] == "dataset")
    if n_datasets == 0:
        print(f"{sys.argv[1]} holds no dataset")
    print(f"{n_datasets} datasets compared, {len(different)} differences")
    return 1 if different or n_datasets == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
