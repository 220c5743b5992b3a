"""Which settings an engine has, of which type and in which range: overrides are checked before anything is built or run.

A setting that is misspelt or absurd would otherwise give the result of another calculation, with the override in its
provenance. Each engine's table is a pydantic model beside its levels, see for example `iface_wf.engines.xtb.profile`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.fields import FieldInfo

from iface_wf.errors import InputError, shown

#: Most entries of a list or table within a setting, and how deep tables may lie in each other.
MAX_ENTRIES, MAX_DEPTH = 10_000, 6
#: Largest size of a number in a setting that has no range of its own, and longest text.
MAX_NUMBER, MAX_TEXT = 1e12, 1_000


_LIMITS = ("ge", "gt", "le")


class EngineSettings(BaseModel):
    """Base of the tables of settings; nothing is converted, so that settings stay as they were given."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)

    @classmethod
    def names(cls, like: str | None = None) -> frozenset[str]:
        """Return the names of all settings.

        Parameters
        ----------
        like
            Where there are families of names, only those of the family of this one.
        """
        return frozenset(cls.model_fields)


def _elements(table: dict[str, Any]) -> dict[str, Any]:
    from ase.data import chemical_symbols

    for name in table:
        if name not in chemical_symbols[1:]:
            raise ValueError(f"{name[:20]!r} is no element")
    return table


def plain(value: Any, depth: int = 0) -> Any:
    """Return a value of tables, lists, texts and finite numbers, all of bearable size; else ValueError says what is wrong."""
    if depth > MAX_DEPTH:
        raise ValueError(f"it is nested more than {MAX_DEPTH} deep")
    if isinstance(value, dict | list | tuple):
        if len(value) > MAX_ENTRIES:
            raise ValueError(f"it has {len(value)} entries, at most {MAX_ENTRIES} are allowed")
        if isinstance(value, dict) and not all(isinstance(key, str) for key in value):
            raise ValueError("the keys of a table must be words")
        for entry in [*value, *value.values()] if isinstance(value, dict) else value:
            plain(entry, depth + 1)
    elif isinstance(value, str):
        if len(value) > MAX_TEXT or not value.isprintable():
            raise ValueError(f"a text has at most {MAX_TEXT} printable characters")
    elif isinstance(value, int | float):
        if not abs(value) <= MAX_NUMBER:
            raise ValueError(f"numbers must be finite, and at most {MAX_NUMBER:g}")
    elif value is not None:
        raise ValueError("only words, numbers, lists and tables are allowed")
    return value


#: Largest force on a free atom at the end of a relaxation.
Force = Annotated[float, Field(ge=1e-4, le=1.0, description="eV/A")]
#: Most steps of a relaxation.
Steps = Annotated[int, Field(ge=1, le=100_000, description="steps")]
#: Edge times k-points of each periodic direction.
KpointLength = Annotated[float, Field(gt=0, le=200.0, description="A")]
#: Bohr magnetons of an atom.
Moment = Annotated[float, Field(ge=-20.0, le=20.0)]
Triple = Annotated[Sequence[Annotated[int, Field(ge=1, le=5000)]], Field(min_length=3, max_length=3)]
V = TypeVar("V")
#: Angular momentum, U and J, eV.
Hubbard = Annotated[
    Sequence[Annotated[float, Field(ge=-20.0, le=20.0)]],
    Field(min_length=3, max_length=3, description="angular momentum, U and J in eV"),
]
#: A table by element.
Elements = Annotated[dict[str, V], AfterValidator(_elements)]
Plain = Annotated[Any, AfterValidator(plain)]


def check(engine: str, settings: dict[str, Any], model: type[EngineSettings]) -> None:
    """Check complete settings of an engine.

    Parameters
    ----------
    engine
        Its name, for the sentence.
    settings
        Those of a level with the overrides.
    model
        The engine's table of settings.

    Raises
    ------
    InputError
        For the first wrong one: its name, its value, and what is allowed.
    """
    try:
        model.model_validate(settings)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        loc = [str(part) for part in first["loc"] if not set(str(part)) & set("[(")]  # else a member of a union
        reason = _range(model, loc) or first["msg"].removeprefix("Value error, ").rstrip(".")
        reason = reason.replace("Input should be", "it must be", 1)
        if not loc:  # a family of names, or settings that do not go together
            raise InputError(f"The settings of {engine} cannot be used: {reason}.") from error
        name = ".".join(loc)[:80]
        raise InputError(f"The setting {name} of {engine} cannot be {shown(first['input'])}: {reason}.") from error


def _range(model: type[EngineSettings], loc: Sequence[str]) -> str:
    """Say the range of a number that stands by itself, with its unit; empty for all else."""
    field = model.model_fields.get(loc[0]) if len(loc) == 1 else None
    if field is None:
        return ""
    members = [field, *(FieldInfo.from_annotation(each) for each in get_args(field.annotation))]
    for each in members:
        limits = {name: getattr(rule, name) for rule in each.metadata for name in _LIMITS if hasattr(rule, name)}
        if "le" in limits:
            low = f"above {limits['gt']:g}" if "gt" in limits else f"from {limits.get('ge', 0):g}"
            kind = "a whole number" if each.annotation is int else "a number"
            return f"allowed is {kind} {low} to {limits['le']:g} {each.description or ''}".rstrip()
    return ""


@cache
def settings_like(names: tuple[tuple[str, type], ...]) -> type[EngineSettings]:
    """Return a table of settings that have the types of known values, for an engine that brings none of its own.

    Parameters
    ----------
    names
        Name and type of each setting; ``object`` for any plain value.
    """
    types: dict[type, Any] = {int: float, float: float, bool: bool, str: str, dict: dict[str, Plain]}
    fields: dict[str, Any] = {
        name: (Annotated[types.get(kind, Any), AfterValidator(plain)] | None, None) for name, kind in names
    }
    table: type[EngineSettings] = create_model("Settings", __base__=EngineSettings, **fields)
    return table
