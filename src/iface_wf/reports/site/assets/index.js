"use strict";
// The table of results, and what is drawn of its rows.
(() => {
  const { data, make, words, number, fit, fitAll, simpleTable, colour, layout, literal, options, plotly, onTheme } = Report;
  const columns = data.columns, place = Object.fromEntries(columns.map((column, i) => [column.name, i]));
  const shown = new Set(columns.filter((column) => column.shown).map((column) => column.name));
  const state = { sort: data.headline, down: false, rows: data.rows };
  const byId = (id) => document.getElementById(id);
  const cell = (row, name) => row.cells[place[name]];
  const heading = (name) => name.replace(/_/g, " ");
  const unit = (column) => column.unit.split(/[,;]| per interface/)[0];
  const title = (name) => { const u = unit(columns[place[name]]); return heading(name) + (u ? ` / ${u}` : ""); };
  const compare = new Intl.Collator("en", { numeric: true }).compare;

  function field(label, control, tick) {
    return make("label", tick ? { class: "tick" } : {}, tick ? [control, label] : [label, control]);
  }
  function select(id, choices, chosen, change) {
    const control = make("select", { id, onchange: change });
    for (const [value, text] of choices) {
      const option = make("option", { value, selected: value === chosen });
      option.textContent = text.length > 60 ? `${text.slice(0, 59)}\u2026` : text;
      control.append(option);
    }
    return control;
  }

  // ---- filters --------------------------------------------------------------------------------------------
  const CHOICES = ["filler", "polymer", "salt", "method"];
  const live = location.protocol.startsWith("http");  // served: results come while the page is open
  const numeric = columns.filter((column) => column.numeric && (live || data.rows.some((row) => typeof cell(row, column.name) === "number")));
  function buildFilters() {
    const box = byId("filters");
    box.append(field("Text in any name or flag", make("input", { type: "search", id: "f-text", oninput: update })));
    for (const name of CHOICES) {
      const values = [...new Set(data.rows.map((row) => cell(row, name)).filter((value) => value != null))].sort(compare);
      if (values.length > 1) box.append(field(heading(name), select(`f-${name}`, [["", "all"], ...values.map((v) => [v, v])], "", update)));
    }
    box.append(field("Number", select("f-number", numeric.map((c) => [c.name, title(c.name)]), data.headline, update)),
      field("from", make("input", { type: "number", step: "any", id: "f-low", oninput: update })),
      field("to", make("input", { type: "number", step: "any", id: "f-high", oninput: update })),
      field("Trustworthy only", make("input", { type: "checkbox", id: "f-good", onchange: update }), true),
      make("button", { type: "button", id: "f-clear", onclick: clear }, "Clear"));
  }
  /** Offer the names of new results too, and keep what is chosen. */
  function rebuildFilters() {
    const kept = [...byId("filters").querySelectorAll("input, select")].map((control) => [control.id, control.value, control.checked]);
    byId("filters").replaceChildren();
    buildFilters();
    for (const [id, value, checked] of kept) if (byId(id)) { byId(id).value = value; byId(id).checked = checked; }
  }
  function clear() {
    for (const control of byId("filters").querySelectorAll("input, select")) {
      if (control.type === "checkbox") control.checked = false;
      else control.value = control.id === "f-number" ? data.headline : "";
    }
    update();
  }
  function passing() {
    const text = byId("f-text").value.trim().toLowerCase(), good = byId("f-good").checked, column = byId("f-number").value;
    const [low, high] = ["f-low", "f-high"].map((id) => (byId(id).value === "" ? null : Number(byId(id).value)));
    return data.rows.filter((row) => {
      if (good && !row.trustworthy) return false;
      for (const name of CHOICES) {
        const control = byId(`f-${name}`);
        if (control && control.value !== "" && cell(row, name) !== control.value) return false;
      }
      if (low != null || high != null) {
        const value = cell(row, column);
        if (value == null || (low != null && value < low) || (high != null && value > high)) return false;
      }
      return !text || [...row.cells.filter((v) => typeof v === "string"), ...row.flags].some((v) => v.toLowerCase().includes(text));
    });
  }

  // ---- table ----------------------------------------------------------------------------------------------
  function sorted(rows) {
    const sign = state.down ? -1 : 1;
    const value = (row) => (state.sort === "flags" ? row.flags.join("; ") || null : cell(row, state.sort));
    return rows.slice().sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      if (x == null || y == null) return (x == null) - (y == null);  // what is not known comes last, either way
      return sign * (typeof x === "number" && typeof y === "number" ? x - y : compare(String(x), String(y)));
    });
  }
  function headCell(name) {
    const column = columns[place[name]], active = state.sort === name;
    const arrow = active ? (state.down ? " \u25bc" : " \u25b2") : "";
    return make("th", { scope: "col", role: "columnheader", class: column && column.numeric ? "n" : null,
      "aria-sort": active ? (state.down ? "descending" : "ascending") : null },
      make("button", { type: "button", "data-sort": name, onclick: () => sortBy(name) }, heading(name) + arrow),
      column && column.unit ? make("span", { class: "unit" }, unit(column)) : null);
  }
  function sortBy(name) {
    state.down = state.sort === name ? !state.down : false;
    state.sort = name;
    drawTable();
    byId("table").querySelector(`[data-sort="${name}"]`).focus();
  }
  /** Sorting without the headings, which cards do not show. */
  function buildSorting() {
    const names = [...columns.map((column) => [column.name, heading(column.name)]), ["flags", "flags"]];
    byId("sorting").append(
      field("Sort by", select("sort", names, state.sort, (event) => { state.sort = event.target.value; drawTable(); })),
      make("button", { type: "button", onclick: () => { state.down = !state.down; drawTable(); } }, "Turn the order"));
  }
  function bodyCell(row, column) {
    const value = cell(row, column.name), label = heading(column.name);
    if (column.name === "ID") {
      return make("td", { role: "cell", "data-label": label }, make("a", { href: row.page }, words(String(value))));
    }
    if (typeof value !== "number") {
      return make("td", { role: "cell", "data-label": label }, value == null ? "" : words(String(value)));
    }
    const beside = column.uncertainty && !shown.has(column.uncertainty) ? cell(row, column.uncertainty) : null;
    return make("td", { role: "cell", class: "n", "data-label": label, "data-value": value, "data-uncertainty": beside },
      column.unit ? number(value, column.digits, beside) : String(value));
  }
  function drawTable() {
    const rows = sorted(state.rows), visible = columns.filter((column) => shown.has(column.name));
    const body = make("tbody", { role: "rowgroup" });
    for (const row of rows) {
      const flags = [...(row.trustworthy ? [] : ["NOT TRUSTWORTHY"]), ...row.flags].join("; ");
      body.append(make("tr", { role: "row", class: row.trustworthy ? null : "doubt" }, visible.map((column) => bodyCell(row, column)),
        make("td", { role: "cell", class: "flags", "data-label": "flags" }, words(flags))));
    }
    const table = make("table", { role: "table", "aria-labelledby": "results-title" },
      make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, visible.map((column) => headCell(column.name)), headCell("flags"))), body);
    byId("table").replaceChildren(table);
    byId("sort").value = state.sort;
    fit(byId("table"));
    byId("legend").textContent = visible.filter((column) => column.unit).map((column) => `${heading(column.name)}: ${column.unit}`).join("; ");
  }
  function buildChooser() {
    const box = byId("chooser").querySelector("fieldset");
    for (const column of columns) {
      const control = make("input", { type: "checkbox", checked: shown.has(column.name), onchange: (event) => {
        if (event.target.checked) shown.add(column.name); else shown.delete(column.name);
        drawTable();
      } });
      box.append(field(heading(column.name), control, true));
    }
  }

  // ---- heat map: a table, so that it can be read aloud, copied and printed ----------------------------------
  // Cividis (10.1371/journal.pone.0199239): even in lightness, the same for all kinds of colour vision.
  const CIVIDIS = [[0, 34, 78], [53, 69, 108], [102, 105, 112], [148, 142, 119], [200, 184, 102], [254, 232, 56]];
  function shade(share) {
    const at = Math.min(Math.max(share, 0), 1) * (CIVIDIS.length - 1), i = Math.min(Math.floor(at), CIVIDIS.length - 2);
    return CIVIDIS[i].map((low, k) => Math.round(low + (at - i) * (CIVIDIS[i + 1][k] - low)));
  }
  const luminance = (rgb) => rgb.map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const beside = (row) => cell(row, "filler") || (place.partner == null ? null : cell(row, "partner")) || "\u2013";
  const molecule = (row) => [cell(row, "polymer"), cell(row, "salt")].filter((v) => v != null).join(" + ") || "\u2013";
  function drawMap() {
    const name = byId("m-number").value, column = columns[place[name]];
    const best = new Map(), counts = new Map();
    for (const row of state.rows) {
      if (!row.trustworthy || cell(row, name) == null) continue;
      const key = JSON.stringify([beside(row), molecule(row)]), before = best.get(key);
      counts.set(key, (counts.get(key) || 0) + 1);
      if (!before || cell(row, name) < cell(before, name)) best.set(key, row);
    }
    const found = [...best.values()], holder = byId("map");
    if (!found.length) { holder.replaceChildren(make("p", {}, "No trustworthy result has this number.")); return; }
    const fillers = [...new Set(found.map(beside))].sort(compare), what = data.rows.some((row) => cell(row, "filler")) ? "filler" : "partner";
    const molecules = [...new Set(found.map(molecule))].sort(compare);
    const values = found.map((row) => cell(row, name)), low = Math.min(...values), high = Math.max(...values);
    const body = fillers.map((filler) => make("tr", { role: "row" },
      make("th", { scope: "row", role: "rowheader", "data-label": what }, words(String(filler))),
      molecules.map((each) => {
        const key = JSON.stringify([filler, each]), row = best.get(key);
        if (!row) return make("td", { role: "cell", class: "cell", "data-label": each }, "");
        const value = cell(row, name), rgb = shade(high > low ? (value - low) / (high - low) : 0.5);
        const ink = luminance(rgb) > 0.179 ? "#000" : "#fff", beside = column.uncertainty ? cell(row, column.uncertainty) : null;
        const element = make("td", { role: "cell", class: "cell", "data-label": each, "data-value": value },
          make("a", { href: row.page, style: `color: ${ink}` }, number(value, column.digits, beside)),
          counts.get(key) > 1 ? make("span", {}, ` (lowest of ${counts.get(key)})`) : null);
        element.style.backgroundColor = `rgb(${rgb.join(",")})`;
        element.style.color = ink;
        return element;
      })));
    const caption = `${title(name)}: the lowest trustworthy number of each pair, from ${number(low, column.digits)} (dark) to ${number(high, column.digits)} (light).`;
    holder.replaceChildren(make("table", { role: "table" }, make("caption", {}, caption), make("thead", { role: "rowgroup" },
      make("tr", { role: "row" }, make("th", { scope: "col", role: "columnheader" }, what),
        molecules.map((each) => make("th", { scope: "col", role: "columnheader" }, words(each))))), make("tbody", { role: "rowgroup" }, body)));
    fit(holder);
  }

  // ---- scatter --------------------------------------------------------------------------------------------
  function drawScatter() {
    const [x, y] = ["s-x", "s-y"].map((id) => byId(id).value);
    const rows = state.rows.filter((row) => cell(row, x) != null && cell(row, y) != null);
    const bars = (name) => { const u = columns[place[name]].uncertainty;
      return u ? { type: "data", array: rows.map((row) => cell(row, u) ?? 0), thickness: 1, width: 2, color: colour("--line") } : undefined; };
    const text = rows.map((row) => literal([cell(row, "filler"), molecule(row), cell(row, "method")].join(", ").slice(0, 160)));
    const trace = { type: "scatter", mode: "markers", x: rows.map((row) => cell(row, x)), y: rows.map((row) => cell(row, y)),
      error_x: bars(x), error_y: bars(y), text, hovertemplate: "%{text}<br>%{x:.4g}, %{y:.4g}<extra></extra>",
      marker: { size: 9, color: rows.map((row) => (row.trustworthy ? "#0072B2" : "#D55E00")),
        symbol: rows.map((row) => (row.trustworthy ? "circle" : "x")), line: { width: 1, color: colour("--text") } } };
    const holder = byId("scatter");
    plotly().then((library) => library.react(holder, [trace], layout(title(x), title(y)), options)).then(() => {
      holder.removeAllListeners("plotly_click");
      holder.on("plotly_click", (event) => { location.href = rows[event.points[0].pointIndex].page; });
    });
    holder.setAttribute("role", "img");
    const range = (name) => { const v = rows.map((row) => cell(row, name)), d = columns[place[name]].digits;
      return `${title(name)} from ${number(Math.min(...v), d)} to ${number(Math.max(...v), d)}`; };
    const told = rows.length ? `${rows.length} results; ${range(x)}, ${range(y)}. Crosses are not trustworthy.` : "No result has both numbers.";
    holder.setAttribute("aria-label", `Scatter. ${told}`);
    byId("scatter-text").textContent = told;
  }

  // ---- what runs, waits and failed ------------------------------------------------------------------------
  function drawStates() {
    byId("states").replaceChildren(...data.states.map((each) => {
      const counts = Object.entries(each.counts).map(([state, count]) => `${count} ${state}`).join(", ");
      const dated = each.rows.some((row) => row.since);
      const rows = each.rows.map((row) => [row.name, row.part, row.state, ...(dated ? [row.since] : []), row.detail]);
      const headings = ["name", "part", "state", ...(dated ? ["since (UTC)"] : []), "detail"];
      const table = simpleTable({ title: each.title, headings, rows });
      table.querySelectorAll("tbody tr").forEach((row, i) => { row.dataset.state = each.rows[i].state; });
      return make("section", { "aria-label": each.title, class: "states" }, make("h2", {}, words(each.title)),
        make("p", { role: "status" }, counts || "Nothing is there."), each.remark ? make("p", { class: "bad" }, words(each.remark)) : null,
        rows.length ? table : null, each.hidden ? make("p", {}, `${each.hidden} more are not shown.`) : null);
    }));
    fitAll();
  }

  // ---- all together -----------------------------------------------------------------------------------------
  let waiting = 0;
  function drawRest() { cancelAnimationFrame(waiting); waiting = requestAnimationFrame(() => setTimeout(() => { drawMap(); drawScatter(); })); }
  function update() {
    state.rows = passing();
    byId("count").textContent = `${state.rows.length} of ${data.rows.length} results`;
    drawTable();
    drawRest();
  }
  const choices = numeric.map((column) => [column.name, title(column.name)]);
  const other = (numeric.find((column) => column.unit && column.name !== data.headline && !column.name.startsWith("uncertainty")) || numeric[0] || { name: "" }).name;
  buildFilters();
  buildChooser();
  buildSorting();
  byId("map-controls").append(field("Number", select("m-number", choices, data.headline, drawMap)));
  byId("scatter-controls").append(field("across", select("s-x", choices, other, drawScatter)), field("up", select("s-y", choices, data.headline, drawScatter)));
  byId("made").textContent = data.made;
  drawStates();
  update();
  if (live) setInterval(() => fetch("data.json").then((answer) => answer.json()).then((told) => {
    byId("made").textContent = data.made;
    if (JSON.stringify(told.states) !== JSON.stringify(data.states)) { data.states = told.states; drawStates(); }
    if (JSON.stringify(told.rows) === JSON.stringify(data.rows)) return;
    if (!data.rows.length) told.columns.filter((column) => column.shown).forEach((column) => shown.add(column.name));
    data.rows = told.rows;
    rebuildFilters();
    update();
  }).catch(() => { byId("made").textContent = "The server does not answer; what is shown is its last answer."; }), 3000);
  onTheme(drawScatter);
  window.addEventListener("resize", () => { fit(byId("table")); fit(byId("map")); });
  window.addEventListener("beforeprint", () => fit(byId("table")));
  document.body.dataset.ready = String(Math.round(performance.now()));
})();
