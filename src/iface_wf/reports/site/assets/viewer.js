"use strict";
// The interactive view: 3Dmol.js draws atoms and meshes, marching cubes find the meshes of the density.
function makeViewer(holder, atoms, volume) {
  const ACCUMULATION = "#f2c40f", DEPLETION = "#3394db";  // as in the pictures; yellow and blue differ for all kinds of colour vision
  const viewer = $3Dmol.createViewer(holder, { backgroundColor: "white", antialias: true });
  viewer.setProjection("orthographic");

  const model = viewer.addModel();
  const bonded = atoms.elements.map(() => []);
  for (const [i, j] of atoms.bonds) { bonded[i].push(j); bonded[j].push(i); }
  model.addAtoms(atoms.elements.map((elem, i) => ({ elem, serial: i, index: i, hetflag: true,
    x: atoms.positions[i][0], y: atoms.positions[i][1], z: atoms.positions[i][2],
    bonds: bonded[i], bondOrder: bonded[i].map(() => 1) })));
  model.setStyle({}, { stick: { radius: 0.13, colorscheme: "Jmol" }, sphere: { scale: 0.27, colorscheme: "Jmol" } });
  outline();

  /** Draw the edges of the cell. */
  function outline() {
    const at = (f) => [0, 1, 2].map((k) => f[0] * atoms.cell[0][k] + f[1] * atoms.cell[1][k] + f[2] * atoms.cell[2][k]);
    const point = (p) => ({ x: p[0], y: p[1], z: p[2] });
    for (let axis = 0; axis < 3; axis++) {
      for (const u of [0, 1]) for (const v of [0, 1]) {
        const start = [0, 0, 0];
        start[(axis + 1) % 3] = u; start[(axis + 2) % 3] = v;
        const end = start.slice();
        end[axis] = 1;
        viewer.addLine({ start: point(at(start)), end: point(at(end)), color: "#808080" });
      }
    }
  }

  // ---- isosurfaces ----------------------------------------------------------------------------------------
  let values = null, shapes = [];
  if (volume) {
    const bytes = Uint8Array.from(atob(volume.values), (c) => c.charCodeAt(0));
    values = new Int16Array(bytes.length / 2);
    const view = new DataView(bytes.buffer);
    for (let i = 0; i < values.length; i++) values[i] = view.getInt16(2 * i, true);
  }
  const [nx, ny, nz] = volume ? volume.shape : [0, 0, 0];
  const value = (x, y, z) => volume.scale * values[(x * ny + y) * nz + z];

  /** Density between the points, interpolated linearly. */
  function between(x, y, z) {
    x = Math.min(Math.max(x, 0), nx - 1); y = Math.min(Math.max(y, 0), ny - 1); z = Math.min(Math.max(z, 0), nz - 1);
    const i = Math.min(Math.floor(x), nx - 2), j = Math.min(Math.floor(y), ny - 2), k = Math.min(Math.floor(z), nz - 2);
    let sum = 0;
    for (let a = 0; a < 2; a++) for (let b = 0; b < 2; b++) for (let c = 0; c < 2; c++) {
      sum += (a ? x - i : i + 1 - x) * (b ? y - j : j + 1 - y) * (c ? z - k : k + 1 - z) * value(i + a, j + b, k + c);
    }
    return sum;
  }
  /** Rows of the inverse of the steps: gradients by index become Cartesian. */
  function inverse(m) {
    const cross = (u, v) => [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
    const rows = [cross(m[1], m[2]), cross(m[2], m[0]), cross(m[0], m[1])];
    const det = m[0].reduce((sum, v, k) => sum + v * rows[0][k], 0);
    return rows.map((row) => row.map((v) => v / det));
  }
  function mesh(level, sign) {
    const steps = volume.steps, dual = inverse(steps);
    // In units of the level, because marching cubes take differences below 1e-6 for none.
    const found = exports.marchingCubes(volume.shape, (x, y, z) => (sign * value(x, y, z)) / level - 1);
    const vertexArr = [], normalArr = [];
    for (const [x, y, z] of found.positions) {
      const p = [0, 1, 2].map((k) => volume.origin[k] + x * steps[0][k] + y * steps[1][k] + z * steps[2][k]);
      const g = [between(x + 1, y, z) - between(x - 1, y, z), between(x, y + 1, z) - between(x, y - 1, z), between(x, y, z + 1) - between(x, y, z - 1)];
      const n = [0, 1, 2].map((k) => -sign * (g[0] * dual[0][k] + g[1] * dual[1][k] + g[2] * dual[2][k]));
      const size = Math.hypot(...n) || 1;
      vertexArr.push({ x: p[0], y: p[1], z: p[2] });
      normalArr.push({ x: n[0] / size, y: n[1] / size, z: n[2] / size });
    }
    // Marching cubes wind triangles so that their front is inside.
    const faceArr = found.cells.flatMap(([a, b, c]) => [a, c, b]);
    return { vertexArr, normalArr, faceArr, color: sign > 0 ? ACCUMULATION : DEPLETION, opacity: 0.75 };
  }
  /** Draw the surfaces at +level and -level, e/A^3; return how many triangles they have. */
  function setLevel(level) {
    shapes.forEach((shape) => viewer.removeShape(shape));
    const meshes = [mesh(level, 1), mesh(level, -1)].filter((each) => each.faceArr.length);
    shapes = meshes.map((each) => viewer.addCustom(each));
    viewer.render();
    return meshes.reduce((sum, each) => sum + each.faceArr.length / 3, 0);
  }

  // ---- directions -----------------------------------------------------------------------------------------
  const unit = (v) => v.map((x) => x / Math.hypot(...v));
  const cross = (u, v) => [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
  /** Look along a (0), b (1) with z upright, or down along c (2). */
  function lookAlong(axis) {
    let right, up, towards;
    if (axis === 2) [right, up, towards] = [[1, 0, 0], [0, 1, 0], [0, 0, 1]];
    else {
      towards = unit([-atoms.cell[axis][0], -atoms.cell[axis][1], 0]);
      up = [0, 0, 1];
      right = cross(up, towards);
    }
    const view = viewer.getView();
    viewer.setView([...view.slice(0, 4), ...quaternion([right, up, towards])]);
    whole();
  }
  /** Show all atoms; the vacuum may be outside. */
  function whole() {
    viewer.zoomTo({ model });
    viewer.zoom(0.85);
    viewer.render();
  }
  function quaternion(m) {
    const w = Math.sqrt(Math.max(0, 1 + m[0][0] + m[1][1] + m[2][2])) / 2;
    const x = Math.sqrt(Math.max(0, 1 + m[0][0] - m[1][1] - m[2][2])) / 2;
    const y = Math.sqrt(Math.max(0, 1 - m[0][0] + m[1][1] - m[2][2])) / 2;
    const z = Math.sqrt(Math.max(0, 1 - m[0][0] - m[1][1] + m[2][2])) / 2;
    const signed = (size, difference) => (difference < 0 ? -size : size);
    return [signed(x, m[2][1] - m[1][2]), signed(y, m[0][2] - m[2][0]), signed(z, m[1][0] - m[0][1]), w];
  }

  // ---- distances ------------------------------------------------------------------------------------------
  let ruler = [];
  /** Draw and return the distance of two atoms as drawn, A. */
  function measure(i, j) {
    ruler.forEach((shape) => viewer.removeShape(shape));
    const [p, q] = [i, j].map((each) => ({ x: atoms.positions[each][0], y: atoms.positions[each][1], z: atoms.positions[each][2] }));
    ruler = [viewer.addCylinder({ start: p, end: q, radius: 0.05, color: "#d55e00", dashed: true, fromCap: 1, toCap: 1 })];
    viewer.render();
    return Math.hypot(p.x - q.x, p.y - q.y, p.z - q.z);
  }

  whole();
  return { viewer, setLevel, lookAlong, measure };
}
