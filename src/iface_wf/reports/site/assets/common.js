"use strict";
// What all pages share. Text from the data enters the page by textContent only, never as markup.
const Report = (() => {
  const data = JSON.parse(document.getElementById("data").textContent);

  /** Make an element with attributes and children; strings become text that other writing directions cannot reach. */
  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value === true) element.setAttribute(name, "");
      else if (value !== false && value != null) element.setAttribute(name, value);
    }
    for (const child of children.flat(Infinity)) if (child != null) element.append(child);
    return element;
  }

  /** Text of somebody else: isolated, so that right-to-left marks in it turn nothing around it. */
  function words(text) {
    // Only what is longer than usual words may be broken, and what fills a page is cut, with all of it in its title.
    const element = make("bdi", text.length > 120 ? { class: "wide long", title: text } : { class: text.length > 16 ? "wide" : null });
    element.textContent = text;
    return element;
  }

  const plain = (value, digits) => (value < 0 ? "\u2212" : "") + Math.abs(value).toFixed(digits);

  /** A number as text with, where known, its uncertainty; all digits are in the attribute data-value. */
  function number(value, digits, uncertainty) {
    if (value == null) return "";
    return plain(value, digits) + (uncertainty == null ? "" : ` \u00b1 ${uncertainty.toFixed(digits)}`);
  }

  function general(value, digits) {
    if (value == null) return "\u2013";
    if (value === true) return "yes";
    if (value === false) return "no";
    if (typeof value !== "number") return words(String(value));
    return plain(value, digits ?? (Number.isInteger(value) ? 0 : 4));
  }

  /** Wrap a table; where it is too wide its rows become cards. */
  function fit(holder) {
    const measure = () => {
      holder.classList.remove("cards");
      if (holder.scrollWidth > holder.clientWidth + 1) holder.classList.add("cards");
    };
    measure();
    return measure;
  }

  function simpleTable(table) {
    const column = (i) => table.rows.map((row) => row[i]).filter((value) => value != null);
    const numeric = table.headings.map((_, i) => column(i).length > 0 && column(i).every((value) => typeof value === "number"));
    const digits = table.headings.map((_, i) => (numeric[i] && column(i).some((value) => !Number.isInteger(value)) ? 4 : null));
    const head = make("tr", { role: "row" }, table.headings.map((text, i) =>
      make("th", { scope: "col", role: "columnheader", class: numeric[i] ? "n" : null }, text)));
    const body = table.rows.map((row) => make("tr", { role: "row" }, row.map((value, i) => make("td", {
      role: "cell", class: numeric[i] ? "n" : null, "data-label": table.headings[i],
      "data-value": typeof value === "number" ? value : null,
    }, general(value, digits[i])))));
    const holder = make("div", { class: "holder" }, make("table", { role: "table", "aria-label": table.title },
      make("thead", { role: "rowgroup" }, head), make("tbody", { role: "rowgroup" }, body)));
    fitted.push(holder);
    return holder;
  }
  let fitted = [];
  function fitAll() {
    fitted = fitted.filter((holder) => holder.isConnected);  // live pages draw tables anew
    fitted.forEach((holder) => fit(holder));
  }
  window.addEventListener("resize", fitAll);

  // ---- light and dark -----------------------------------------------------------------------------------
  const listeners = [];
  const root = document.documentElement;
  function stored() { try { return localStorage.getItem("iface-wf-theme"); } catch { return null; } }
  function setTheme(theme) {
    root.dataset.theme = theme;
    const button = document.getElementById("theme");
    button.setAttribute("aria-pressed", String(theme === "dark"));
    try { localStorage.setItem("iface-wf-theme", theme); } catch { /* pages from disk may keep nothing */ }
    listeners.forEach((tell) => tell(theme));
  }
  setTheme(stored() || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));
  document.getElementById("theme").addEventListener("click", () => setTheme(root.dataset.theme === "dark" ? "light" : "dark"));
  const colour = (name) => getComputedStyle(root).getPropertyValue(name).trim();

  /** Layout of a figure in the colours of the page. */
  function layout(x, y, more = {}) {
    const axis = (text) => ({ title: { text: text, standoff: 8 }, gridcolor: colour("--faint"), zerolinecolor: colour("--line"),
      linecolor: colour("--line"), automargin: true });
    return { paper_bgcolor: colour("--ground"), plot_bgcolor: colour("--ground"), font: { color: colour("--text"), size: 13 },
      margin: { l: 60, r: 15, t: 20, b: 55 }, xaxis: axis(x), yaxis: axis(y), showlegend: false, hovermode: "closest", ...more };
  }
  /** Plotly reads some markup in texts: names are shown as they are. */
  const literal = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  /** Plotly is loaded when the rest of the page is there: it is larger than all of it. */
  const assets = document.currentScript.src.replace(/[^/]*$/, "");
  let library = null;
  const plotly = () => library ??= new Promise((loaded, failed) => {
    document.head.append(make("script", { src: `${assets}plotly-cartesian.min.js`, onload: () => loaded(Plotly), onerror: failed }));
  });
  const options = { displayModeBar: false, responsive: true };

  return { data, make, words, number, fit, fitAll, simpleTable, colour, layout, literal, options, plotly,
    onTheme: (tell) => listeners.push(tell) };
})();
