"""Split the text of a CIF into its blocks of tags and values, forgiving what people write by hand."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import groupby

_TOKEN = re.compile(
    r"""
    (?P<text>(?:(?<=\n)|\A);(?:.*?)(?:\n;|\Z))       # a text field: from ; to ; at the beginning of lines
    | (?P<comment>\#[^\n]*)
    | (?P<quoted>'(?:[^'\n]|'(?=\S))*'(?=\s|\Z) | "(?:[^"\n]|"(?=\S))*"(?=\s|\Z))
    | (?P<bare>\S+)
    """,
    re.VERBOSE | re.DOTALL,
)
_SPACE_IN = re.compile(r"(space_?group_name|formula_sum)")
_OPERATION = re.compile(r"(symmetry_equiv_pos|symop|operation)[a-z_]*xyz")


@dataclass
class Block:
    """One data block: values by tag in lower case, ``_`` for ``.``; columns of loops are lists.

    Attributes
    ----------
    name
        What stands behind ``data_``.
    values
        Single values.
    columns
        Columns of loops; single values of the categories of sites and operations are columns of one row.
    broken
        Tags of loops whose number of values fits no number of rows, and tags that are written twice.
    """

    name: str
    values: dict[str, str] = field(default_factory=dict)
    columns: dict[str, list[str]] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)

    def value(self, *tags: str) -> str | None:
        """Give the first known value of some tags; ``?``, ``.`` and empty text are none."""
        for tag in tags:
            found = self.values.get(tag)
            if found is None and len(self.columns.get(tag, ())) == 1:
                found = self.columns[tag][0]
            if found is not None and found.strip() not in ("", "?", "."):
                return found.strip()
        return None

    def column(self, *tags: str) -> list[str]:
        """Give the first column of some tags that holds anything; ValueError where its loop is broken."""
        for tag in tags:
            if tag in self.broken:
                raise ValueError(f"the loop of {tag} holds a number of values that is not a number of rows")
            found = self.columns.get(tag) or ([self.values[tag]] if tag in self.values else [])
            if found:
                return found
        return []


@dataclass(frozen=True)
class _Token:
    text: str
    line: int
    plain: bool
    """Written without quotes, so that it may be a word of the language."""


def parse_blocks(text: str) -> list[Block]:
    """Split a CIF into its data blocks.

    Parameters
    ----------
    text
        The file's content. A name or formula with blanks may lack its quotes, as may the operations of a loop.

    Returns
    -------
    list of Block
        All blocks in their order.
    """
    tokens = _tokenise(text)
    blocks: list[Block] = []
    at = 0
    while at < len(tokens):
        word = tokens[at].text.lower() if tokens[at].plain else ""
        if word.startswith("data_") or word == "global_":
            blocks.append(Block(tokens[at].text[5:]))
        elif not blocks and (word == "loop_" or word.startswith("_")):
            blocks.append(Block(""))  # the line that should begin the block is missing
            continue
        elif word == "loop_":
            at = _loop(tokens, at + 1, blocks[-1])
            continue
        elif word.startswith("_"):
            at = _single(tokens, at, blocks[-1])
            continue
        at += 1
    return blocks


def _tokenise(text: str) -> list[_Token]:
    tokens = []
    line, last = 0, 0
    for match in _TOKEN.finditer(text):
        line += text.count("\n", last, match.start())
        last = match.start()
        kind, found = match.lastgroup, match.group()
        if kind == "text":
            body = re.sub(r"\n;\Z", "", found[1:])
            tokens.append(_Token(body.strip(), line, plain=False))
        elif kind == "quoted":
            tokens.append(_Token(found[1:-1].strip(), line, plain=False))
        elif kind == "bare":
            tokens.append(_Token(found, line, plain=True))
    return tokens


def _is_word(token: _Token) -> bool:
    """Whether a token is a tag or a word of the language, so that no value may start with it."""
    word = token.text.lower()
    return token.plain and (word.startswith(("_", "data_", "save_")) or word in ("loop_", "stop_", "global_"))


def _tag(token: _Token) -> str:
    return token.text.lower().replace(".", "_")


def _single(tokens: list[_Token], at: int, block: Block) -> int:
    """Take a tag and its value; what else stands unquoted on the line of a name belongs to it."""
    tag = _tag(tokens[at])
    at += 1
    if at == len(tokens) or _is_word(tokens[at]):
        return at  # a tag without value says nothing
    first = tokens[at]
    parts = [first.text]
    at += 1
    while first.plain and at < len(tokens) and tokens[at].line == first.line and not _is_word(tokens[at]):
        parts.append(tokens[at].text)
        at += 1
    value = " ".join(parts) if _SPACE_IN.search(tag) or _OPERATION.search(tag) else parts[0]
    value = value.strip("'\"") if first.plain else value
    if block.values.get(tag, value) != value:
        block.broken.add(tag)
    block.values.setdefault(tag, value)
    return at


def _loop(tokens: list[_Token], at: int, block: Block) -> int:
    """Take a loop: its tags, then rows of values up to the next tag or word."""
    tags = []
    while at < len(tokens) and tokens[at].plain and tokens[at].text.startswith("_"):
        tags.append(_tag(tokens[at]))
        at += 1
    first = at
    while at < len(tokens) and not _is_word(tokens[at]):
        at += 1
    body = tokens[first:at]
    values = [token.text for token in body]
    if any(_OPERATION.search(tag) for tag in tags) and len(values) != len(tags):
        values = _operations(body, tags)
    if at < len(tokens) and tokens[at].text.lower() == "stop_":
        at += 1
    if not tags:
        return at
    if len(values) % len(tags) or any(tag in block.columns for tag in tags):
        block.broken.update(tags)
    else:
        block.columns.update({tag: values[k :: len(tags)] for k, tag in enumerate(tags)})
    return at


def _operations(body: list[_Token], tags: list[str]) -> list[str]:
    """Join operations that were written without quotes (``x, y, z``): what a line holds beyond the other columns."""
    values: list[str] = []
    for _, group in groupby(body, key=lambda token: token.line):
        row = [token.text for token in group]
        if len(row) == len(tags):
            values += row
            continue
        which = next(k for k, tag in enumerate(tags) if _OPERATION.search(tag))
        stop = len(row) - (len(tags) - which - 1)
        if len(row) > len(tags) and "," in "".join(row[which:stop]):
            values += [*row[:which], "".join(row[which:stop]), *row[stop:]]
        else:
            values += row
    return values
