// Sorting, the charts, the arm picker and the list of all trials. Everything it shows is set as
// text, never as HTML; what it needs stands in the page as JSON.
(() => {
  "use strict";
  const byId = (id) => document.getElementById(id);
  const read = (id) => JSON.parse(byId(id).textContent);

  // Sorting. Rows without a value stay last whichever way a column is sorted.
  const compare = (a, b, up) => {
    if (a === null || b === null) return (a === null) - (b === null);
    const order = typeof a === "number" && typeof b === "number"
      ? a - b : String(a).localeCompare(String(b), document.documentElement.lang, { numeric: true });
    return up ? order : -order;
  };
  const turn = (heading) => {
    const now = heading.getAttribute("aria-sort");
    const next = now === "none" ? heading.dataset.first
      : now === "ascending" ? "descending" : "ascending";
    for (const other of heading.parentElement.children)
      if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", "none");
    heading.setAttribute("aria-sort", next);
    return next === "ascending";
  };
  const valueOf = (cell) => {
    if (cell.dataset.value !== undefined) return Number(cell.dataset.value);
    if (cell.classList.contains("number") || cell.classList.contains("rank")) return null;
    return (cell.dataset.text ?? cell.textContent).trim();
  };
  for (const table of document.querySelectorAll("table.sortable"))
    for (const button of table.querySelectorAll("thead th[aria-sort] button"))
      button.addEventListener("click", () => {
        const heading = button.parentElement, column = heading.cellIndex, up = turn(heading);
        const body = table.tBodies[0];
        const rows = [...body.rows].map((row) => [valueOf(row.cells[column]), row]);
        rows.sort((a, b) => compare(a[0], b[0], up));
        body.append(...rows.map((pair) => pair[1]));
      });

  // Charts: drawn when they come into view, in the colours of the page's scheme.
  const drawn = new Map();
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const themed = (figure) => {
    const layout = structuredClone(figure.layout);
    const ink = colour("--ink"), muted = colour("--muted"), line = colour("--line");
    const card = colour("--card");
    const family = getComputedStyle(document.body).fontFamily;
    layout.font = { family, color: ink, size: 12.5 };
    for (const name of Object.keys(layout)) {
      if (!/^[xy]axis\d*$/.test(name)) continue;
      const axis = layout[name];
      axis.gridcolor = line;
      axis.tickfont = { color: muted, size: 11.5 };
      if (axis.title) axis.title.font = { color: muted, size: 12 };
    }
    layout.hoverlabel = { bgcolor: card, bordercolor: line, align: "left",
      font: { family, color: ink, size: 12.5 } };
    layout.modebar = { bgcolor: "rgba(0,0,0,0)", color: muted, activecolor: ink };
    const heat = [0, 1, 2, 3].map((i) => colour(`--heat-${i}`));
    const data = figure.data.map((trace) => trace.type !== "heatmap" ? trace : {
      ...trace, colorscale: [[0, heat[0]], [0.25, heat[1]], [0.6, heat[2]], [1, heat[3]]] });
    return { data, layout };
  };
  // Buttons are named one by one: left to itself, Plotly adds one that uploads the chart.
  const options = { responsive: true, displaylogo: false, plotlyServerURL: "",
    displayModeBar: "hover",
    modeBarButtons: [["toImage", "zoom2d", "pan2d", "resetScale2d"]] };
  const draw = (element) => {
    if (drawn.has(element) || typeof Plotly === "undefined") return;
    const figure = read(element.dataset.figure);
    drawn.set(element, figure);
    const { data, layout } = themed(figure);
    Plotly.newPlot(element, data, layout, options);
  };
  const redraw = () => {
    for (const [element, figure] of drawn) {
      const { data, layout } = themed(figure);
      Plotly.react(element, data, layout, options);
    }
  };
  const charts = [...document.querySelectorAll(".chart")];
  if ("IntersectionObserver" in window) {
    const watch = new IntersectionObserver((entries) => {
      for (const entry of entries)
        if (entry.isIntersecting) { watch.unobserve(entry.target); draw(entry.target); }
    }, { rootMargin: "500px" });
    charts.forEach((element) => watch.observe(element));
  } else charts.forEach(draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  addEventListener("beforeprint", () => charts.filter((c) => !c.closest("[hidden]")).forEach(draw));

  // One arm's confusions at a time.
  const pick = byId("pick-arm");
  if (pick) {
    const show = () => {
      for (const view of document.querySelectorAll(".view")) view.hidden = view.id !== pick.value;
    };
    pick.addEventListener("change", show);
    show();
  }

  // The command.
  const copy = byId("copy");
  if (copy && navigator.clipboard) {
    copy.hidden = false;
    copy.addEventListener("click", async () => {
      const words = read("words");
      await navigator.clipboard.writeText(byId("command").textContent);
      copy.textContent = words.copied;
      setTimeout(() => { copy.textContent = words.copy; }, 1500);
    });
  }

  // All trials: built when opened, a page at a time, so that ten thousand cost nothing before.
  const details = byId("all-trials");
  if (details) details.addEventListener("toggle", () => {
    const { arms, states, rows } = read("trials-data"), words = read("words");
    const table = byId("trials-table"), body = table.tBodies[0], more = byId("trials-more");
    const armPick = byId("trials-arm"), statePick = byId("trials-state");
    const step = 200;
    let column = 0, up = true, limit = step;
    const number = (value, digits) => value === null ? words.missing
      : digits ? value.toFixed(digits)
      : value.toLocaleString(words.language, { maximumSignificantDigits: 4 });
    const sortable = (row) => column === 1 ? arms[row[1]] : column === 2 ? states[row[2]]
      : row[column] === "" ? null : row[column];
    const fill = () => {
      const chosen = rows.filter((row) =>
        (armPick.value === "" || row[1] === Number(armPick.value)) &&
        (statePick.value === "" || row[2] === Number(statePick.value)));
      chosen.sort((a, b) => compare(sortable(a), sortable(b), up));
      const shown = chosen.slice(0, limit);
      body.replaceChildren(...shown.map((row) => {
        const line = document.createElement("tr");
        const cells = [[String(row[0]), "number"], [arms[row[1]], "text arm"],
          [states[row[2]], "text"], [number(row[3], 4), "number"], [number(row[4]), "number"],
          [number(row[5]), "number"], [number(row[6]), "number"], [row[7], "text settings"],
          [row[8], "text settings"]];
        for (const [text, kind] of cells) {
          const cell = document.createElement("td");
          cell.className = kind;
          cell.textContent = text;
          line.append(cell);
        }
        return line;
      }));
      more.hidden = shown.length === chosen.length;
      byId("trials-shown").textContent = words.shown_of
        .replace("{shown}", shown.length.toLocaleString(words.language))
        .replace("{total}", chosen.length.toLocaleString(words.language));
    };
    const offer = (select, names) => names.forEach((name, i) => {
      const option = document.createElement("option");
      option.value = String(i);
      option.textContent = name;
      select.append(option);
    });
    offer(armPick, arms);
    offer(statePick, states);
    for (const select of [armPick, statePick])
      select.addEventListener("change", () => { limit = step; fill(); });
    more.addEventListener("click", () => { limit += 5 * step; fill(); });
    for (const button of table.querySelectorAll("thead th[aria-sort] button"))
      button.addEventListener("click", () => {
        column = button.parentElement.cellIndex;
        up = turn(button.parentElement);
        limit = step;
        fill();
      });
    fill();
  }, { once: true });
})();
