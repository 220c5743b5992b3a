"""How well a funnel's cheap engine ranks what the screening's own engine would rank.

Usage: python benchmarks/funnel_quality.py [--cheap xtb|mlip] [--spec FILE] [--store FILE] [--workdir DIR] [--report]

Calculates all pairs of a screening's file with both engines (default: funnel_subset.yaml beside this script, ten pairs),
or goes on where it was interrupted; several processes with one store share the work. Then prints the energies pair by pair
and, for each of them, the rank correlations of the two engines, the overlap of their best k and what a funnel would have had
to keep. Pairs whose numbers must not be trusted are named and left out. --report calculates nothing.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pandas as pd
from jobflow import JobStore
from scipy.stats import kendalltau

from iface_wf.documents.kinds import get_kind
from iface_wf.documents.trust import FATAL_FLAGS
from iface_wf.errors import IfaceError, InputError
from iface_wf.flows.graph import Graph
from iface_wf.library.library import Library
from iface_wf.quantities.binding.columns import QUANTITIES
from iface_wf.screening.graph import build_screening
from iface_wf.screening.run import run_screening
from iface_wf.screening.spec import ScreeningSpec
from iface_wf.screening.spec_file import read_spec
from iface_wf.store.compare import SAME, compare_levels
from iface_wf.store.results import result_table
from iface_wf.store.settings import open_store

#: What is compared: column, title, and for energies without correction the corrected column beside which they stand.
ENERGIES = {
    "binding_energy": ("binding energy, counterpoise corrected where the basis needs it", None),
    "binding_energy_raw": ("binding energy, without correction", "binding_energy"),
    "interaction_energy": ("interaction energy, counterpoise corrected where the basis needs it", None),
    "interaction_energy_raw": ("interaction energy, without correction", "interaction_energy"),
}
#: An agreement that chance gives more often than this (p of Kendall, two-sided) may be an accident.
SIGNIFICANT = 0.05
FEW = 20
BINDING = get_kind("binding")
#: A fragment of a few units binds by less, eV; more tells that charges converged to a state that does not exist.
PLAUSIBLE = 10.0


def stages(spec: ScreeningSpec, cheap: str, level: str, quantities: list[str] | None) -> dict[str, ScreeningSpec]:
    """Return the same pairs for both engines, the cheap one first; unlike in a funnel, it gets the quantities of the file.

    At level `fast` the other one takes its placements and geometries from the cheap one, so both see the same structures.
    """
    own = spec.model_copy(update={"funnel": None})
    first = own.model_copy(update={"engine": cheap, "level": level, "geometry": None, "overrides": {}})
    own = own.model_copy(update={"geometry": cheap} | ({"quantities": tuple(quantities)} if quantities else {}))
    return {f"{cheap}/{level}": first, f"{spec.engine}/{spec.level}": own}


def progress(event: object) -> None:
    """Tell when an interface or a part begins and ends."""
    state, name, detail = (getattr(event, field, "") for field in ("state", "name", "detail"))
    if state != "step":
        print(f"# {getattr(event, 'stage', '')}: {name}: {state} {detail}".rstrip(), file=sys.stderr, flush=True)


def of_the_spec(store: JobStore, screenings: dict[str, Graph]) -> pd.DataFrame:
    """Collect the results of exactly these pairs, whatever else the store holds."""
    keys = {key for screening in screenings.values() for key in screening.items}
    table = result_table(store)
    return table[table["key"].isin(keys)].reset_index(drop=True)


def name_of(row: pd.Series) -> str:
    """Name a pair for people."""
    units = "" if pd.isna(row["units"]) else f" x {row['units']:.0f}"
    return " + ".join(str(part) for part in (row["filler"], f"{row['polymer']}{units}", row["salt"]) if part)


def print_pairs(table: pd.DataFrame, levels: list[str]) -> None:
    """Print all energies of all pairs, marked where they must not be trusted."""
    columns = [(level, column) for column in ENERGIES for level in levels if shown(of_level(table, level), column)]
    print("| pair | " + " | ".join(f"{level} {column.replace('_', ' ')}" for level, column in columns) + " |")
    print("|---|" + "---|" * len(columns))
    for _, group in table.fillna({"salt": ""}).groupby(SAME, dropna=False):
        cells = []
        for level, column in columns:
            rows = of_level(group, level)
            value = None if rows.empty else rows.iloc[0][column]
            mark = "" if rows.empty or rows.iloc[0]["trustworthy"] else " !"
            cells.append("-" if value is None or pd.isna(value) else f"{value:+.3f}{mark}")
        print(f"| {name_of(group.iloc[0])} | " + " | ".join(cells) + " |")
    print("Energies in eV per cell; ! must not be trusted, left out below.")


def shown(rows: pd.DataFrame, column: str) -> bool:
    """Whether a column tells anything: an energy without correction does only where there is a correction."""
    corrected = ENERGIES[column][1]
    same = corrected is not None and rows[column].equals(rows[corrected].rename(column))
    return bool(rows[column].notna().any()) and not same


def of_level(table: pd.DataFrame, level: str) -> pd.DataFrame:
    """Return the rows of one engine/level."""
    engine, _, name = level.partition("/")
    return table[(table["engine"] == engine) & (table["level"] == name)]


def print_flags(table: pd.DataFrame, screenings: dict[str, Graph]) -> None:
    """Name every pair that is missing, left out or flagged."""
    for level, screening in screenings.items():
        rows = of_level(table, level).set_index("key")
        for key, pair in screening.items.items():
            if key not in rows.index:
                print(f"{level}: {pair.name}: no result, left out")
            elif not rows.loc[key, "trustworthy"]:
                wild = abs(rows.loc[key, "binding_energy"]) > PLAUSIBLE
                why = [*rows.loc[key, "flags"], *([f"more than {PLAUSIBLE:.0f} eV: wrong charges"] if wild else [])]
                print(f"{level}: {pair.name}: NOT TRUSTWORTHY, left out ({'; '.join(why)})")
            elif rows.loc[key, "flags"]:
                print(f"{level}: {pair.name}: taken into account with a remark ({'; '.join(rows.loc[key, 'flags'])})")
        for name, cause in screening.refused:
            print(f"{level}: {name}: cannot be built, left out ({cause})")


def print_quality(table: pd.DataFrame, cheap: str, dear: str) -> None:
    """Print correlations, overlaps and what a funnel would have had to keep, energy by energy."""
    for column, (title, _) in ENERGIES.items():
        try:
            both = compare_levels(table, cheap, dear, BINDING, column)
        except InputError as error:
            print(f"\n{title}: {error}")
            continue
        n = both.attrs["n"]
        print(f"\n{title}, {n} pairs")
        if both.attrs["spearman"] is None:
            print("  too few pairs for a correlation")
            continue
        print(f"  all pairs: {correlations(both)}")
        without = [
            compare_levels(others(table, row), cheap, dear, BINDING, column).attrs["spearman"] for _, row in both.iterrows()
        ] if n > 3 else []  # fmt: skip
        if without:
            print(f"  Spearman between {min(without):+.2f} and {max(without):+.2f} when one pair is left out")
        for filler, rows in table.groupby("filler"):
            try:
                print(f"  {filler} alone: {correlations(compare_levels(rows, cheap, dear, BINDING, column))}")
            except InputError:
                print(f"  {filler} alone: no pair has both")
        mean, size = both.attrs["mean_difference"], both.attrs["mean_absolute_difference"]
        print(f"  {dear} - {cheap}: mean {mean:+.3f} eV, mean size {size:.3f} eV")
        print_best(both, column, dear)
        loose = compare_levels(with_unconverged(table), cheap, dear, BINDING, column)
        if loose.attrs["n"] > n:
            print(f"  with those whose relaxation stopped at its step limit: {correlations(loose)}")
            print_best(loose, column, dear)
        if n < FEW:
            print(f"  {n} pairs are few: an order of fewer than {FEW} says little about other fillers and polymers")


def print_best(both: pd.DataFrame, column: str, dear: str) -> None:
    """Print how many of the best k both engines name, and how many a funnel has to keep for them."""
    n = len(both)
    by_cheap, by_dear = (list(both.sort_values(f"{column} {i}", kind="stable").index) for i in (1, 2))
    for k in (1, 3, 5):
        if k < n:
            common = len(set(by_cheap[:k]) & set(by_dear[:k]))
            keep = 1 + max(by_cheap.index(pair) for pair in by_dear[:k])
            print(
                f"  best {k}: {common} in common (by chance {k * k / n:.1f}); "
                f"a funnel to {keep} of {n} lets all of {dear}'s best {k} through"
            )


def with_unconverged(table: pd.DataFrame) -> pd.DataFrame:
    """Trust pairs whose only fault is a relaxation that was not finished: both engines calculated that same geometry."""
    fatal = table["flags"].map(lambda flags: FATAL_FLAGS.intersection(flag.split(" ")[0] for flag in flags))
    sane = (table["binding_energy"].abs() < PLAUSIBLE) & fatal.map(lambda found: found <= {"geometry_unconverged"})
    return table.assign(trustworthy=table["trustworthy"] | sane)


def print_time(store: JobStore, screenings: dict[str, Graph]) -> None:
    """Print core-minutes by engine and kind of what was calculated for these pairs; shared parts and placing excepted."""
    keys = [key for screening in screenings.values() for key in screening.items]
    fields = [f"output.{name}" for name in ("engine", "kind", "cpu_time", "key")]
    criteria = {"output.document_type": "calculation", "output.reused_from": None, "metadata.interface": {"$in": keys}}
    entries = [entry["output"] for entry in store.query(criteria, properties=fields, load=False)]
    if not entries:
        return
    times = pd.DataFrame(entries).drop_duplicates("key").groupby(["engine", "kind"])["cpu_time"].agg(["size", "sum"])
    said = [f"{count:.0f} x {engine} {kind} {total / 60:.1f}" for (engine, kind), count, total in times.itertuples()]
    print(f"\nCore-minutes for these pairs, without shared parts and placing: {', '.join(said)}")


def others(table: pd.DataFrame, row: pd.Series) -> pd.DataFrame:
    """Leave out one pair."""
    same = pd.Series(data=True, index=table.index)
    for column in SAME:
        same &= table[column].astype(object).where(table[column].notna(), "") == row[column]
    return table[~same]


def correlations(both: pd.DataFrame) -> str:
    """Put the two rank correlations into words, with the share of all orders that agree as well or as badly."""
    spearman, kendall, n = (both.attrs[name] for name in ("spearman", "kendall", "n"))
    if spearman is None:
        return f"n = {n}, too few"
    p = float(kendalltau(both["rank 1"], both["rank 2"]).pvalue)
    remark = "" if p <= SIGNIFICANT else ", may be an accident"
    return f"n = {n}, Spearman {spearman:+.2f}, Kendall {kendall:+.2f} (p = {p:.2g}{remark})"


def main() -> int:
    """Return 1 when a pair has no result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cheap", default="xtb", help="engine that ranks first, for example xtb or mlip")
    parser.add_argument("--level", default="fast", help="its level")
    parser.add_argument("--quantities", nargs="+", choices=QUANTITIES, help="of the other engine; default: the file's")
    parser.add_argument("--spec", type=Path, default=Path(__file__).with_name("funnel_subset.yaml"))
    parser.add_argument("--store", default="funnel_quality.sqlite")
    parser.add_argument("--workdir", type=Path, default=Path("funnel_quality-runs"))
    parser.add_argument("--processes", type=int, default=0, help="MPI processes of a GPAW calculation; 0: all cores")
    parser.add_argument("--report", action="store_true", help="calculate nothing")
    options = parser.parse_args()
    try:
        spec = read_spec(options.spec).model_copy(update={"processes": options.processes})
        specs = stages(spec, options.cheap, options.level, options.quantities)
        library, store = Library(), open_store(options.store)
        failed: dict[str, str] = {}
        if not options.report:
            for level, stage in specs.items():
                outcome = run_screening(stage, store, library, options.workdir, progress)
                failed |= {f"{level}: {name}": cause for name, cause in outcome.failed.items()}
        screenings = {level: build_screening(stage, library) for level, stage in specs.items()}
        table = of_the_spec(store, screenings)
        print_pairs(table, list(specs))
        print_flags(table, screenings)
        for name, cause in failed.items():
            print(f"{name}: failed ({cause})")
        print_quality(table, *specs)
        print_time(store, screenings)
    except IfaceError as error:
        print(error, file=sys.stderr)
        return 2
    return min(1, sum(len(s.items) for s in screenings.values()) - len(table))


if __name__ == "__main__":
    sys.exit(main())
