"""What can be asked for by name, and the columns of the table of binding energies."""

from __future__ import annotations

from iface_wf.documents.kinds import Column
from iface_wf.documents.labels import COMPONENTS, PARTS, UNCERTAINTY_PARTS

#: Each one needs what the ones before it need.
QUANTITIES = ("binding_energy", "interaction_energy", "charges")
_TRANSFER = "e, positive = the component lost electrons"
_HIRSHFELD = "e, by Hirshfeld's partition; positive = the component lost electrons"
_BINDING = "eV per interface cell, negative = bound; counterpoise corrected where the basis is atom-centred"
_INTERACTION = "eV, negative = attractive; corrected in the same way"
COLUMNS = (
    Column("binding_energy", "binding_energy", _BINDING, shown=True, uncertainty="uncertainty"),
    Column("uncertainty", "uncertainty", "eV, half-spread of binding_energy"),
    *(Column(f"uncertainty_{part}", f"uncertainty_parts.{part}", "eV, half-spread") for part in UNCERTAINTY_PARTS),
    Column("binding_energy_raw", "binding_energy_raw", "eV per interface cell, without counterpoise correction"),
    Column(
        "binding_energy_per_molecule",
        "binding_energy_per_molecule",
        "eV, of several molecules, by their number; negative = bound",
        shown=True,
    ),
    Column("mutual_energy", "mutual_energy", "eV, of several molecules with each other; negative = they attract"),
    Column("interaction_energy", "interaction_energy", _INTERACTION, shown=True),
    Column("interaction_energy_raw", "interaction_energy_raw", "eV, without counterpoise correction"),
    *(Column(f"deformation_{part.name}", f"deformation_energy.{part.name}", "eV") for part in PARTS),
    Column("dispersion_energy", "dispersion_energy", "eV, share of the binding energy"),
    Column("bsse_energy", "bsse_energy", "eV, >= 0"),
    Column("lateral_energy", "lateral_energy", "eV, negative = the molecule and its images attract each other"),
    Column("image_distance", "image_distance", "A, from the molecule to its nearest image", digits=1),
    Column("coverage", "coverage", "molecules per nm^2", digits=2),
    *(
        Column(f"charge_transfer_{component}", f"charge_transfer.{component}", _TRANSFER, digits=4, shown=True)
        for component in COMPONENTS
    ),
    *(
        Column(
            f"hirshfeld_transfer_{component}",
            f"charge_transfers.hirshfeld.{component}",
            _HIRSHFELD,
            digits=4,
            shown=True,
        )
        for component in COMPONENTS
    ),
)
