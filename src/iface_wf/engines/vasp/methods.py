"""Names of functionals and dispersion corrections, from the tags that a run used: see VASP's wiki on GGA, METAGGA, IVDW."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

FUNCTIONAL_NAMES = {
    "PE": "PBE", "PS": "PBEsol", "RP": "RPBE", "RE": "revPBE", "91": "PW91", "CA": "LDA", "--": "PBE", "AM": "AM05",
    "OR": "optPBE", "BO": "optB88", "MK": "optB86b", "ML": "PW86R", "CX": "vdW-DF-cx exchange", "B3": "BLYP VWN3",
    "B5": "BLYP VWN5", "BF": "BEEF", "PZ": "LDA", "PW": "LDA", "HL": "LDA (HL)", "WI": "LDA (Wigner)", "VW": "LDA (VWN)",
}  # fmt: skip
META_NAMES = {"R2SCAN": "r2SCAN", "RSCAN": "rSCAN", "TPSS": "TPSS", "RTPSS": "revTPSS"}
DISPERSION_NAMES = {
    1: "D2", 10: "D2", 11: "D3(0)", 12: "D3(BJ)", 13: "D4", 2: "TS", 20: "TS", 21: "TS/HI", 3: "DFT-ulg", 4: "dDsC",
    202: "MBD@rSC", 263: "MBD@rSC/FI",
}  # fmt: skip
#: Non-local correlation beside the exchange of GGA.
NON_LOCAL_NAMES = {
    "RE": "vdW-DF", "OR": "optPBE-vdW", "BO": "optB88-vdW", "MK": "optB86b-vdW", "ML": "vdW-DF2", "CX": "vdW-DF-cx",
}  # fmt: skip
#: A pairwise correction was computed, but no file says which.
UNNAMED = "pairwise, kind not told"
#: Screening lengths (1/A) that have a name, within 0.01: HSE06 is written as 0.2, 0.207 or 0.11 / Bohr.
SCREENED_NAMES = {0.2: "HSE06", 0.208: "HSE06", 0.3: "HSE03"}


def functional(tags: Mapping[str, Any], incar: Mapping[str, Any], titles: Iterable[str]) -> str:
    """Name the functional from the tags, and where they say nothing from the POTCARs.

    Parameters
    ----------
    tags
        Those finally used, in canonical form: GGA, METAGGA, LHFCALC, AEXX, HFSCREEN...
    incar
        Those written in the INCAR.
    titles
        Titles of the POTCARs.
    """
    if "METAGGA" in tags:
        name = META_NAMES.get(tags["METAGGA"], str(tags["METAGGA"]))
    else:
        written = str(tags.get("GGA") or incar.get("GGA") or "--").upper()
        name = FUNCTIONAL_NAMES.get(written, f"GGA={written}")
        first = next(iter(titles), "PAW_PBE")
        if written == "--" and not first.startswith("PAW_PBE"):
            name = "PW91" if "GGA" in first else "LDA"
    return hybrid(name, tags) if tags.get("LHFCALC") else name


def hybrid(base: str, tags: Mapping[str, Any]) -> str:
    """Name a hybrid by its share of exact exchange (AEXX) and its screening length (HFSCREEN, 1/A).

    Parameters
    ----------
    base
        Functional that exact exchange is mixed into.
    tags
        Those finally used.
    """
    share = float(tags.get("AEXX", 0.25))
    screening = float(tags.get("HFSCREEN") or 0.0)
    if share == 1.0 and not screening:
        return "HF" if tags.get("AGGAC") == 0.0 and tags.get("ALDAC") == 0.0 else f"{base} hybrid (AEXX 1)"
    if base.startswith("BLYP") and abs(share - 0.2) < 1e-6 and not screening:
        return "B3LYP" if base.endswith("VWN3") else "B3LYP (VWN5)"
    if abs(share - 0.25) < 1e-6 and not tags.get("LTHOMAS") and not tags.get("LMODELHF") and base in ("PBE", "PBEsol"):
        if not screening:
            return f"{base}0"
        near = [name for length, name in SCREENED_NAMES.items() if abs(screening - length) < 0.005]
        if near:
            return near[0] if base == "PBE" else near[0].replace("06", "sol").replace("03", "03sol")
    return f"{base} hybrid (AEXX {share:g}{f', HFSCREEN {screening:g}' if screening else ''})"


def dispersion(tags: Mapping[str, Any]) -> str | None:
    """Name the dispersion from the tags finally used (IVDW, LVDWSCS, LUSE_VDW, IVDW_NL...), None if there is none."""
    if tags.get("LUSE_VDW"):
        return _non_local(tags)
    number = tags.get("IVDW")
    if number is None:
        return None
    if int(number) in (2, 20) and tags.get("LVDWSCS"):
        return "TS+SCS"
    return DISPERSION_NAMES.get(int(number), f"IVDW={number}")


def _non_local(tags: Mapping[str, Any]) -> str:
    kernel, own = tags.get("IVDW_NL"), tags.get("BPARAM")
    if "METAGGA" in tags or kernel == 2:
        return "rVV10"
    exchange = str(tags.get("GGA") or "").upper()
    if exchange == "ML" and own is not None and abs(float(own) - 6.3) < 0.01:
        return "rVV10"
    second = tags.get("ZAB_VDW") is not None and abs(float(tags["ZAB_VDW"]) + 1.8867) < 1e-3
    if exchange == "MK" and second:
        return "rev-vdW-DF2"
    if exchange == "ML" and not second and tags.get("ZAB_VDW") is not None:
        return "vdW-DF (PW86R)"
    return NON_LOCAL_NAMES.get(exchange, "vdW-DF")
