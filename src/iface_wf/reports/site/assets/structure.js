"use strict";
// The interactive view with its controls: of the page of a result, and of a notebook.
function showStructure() {
  const { data, make, colour, onTheme } = Report;
  const byId = (id) => document.getElementById(id);
  const { atoms, volume } = data;
  let scene = null;
  if (atoms) {
    byId("view").hidden = false;
    try {
      scene = makeViewer(byId("viewer"), atoms, volume);
      controls();
    } catch (error) {
      byId("viewer").replaceChildren(make("p", {}, `This browser shows no 3D graphics (WebGL).${data.files ? " The files below hold the structure." : ""}`));
    }
    describe();
  }
  function button(text, press) { return make("button", { type: "button", onclick: press }, text); }
  function controls() {
    const box = byId("view-controls");
    ["a", "b", "c"].forEach((name, axis) => box.append(button(`Along ${name}`, () => scene.lookAlong(axis))));
    if (volume) levelControls(box);
    box.append(button("Save picture", () => make("a", { href: scene.viewer.pngURI(), download: "view.png" }).click()));
    const last = atoms.elements.length;
    const pick = (label) => make("input", { type: "number", min: 1, max: last, step: 1, "aria-label": `${label} atom of a distance` });
    const [first, second] = [pick("first"), pick("second")];
    const tell = () => {
      const [i, j] = [first, second].map((input) => Number(input.value) - 1);
      if (![i, j].every((n) => Number.isInteger(n) && n >= 0 && n < last) || i === j) return;
      byId("measured").textContent = `${atoms.elements[i]} ${i + 1} to ${atoms.elements[j]} ${j + 1}: ${scene.measure(i, j).toFixed(3)} \u00c5`;
    };
    first.addEventListener("input", tell); second.addEventListener("input", tell);
    box.append(make("label", {}, "Distance of atoms (or click two)", make("span", {}, first, " ", second)));
    let before = null;
    scene.viewer.setClickable({}, true, (atom) => {
      if (before == null) { before = atom.index; byId("measured").textContent = `${atom.elem} ${atom.index + 1}: click another atom`; return; }
      [first.value, second.value] = [before + 1, atom.index + 1];
      before = null;
      tell();
    });
    scene.viewer.render();
    scene.lookAlong(0);
    keys();
  }
  function levelControls(box) {
    const [low, start, high] = volume.levels, STEPS = 200;
    const position = (level) => Math.round((STEPS * Math.log(level / low)) / Math.log(high / low));
    const slider = make("input", { type: "range", id: "level", min: 0, max: STEPS, step: 1, value: position(start) });
    const exact = make("input", { type: "number", id: "level-number", min: low, max: high, step: "any", value: start });
    let frame = 0;
    const draw = (level) => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => {
        byId("viewer").dataset.triangles = scene.setLevel(level);
        byId("viewer").dataset.level = level;
        slider.setAttribute("aria-valuetext", `${level.toPrecision(2)} electrons per cubic Angstrom`);
      });
    };
    slider.addEventListener("input", () => {
      const level = low * (high / low) ** (slider.value / STEPS);
      exact.value = Number(level.toPrecision(3));
      draw(level);
    });
    exact.addEventListener("change", () => {
      const level = Math.min(Math.max(Number(exact.value) || start, low), high);
      exact.value = level;
      slider.value = position(level);
      draw(level);
    });
    box.append(make("label", {}, "Isovalue", slider), make("label", {}, "\u00b1 e/\u00c5\u00b3", exact));
    draw(start);
  }
  function keys() {
    const turns = { ArrowLeft: ["vy", -10], ArrowRight: ["vy", 10], ArrowUp: ["vx", -10], ArrowDown: ["vx", 10] };
    byId("viewer").addEventListener("keydown", (event) => {
      if (turns[event.key]) scene.viewer.rotate(turns[event.key][1], turns[event.key][0]);
      else if (event.key === "+" || event.key === "=") scene.viewer.zoom(1.2);
      else if (event.key === "-") scene.viewer.zoom(1 / 1.2);
      else return;
      event.preventDefault();
      scene.viewer.render();
    });
  }
  function describe() {
    const counts = {};
    atoms.elements.slice(0, atoms.in_cell).forEach((element) => { counts[element] = (counts[element] || 0) + 1; });
    const lengths = atoms.cell.map((v) => Math.hypot(...v).toFixed(2)).join(" \u00d7 ");
    const legend = make("span", {});
    for (const element of Object.keys(counts).sort()) {
      const chip = make("span", { "aria-hidden": "true" }, " \u25cf");
      const rgb = $3Dmol.elementColors.Jmol[element];
      chip.style.cssText = `color: #${Number(rgb).toString(16).padStart(6, "0")}; -webkit-text-stroke: 1px ${colour("--line")}`;
      legend.append(chip, ` ${element} (${counts[element]})`);
    }
    const text = [`Relaxed structure, cell ${lengths} \u00c5, in which the molecule stands in the middle.`];
    if (volume) text.push("Yellow: electrons accumulate; blue: they are missing; at plus and minus the isovalue. " +
      `Drawn on a grid of at most ${volume.spacing.toFixed(2)} \u00c5: 95 % of each surface lies within ${Math.max(volume.moved, 0.001).toFixed(3)} \u00c5 of where the stored ` +
      `grid of ${volume.full_shape.join(" \u00d7 ")} points has it.`);
    byId("view-text").append(text.join(" "), legend);
  }

  if (scene) {
    const ground = () => { scene.viewer.setBackgroundColor(colour("--ground")); scene.viewer.render(); };
    ground();
    onTheme(ground);
  }
  return scene;
}
