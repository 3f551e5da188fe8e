"""Long contexts: a text in chunks that comes with an example and that the answer is to be found in (gaia, qasper).

One model reads the whole of it, or the beginning of every chunk; each node of a system of models reads its share.
"""

from data.examples import Example


def context_chunks(example: Example, count: int) -> list[str]:
    """Return the share of `example`'s context that each of `count` nodes reads, in the order of the text.

    Chunks stay whole: each node gets neighbouring ones on lines of their own, the first nodes one more where they
    don't go round evenly. Nodes beyond the number of chunks get "", as all do if the example has no context. For ten
    nodes and the papers' ten chunks this is a chunk a node, as Heterogeneous Swarms (arXiv 2502.04510) has it.

    Raises:
        ValueError: `count` is less than 1.

    """
    if count < 1:
        raise ValueError(f"a context for {count} nodes: give 1 or more")
    size, more = divmod(len(example.context), count)
    ends = [(node + 1) * size + min(node + 1, more) for node in range(count)]
    starts = [0, *ends[:-1]]
    return ["\n".join(example.context[start:end]) for start, end in zip(starts, ends, strict=True)]


def whole_context(example: Example, most: int | None) -> str:
    """Return `example`'s context for one model, `most` characters at most: its text, or its chunks a line each.

    A longer one loses the end of every chunk that is longer than its share; what shorter ones leave over is shared out
    among the longer ones, so that the beginning of each section stays (None: nothing is cut).
    """
    chunks = example.context or (example.context_text,)
    if most is None:
        return "\n".join(chunks)
    share = _share([len(chunk) for chunk in chunks], most - max(0, len(chunks) - 1))
    return "\n".join(chunk[:share] for chunk in chunks)


def _share(lengths: list[int], most: int) -> int:
    """Return the greatest length to which all texts can be cut so that their sum is at most `most`, or 0."""
    left = most
    for index, length in enumerate(sorted(lengths)):
        equal = left // (len(lengths) - index)
        if equal < length:
            return max(0, equal)
        left -= length
    return max(lengths, default=0)
