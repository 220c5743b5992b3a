"""Paint atoms, bonds and isosurfaces as seen from the side or from above, far parts first."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from ase import Atoms
from ase.data import covalent_radii
from ase.data.colors import jmol_colors
from ase.neighborlist import neighbor_list
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection, LineCollection, PolyCollection
from pymatgen.core import Element, Structure
from pymatgen.io.ase import AseAtomsAdaptor
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, connected_components
from scipy.spatial import cKDTree
from skimage.measure import marching_cubes

from iface_wf.documents.labels import SLAB, SLAB_PARTS
from iface_wf.errors import InputError

Array = npt.NDArray[np.float64]

ACCUMULATION = np.array([0.95, 0.77, 0.06])
DEPLETION = np.array([0.20, 0.58, 0.86])
ATOM_SCALE = 0.50
ION_SCALE = 0.32
"""Drawn radius over covalent radius (10.1039/b801115j), of atoms and of the ions in `NO_STICKS`."""
BOND_FACTOR = 1.18
"""Atoms nearer than this multiple of the sum of their covalent radii are joined by a stick."""
NO_STICKS = (3, 11, 19, 57, 64)
"""Ions (Li, Na, K, La, Gd) whose contacts are not drawn: their coordination shells would hide everything else."""
METALS = frozenset(z for z in range(1, 104) if Element.from_Z(z).is_metal)
"""Two of these are joined by no stick: in oxides they are neighbours across an anion."""
LAYERS = 40
"""Atoms and sticks are sorted by depth into this many layers."""
RIM = 0.35
"""Isosurfaces are followed this share of a cell beyond each periodic edge, so that most pieces are whole."""
OPACITY = 0.7
DENSITY_SCALE = 0.5
"""Default isovalue: the isosurfaces enclose this share of the displaced charge."""


@dataclass
class View:
    """A direction to look from: rows are right, up and towards the eye, in Cartesian coordinates."""

    axes: Array

    @classmethod
    def side(cls, along: Array, turn: float = 0.0) -> View:
        """Look horizontally along a direction, turned by some degrees about z; up is z."""
        towards = -along / np.linalg.norm(along)
        c, s = np.cos(np.deg2rad(turn)), np.sin(np.deg2rad(turn))
        towards = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ towards
        up = np.array([0.0, 0.0, 1.0])
        return cls(np.array([np.cross(up, towards), up, towards]))

    @classmethod
    def top(cls) -> View:
        """Look down on the surface; up is y."""
        return cls(np.eye(3))

    def project(self, points: Array) -> Array:
        """Turn points, shape (..., 3), into right, up and depth (larger is nearer)."""
        return points @ self.axes.T


@dataclass
class Surface:
    """One connected piece of an isosurface: triangles in A, shape (m, 3, 3), and its colour."""

    corners: Array
    colour: Array


@dataclass
class Scene:
    """Atoms and surfaces to be painted together.

    Attributes
    ----------
    numbers, positions
        Atomic numbers, shape (n,), and Cartesian positions in A, shape (n, 3).
    sticks
        Pairs of atoms joined by a bond.
    surfaces
        Pieces of isosurfaces.
    """

    numbers: npt.NDArray[np.int_]
    positions: Array
    sticks: list[tuple[int, int]]
    surfaces: list[Surface] = field(default_factory=list)

    def paint(self, ax: Axes, view: View) -> None:
        """Draw everything on axes whose data units are A, far parts first."""
        atoms = view.project(self.positions)
        low, high = float(atoms[:, 2].min()), float(atoms[:, 2].max())
        span = max(high - low, 1e-6)
        layer = np.clip(((atoms[:, 2] - low) / span * LAYERS).astype(int), 0, LAYERS - 1)
        fog = 0.5 * (1 - (atoms[:, 2] - low) / span) ** 1.3
        for number in range(LAYERS):
            here = np.flatnonzero(layer == number)
            here = here[np.argsort(atoms[here, 2])]
            self._sticks(ax, atoms, fog, set(here.tolist()), 2.0 + number)
            self._balls(ax, atoms, fog, here, 2.0 + number + 0.3)
        skins: dict[tuple[int, tuple[float, ...]], list[Array]] = {}
        for surface in self.surfaces:
            corners = _front(view.project(surface.corners))
            if len(corners):
                depth = np.clip((corners[:, :, 2].mean() - low) / span, 0.0, 1.0)
                skins.setdefault((int(depth * LAYERS), tuple(surface.colour)), []).append(corners)
        for (number, colour), parts in skins.items():
            _skin(ax, np.concatenate(parts), np.array(colour), 2.0 + number + 0.9)

    def _balls(self, ax: Axes, atoms: Array, fog: Array, here: npt.NDArray[np.int_], order: float) -> None:
        if not len(here):
            return
        scale = np.where(np.isin(self.numbers[here], NO_STICKS), ION_SCALE, ATOM_SCALE)
        size = 2 * scale * covalent_radii[self.numbers[here]]
        colour = _fogged(jmol_colors[self.numbers[here]], fog[here])
        for part, shift, paint, edge in (
            (1.0, 0.0, colour, 0.6),
            (0.55, 0.11, _fogged(colour, np.full(len(here), 0.38)), 0.0),
            (0.22, 0.17, _fogged(colour, np.full(len(here), 0.8)), 0.0),
        ):
            ax.add_collection(
                EllipseCollection(
                    size * part,
                    size * part,
                    np.zeros(len(here)),
                    offsets=atoms[here, :2] + size[:, None] * [-shift, shift],
                    facecolors=paint,
                    edgecolors=_fogged(np.full((len(here), 3), 0.15), fog[here]) if edge else "none",
                    linewidths=edge,
                    zorder=order + (1 - part) * 0.1,
                    units="x",
                    offset_transform=ax.transData,
                )
            )

    def _sticks(self, ax: Axes, atoms: Array, fog: Array, here: set[int], order: float) -> None:
        lines, colours = [], []
        for i, j in self.sticks:
            # A stick goes with its farther atom, so that the nearer one covers its end.
            if (i if atoms[i, 2] <= atoms[j, 2] else j) in here:
                middle = (atoms[i, :2] + atoms[j, :2]) / 2
                for end in (i, j):
                    lines.append([atoms[end, :2], middle])
                    colours.append(_fogged(jmol_colors[self.numbers[[end]]] * 0.85, fog[[end]])[0])
        if lines:
            width = 0.16 * _points_per_angstrom(ax)
            rim = LineCollection(
                lines, colors=[np.array(c) * 0.35 for c in colours], linewidths=width + 1.0, zorder=order
            )
            ax.add_collection(rim)
            core = LineCollection(lines, colors=colours, linewidths=width, capstyle="round", zorder=order + 0.05)
            ax.add_collection(core)


def scene_of(structure: Structure) -> Scene:
    """Turn a structure into a scene: molecules whole, the adsorbed one in the middle of the cell.

    Parameters
    ----------
    structure
        Labelled sites or not; the cell's c is perpendicular to a and b where it is a slab.

    Returns
    -------
    Scene
        One cell, shifted in the plane so that the adsorbed molecule is in its middle, and the neighbours to which its edge atoms are bonded.
    """
    first, second, vectors = _bonds(structure)
    pbc = np.array(structure.lattice.pbc)
    molecule = _movable(structure)
    frac = structure.frac_coords + centring_shift(structure)
    frac = np.where(pbc & ~molecule[:, None], frac - np.floor(frac), frac)
    frac = _whole_molecules(structure, frac, molecule, first, second, vectors)
    positions = structure.lattice.get_cartesian_coords(frac)
    numbers = np.array([site.specie.Z for site in structure])
    torn = np.linalg.norm(positions[first] + vectors - positions[second], axis=1) > 1e-3
    torn &= ~molecule[first] & _joined(numbers[first], numbers[second])
    beyond = positions[first[torn]] + vectors[torn]
    _, once = np.unique(np.rint(beyond * 100), axis=0, return_index=True)
    positions = np.concatenate([positions, beyond[once]])
    numbers = np.concatenate([numbers, numbers[second[torn][once]]])
    return Scene(numbers, positions, _sticks_between(numbers, positions))


def isosurface(values: Array, structure: Structure, iso: float, atoms: Array | None = None) -> list[Surface]:
    """Triangulate the surfaces +iso (accumulation) and -iso (depletion) of a density in the scene's frame.

    Parameters
    ----------
    values
        e/A^3, shape (nx, ny, nz), point i of n at the fraction i/n of its cell vector.
    structure
        Gives cell, periodic directions and the shift of the scene.
    iso
        e/A^3, positive.
    atoms
        Positions in the scene, shape (n, 3), A: every piece is drawn at the periodic image nearest to them, because
        a molecule across the cell's border is drawn whole on one side of it.

    Returns
    -------
    list of Surface
        Connected pieces, each once, whole unless it runs through the periodic cell.
    """
    shape = np.array(values.shape)
    pbc = np.array(structure.lattice.pbc)
    shift = centring_shift(structure)
    steps = np.rint(shift * shape).astype(int)
    pad = np.where(pbc, np.ceil(RIM * shape).astype(int), 0)
    padded = np.pad(np.roll(values, steps, axis=(0, 1, 2)), [(p, p) for p in pad], mode="wrap")
    pieces = []
    for sign, colour in ((1.0, ACCUMULATION), (-1.0, DEPLETION)):
        # A rim of zeros closes the surfaces where they leave the box.
        closed = np.pad(sign * padded, 1)
        if not closed.min() < iso < closed.max():
            continue
        vertices, faces, _, _ = marching_cubes(closed, level=iso, gradient_direction="ascent")
        at = (vertices - 1 - pad) / shape
        frac = at + shift - steps / shape
        corners = structure.lattice.get_cartesian_coords(frac)[faces]
        for piece in _pieces(len(vertices), faces):
            points = at[faces[piece]]
            spot = points.mean(axis=(0, 1))
            if ((points < -RIM + 2 / shape) | (points > 1 + RIM - 2 / shape))[..., pbc].any():
                middle = points.mean(axis=1)
                piece = piece[((middle >= 0) & (middle < 1) | ~pbc).all(axis=1)]
            elif not ((spot >= 0) & (spot < 1) | ~pbc).all():
                continue  # the same piece is drawn a lattice vector away
            if len(piece):
                pieces.append(Surface(corners[piece] + _towards(atoms, corners[piece], structure), colour))
    return pieces


def _towards(atoms: Array | None, corners: Array, structure: Structure) -> Array:
    """Return the lattice vector, A, that brings a piece nearest to the atoms as they are drawn."""
    if atoms is None:
        return np.zeros(3)
    reach = [(-1, 0, 1) if periodic else (0,) for periodic in structure.lattice.pbc]
    vectors = np.array(list(itertools.product(*reach))) @ structure.lattice.matrix
    middles = corners.mean(axis=1)
    tree = cKDTree(atoms)
    # half a tenth of an Angstrom in favour of staying: equal images must not depend on rounding
    costs = [tree.query(middles + v)[0].mean() + 0.05 * bool(v.any()) for v in vectors]
    shift: Array = vectors[int(np.argmin(costs))]
    return shift


def _pieces(n_vertices: int, faces: npt.NDArray[np.int_]) -> list[npt.NDArray[np.int_]]:
    """Group the indices of the faces by connected piece."""
    rows, columns = faces[:, [0, 1]].ravel(), faces[:, [1, 2]].ravel()
    graph = coo_array((np.ones(len(rows)), (rows, columns)), shape=(n_vertices, n_vertices))
    label = connected_components(graph, directed=False)[1][faces[:, 0]]
    order = np.argsort(label, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(label[order])) + 1)


def level_of(delta_rho: Array, iso: float | None) -> float:
    """Return the isovalue that is asked for, e/A^3, or the one that `choose_iso` chooses.

    Raises
    ------
    InputError
        When no point of the difference reaches it: the picture would look as if no charge had moved.
    """
    if iso is None:
        return choose_iso(delta_rho)
    most = float(np.abs(delta_rho).max())
    if not iso <= most:
        raise InputError(f"No point of the density difference reaches {iso:g} e/A^3: its largest size is {most:.3g}.")
    return iso


def choose_iso(values: Array) -> float:
    """Choose an isovalue (e/A^3) whose surfaces enclose half of the displaced charge, rounded to 1, 2 or 5."""
    return rounded_down(level_enclosing(values, DENSITY_SCALE))


def level_enclosing(values: Array, share: float) -> float:
    """Return the isovalue (e/A^3) whose two surfaces enclose a share of the displaced charge; 1e-3 where none is displaced."""
    size = np.sort(np.abs(values), axis=None)[::-1]
    total = np.cumsum(size, dtype=np.float64)
    if not total[-1] > 0:
        return 1e-3
    return float(size[np.searchsorted(total, share * total[-1])])


def rounded_down(level: float) -> float:
    """Round a positive number down to 1, 2 or 5 times a power of ten."""
    power = 10.0 ** np.floor(np.log10(level))
    return float(power * max(step for step in (1.0, 2.0, 5.0) if step * power <= level * (1 + 1e-9)))


def centring_shift(structure: Structure) -> Array:
    """Return the fractional shift along periodic directions that puts the adsorbed molecule into the middle."""
    chosen = _movable(structure)
    pbc = np.array(structure.lattice.pbc, dtype=float)
    if not chosen.any() or chosen.all():
        return np.zeros(3)
    angles = 2 * np.pi * structure.frac_coords[chosen]
    middle = np.arctan2(np.sin(angles).mean(axis=0), np.cos(angles).mean(axis=0)) / (2 * np.pi)
    return np.asarray((0.5 - middle) * pbc * [1, 1, 0])


def _movable(structure: Structure) -> npt.NDArray[np.bool_]:
    labels = structure.site_properties.get("component", [SLAB] * len(structure))
    return np.array([label not in SLAB_PARTS for label in labels])


def _bonds(structure: Structure) -> tuple[npt.NDArray[np.int_], npt.NDArray[np.int_], Array]:
    atoms = AseAtomsAdaptor.get_atoms(structure, msonable=False)
    atoms.pbc = structure.lattice.pbc
    first, second, vectors = neighbor_list("ijD", atoms, covalent_radii[atoms.numbers] * BOND_FACTOR)
    return first, second, np.asarray(vectors).reshape(-1, 3)


def _whole_molecules(
    structure: Structure,
    frac: Array,
    molecule: npt.NDArray[np.bool_],
    first: npt.NDArray[np.int_],
    second: npt.NDArray[np.int_],
    vectors: Array,
) -> Array:
    """Walk along the bonds of each molecule, so that none is torn apart by a cell edge."""
    placed = frac.copy()
    steps = structure.lattice.get_fractional_coords(vectors)
    inner = molecule[first] & molecule[second]
    n = len(structure)
    graph = coo_array((np.ones(inner.sum()), (first[inner], second[inner])), shape=(n, n)).tocsr()
    step = {(int(i), int(j)): s for i, j, s in zip(first, second, steps, strict=True)}
    pbc = np.array(structure.lattice.pbc)
    todo = set(np.flatnonzero(molecule).tolist())
    while todo:
        group, parents = breadth_first_order(graph, min(todo), directed=False)
        for atom in group[1:].tolist():
            parent = int(parents[atom])
            placed[atom] = placed[parent] + step[parent, atom]
        placed[group] -= np.where(pbc, np.floor(placed[group].mean(axis=0)), 0.0)
        todo -= set(group.tolist())
    return placed


def _sticks_between(numbers: npt.NDArray[np.int_], positions: Array) -> list[tuple[int, int]]:
    atoms = Atoms(numbers=numbers, positions=positions)
    i, j = neighbor_list("ij", atoms, covalent_radii[numbers] * BOND_FACTOR)
    drawn = (i < j) & _joined(numbers[i], numbers[j])
    return list(zip(i[drawn].tolist(), j[drawn].tolist(), strict=True))


def _joined(first: npt.NDArray[np.int_], second: npt.NDArray[np.int_]) -> npt.NDArray[np.bool_]:
    """Say which pairs of neighbours, by atomic number, are joined by a stick."""
    ions = np.isin(first, NO_STICKS) | np.isin(second, NO_STICKS)
    metals = np.isin(first, list(METALS)) & np.isin(second, list(METALS))
    return np.asarray(~(ions | metals))


def _normals(corners: Array) -> Array:
    return np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])


def _front(corners: Array) -> Array:
    """Keep the triangles that face the eye, farthest first: two transparent skins would look like mud."""
    corners = corners[_normals(corners)[:, 2] > 0]
    return corners[np.argsort(corners[:, :, 2].mean(axis=1))]


def _skin(ax: Axes, corners: Array, colour: Array, order: float) -> None:
    """Paint one piece, opaque in itself, then make the whole of it transparent."""
    normals = _normals(corners)
    facing = (normals[:, 2] / np.linalg.norm(normals, axis=1))[:, None]
    paint = np.clip(colour * (0.6 + 0.4 * facing) + 0.10 * facing**12, 0, 1)
    skin = PolyCollection(corners[:, :, :2].tolist(), facecolors=paint, edgecolors="face", linewidths=0.3, zorder=order)
    skin.set_agg_filter(_translucent)  # type: ignore[arg-type]
    skin.set_rasterized(True)
    ax.add_collection(skin)


def _translucent(image: Array, _dpi: float) -> tuple[Array, int, int]:
    image[..., 3] *= OPACITY
    return image, 0, 0


def _fogged(colours: Array, fog: Array) -> Array:
    return np.asarray(colours + (1 - colours) * fog[:, None])


def _points_per_angstrom(ax: Axes) -> float:
    left, right = ax.get_xlim()
    width = ax.get_window_extent().width
    figure = ax.get_figure()
    assert figure is not None
    return float(width / abs(right - left) * 72.0 / figure.dpi)
