"use strict";
// The page of one result.
(() => {
  const { data, make, words, number, fitAll, simpleTable, colour, layout, options, plotly, onTheme } = Report;
  const byId = (id) => document.getElementById(id);
  const content = byId("content");
  byId("method").append(words(data.method));

  function section(title, ...children) {
    content.append(make("section", { "aria-label": title }, make("h2", {}, title), ...children));
  }

  // ---- warnings and numbers -------------------------------------------------------------------------------
  if (!data.trustworthy) byId("warnings").append(make("p", { class: "bad" }, "NOT TRUSTWORTHY: not converged, or a flag below forbids quoting these numbers."));
  for (const flag of data.flags) byId("warnings").append(make("p", { class: data.trustworthy ? null : "bad" }, "Flag: ", words(flag)));
  const quantities = { title: "Results", headings: ["quantity", "value", "unit", "meaning"], rows: data.quantities.map((q) => [q.name, "", q.unit, q.meaning]) };
  const table = simpleTable(quantities);
  table.querySelectorAll("tbody tr").forEach((row, i) => {
    const { value, uncertainty } = data.quantities[i], box = row.children[1];
    box.className = "n";
    box.textContent = value == null ? "\u2013" : number(value, 3, uncertainty);
    if (value != null) box.dataset.value = value;
    if (uncertainty != null) box.dataset.uncertainty = uncertainty;
  });
  section("Results", table);

  const scene = showStructure();

  // ---- curves ---------------------------------------------------------------------------------------------
  function plot(holder, curve) {
    const marks = Object.values(curve.marks).map((z) => ({ type: "line", xref: "paper", x0: 0, x1: 1, y0: z, y1: z, line: { dash: "dash", width: 1, color: colour("--line") } }));
    const line = { type: "scatter", mode: "lines", x: curve.values, y: curve.z, line: { color: colour("--text"), width: 1.5 }, hovertemplate: "%{x:.4g} at %{y:.2f} \u00c5<extra></extra>" };
    const filled = (keep, fillcolor) => ({ type: "scatter", mode: "lines", x: curve.values.map((v) => (keep(v) ? v : 0)), y: curve.z, fill: "tozerox", fillcolor, line: { width: 0 }, hoverinfo: "skip" });
    const traces = curve.filled ? [filled((v) => v > 0, "#f2c40f"), filled((v) => v < 0, "#3394db"), line] : [line];
    plotly().then((library) => library.react(holder, traces, layout(curve.label, "z / \u00c5", { shapes: marks }), options));
  }
  if (data.curves.length) {
    const holders = data.curves.map((curve) => {
      const [low, high] = [Math.min(...curve.values), Math.max(...curve.values)].map((v) => (Math.abs(v) < 1e-9 ? 0 : v));
      const marks = Object.entries(curve.marks).map(([name, z]) => `${name} at ${z.toFixed(2)} \u00c5`).join(", ");
      const told = `${curve.title}: from ${low.toPrecision(3)} to ${high.toPrecision(3)}${marks ? `; dashed: ${marks}` : ""}.`;
      const picture = make("div", { class: "plot", role: "img", "aria-label": told });
      return [make("figure", { style: "margin: 0" }, picture, make("figcaption", {}, told)), picture];
    });
    section("Profiles along the normal", make("div", { class: "curves" }, holders.map(([figure]) => figure)));
    const draw = () => holders.forEach(([, picture], i) => plot(picture, data.curves[i]));
    draw();
    onTheme(draw);
  }
  if (data.picture) section("Picture", make("img", { src: data.picture, alt: data.picture_text }));

  // ---- tables, files, commands ----------------------------------------------------------------------------
  if (data.charges) {
    section(data.charges.title, make("p", {}, "Positive: the atom has lost electrons. Transfer: its charge in the interface minus that in its part, frozen as it is there."), simpleTable(data.charges));
  }
  data.tables.forEach((each) => section(each.title, simpleTable(each)));
  section("Files", make("ul", {}, data.files.map((file) => make("li", {}, make("a", { href: file.name, download: true }, file.name), ": ", words(file.what)))));
  for (const each of data.commands) {
    section(each.title, each.rows.map(([what, command]) => [make("p", {}, words(what)), make("pre", { tabindex: 0 }, words(command))]));
  }
  section("Provenance", make("details", {}, make("summary", {}, "All that was asked for and built, and versions"), make("pre", { tabindex: 0 }, words(data.provenance))));
  content.querySelectorAll("pre .long").forEach((each) => each.classList.remove("long"));

  fitAll();
  window.addEventListener("beforeprint", () => {
    fitAll();
    if (!scene) return;
    document.querySelectorAll(".still").forEach((each) => each.remove());
    byId("viewer").after(make("img", { class: "still", src: scene.viewer.pngURI(), alt: "The view as it was turned" }));
  });
  window.addEventListener("afterprint", () => document.querySelectorAll(".still").forEach((each) => each.remove()));
  document.body.dataset.ready = String(Math.round(performance.now()));
})();
