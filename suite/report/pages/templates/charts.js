  // Charts: drawn one after another, those in view first, in the colours of the page's scheme and
  // at the width they have. What a legend says is a list above the chart: it wraps where a legend
  // inside would be cut, and its entries are buttons.
  const shown = new Map();
  const SVG = "http://www.w3.org/2000/svg";
  const NARROW = 480, LETTER = 6.3;
  const colour = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  // Letters as wide as a Latin one; those of Chinese are wider.
  const wide = /[\u2e80-\uffef]/;
  const length = (text) => [...text].reduce((sum, one) => sum + (wide.test(one) ? 1.9 : 1), 0);
  const spelled = (text) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
  const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  // A name cut in its middle: the beginning says whose, the end says what.
  const shorter = (text, room) => {
    const letters = [...spelled(String(text))];
    if (length(letters.join("")) <= room) return String(text);
    const kept = Math.max(4, Math.floor(room * letters.length / length(letters.join(""))) - 1);
    const end = Math.floor(kept / 2);
    return escaped(`${letters.slice(0, kept - end).join("")}…${letters.slice(letters.length - end).join("")}`);
  };
  // A title in lines that fit beside its axis.
  const wrapped = (text, room) => {
    const lines = [""];
    for (const word of text.match(/[\u2e80-\uffef]|[^\s\u2e80-\uffef]+|\s+/g) ?? []) {
      const part = word.trim() === "" ? word : shorter(word, room);
      const last = lines.length - 1;
      if (length(lines[last] + part) > room && lines[last].trim() !== "" && part.trim() !== "")
        lines.push(part);
      else lines[last] += part;
    }
    return lines.map((line) => line.trim()).join("<br>");
  };
  const namesOf = (data, letter, axis) => {
    const own = axis === letter ? undefined : axis;
    const all = data.filter((trace) => (trace[`${letter}axis`] ?? letter) === (own ?? letter))
      .flatMap((trace) => trace[letter] ?? []);
    return [...new Set(all.filter((name) => name !== null))];
  };
  // Names along an axis, as long as there is room for.
  const fitNames = (axis, letter, name, data, layout, room) => {
    if (axis.showticklabels === false) return;
    const told = axis.ticktext ?? (axis.type === "category" ? namesOf(data, letter, name) : null);
    if (told === null || told.length === 0) return;
    if (axis.ticktext === undefined) axis.tickvals = told;
    axis.tickmode = "array";
    axis.ticktext = told.map((text) => shorter(text, room));
    if (letter === "x") {
      const part = axis.domain ? axis.domain[1] - axis.domain[0] : 1;
      const each = (layout.width * part - 60) / told.length;
      axis.tickangle = Math.max(...axis.ticktext.map(length)) * LETTER > each ? -90 : 0;
    }
  };
  const fitted = (element, figure, width, paper) => {
    const layout = structuredClone(figure.layout), off = shown.get(element)?.off ?? new Set();
    const ink = colour("--ink"), muted = colour("--muted"), line = colour("--line");
    const card = colour("--card");
    const family = getComputedStyle(document.body).fontFamily;
    const heat = [0, 1, 2, 3].map((i) => colour(`--heat-${i}`));
    const scale = [[0, heat[0]], [0.25, heat[1]], [0.6, heat[2]], [1, heat[3]]];
    layout.width = Math.max(width, layout.meta?.least ?? 0);
    const narrow = layout.width < NARROW;
    const data = figure.data.map((trace) => {
      const copy = { ...trace };
      if (trace.type === "heatmap") {
        copy.colorscale = scale;
        copy.colorbar = { ...trace.colorbar, tickfont: { color: muted, size: 11 } };
      }
      if (trace.marker?.colorscale) copy.marker = { ...trace.marker, colorscale: scale };
      // Names beside points need room around them; without it the list above has them.
      if (narrow && trace.mode === "markers+text") copy.mode = "markers";
      if (off.has(trace.legendgroup ?? trace.name)) copy.visible = "legendonly";
      return copy;
    });
    if (layout.meta?.square)
      layout.height = Math.round(Math.min(layout.height, Math.max(300, layout.width + 40)));
    // Two to a sheet, or one of many rows.
    if (paper) layout.height = Math.min(layout.height, layout.height > 450 ? 720 : 350);
    layout.font = { family, color: ink, size: 12.5 };
    for (const name of Object.keys(layout)) {
      if (!/^[xy]axis\d*$/.test(name)) continue;
      const axis = layout[name], letter = name[0];
      const plain = `${letter}${name.slice(5)}`;
      axis.gridcolor = line;
      axis.tickfont = { color: muted, size: 11.5 };
      fitNames(axis, letter, plain, data, layout,
        letter === "y" ? Math.max(12, layout.width * 0.3 / LETTER) : narrow ? 12 : 22);
      if (!axis.title?.text) continue;
      axis.title.font = { color: muted, size: 12 };
      const part = axis.domain ? axis.domain[1] - axis.domain[0] : 1;
      const room = letter === "x" ? (layout.width - 70) * part : (layout.height - 90) * part;
      axis.title.text = wrapped(axis.title.text, room / LETTER);
    }
    layout.hoverlabel = { bgcolor: card, bordercolor: line, align: "left",
      font: { family, color: ink, size: 12.5 } };
    layout.modebar = { bgcolor: "rgba(0,0,0,0)", color: muted, activecolor: ink };
    layout.showlegend = false;
    return { data, layout };
  };
  // The mark of a trace: its marker, or a bar's colour.
  const swatch = (trace) => {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", "-6 -6 12 12");
    svg.setAttribute("class", "mark");
    svg.setAttribute("aria-hidden", "true");
    const symbol = [trace.marker?.symbol].flat()[0] ?? (trace.type === "bar" ? "square" : "circle");
    const paint = [trace.marker?.color].flat()[0] ?? trace.line?.color ?? "currentColor";
    const path = document.createElementNS(SVG, "path");
    const open = symbol.endsWith("-open"), kind = symbol.replace("-open", "");
    path.setAttribute("d", trace.mode === "lines" ? "M-6 0H6"
      : { square: "M-4-4h8v8h-8z", diamond: "M0-5.4 5.4 0 0 5.4-5.4 0z", "triangle-up": "M0-5 5 4H-5z",
        star: "M0-5.6 1.4-1.9 5.3-1.7 2.3.7 3.3 4.5 0 2.4-3.3 4.5-2.3.7-5.3-1.7-1.4-1.9z" }[kind]
        ?? "M0-4.4a4.4 4.4 0 1 1 0 8.8a4.4 4.4 0 1 1 0-8.8z");
    const line = open || trace.mode === "lines";
    path.setAttribute("fill", line ? "none" : paint);
    if (line) { path.setAttribute("stroke", paint); path.setAttribute("stroke-width", "2"); }
    svg.append(path);
    return svg;
  };
  const legend = (element, figure) => {
    const width = element.clientWidth, told = figure.layout.showlegend !== false;
    const entries = new Map();
    figure.data.forEach((trace, position) => {
      const name = trace.legendgroup ?? trace.name;
      if (name === undefined) return;
      const named = told ? trace.showlegend !== false
        : width < NARROW && trace.mode === "markers+text";
      if (named && !entries.has(name)) entries.set(name, { trace, positions: [] });
      entries.get(name)?.positions.push(position);
    });
    const state = shown.get(element);
    state.legend?.remove();
    if (entries.size < 2) return;
    const list = document.createElement("ul");
    list.className = "legend";
    for (const [name, { trace, positions }] of entries) {
      const item = document.createElement("li"), button = document.createElement("button");
      button.type = "button";
      button.setAttribute("aria-pressed", String(!state.off.has(name)));
      button.append(swatch(trace), ` ${spelled(shorter(trace.name, width / LETTER - 6))}`);
      button.addEventListener("click", () => {
        const on = state.off.delete(name);
        if (!on) state.off.add(name);
        button.setAttribute("aria-pressed", String(on));
        Plotly.restyle(element, { visible: on ? true : "legendonly" }, positions);
      });
      item.append(button);
      list.append(item);
    }
    state.legend = list;
    if (width < NARROW && entries.size > 8) {
      // On a narrow screen so many would push the chart out of sight.
      const box = document.createElement("details"), summary = document.createElement("summary");
      box.className = "key";
      summary.textContent = `${words.legend} (${entries.size})`;
      box.append(summary, list);
      state.legend = box;
    }
    element.before(state.legend);
  };
  // Buttons are named one by one: left to itself, Plotly adds one that uploads the chart.
  const options = { displaylogo: false, plotlyServerURL: "", displayModeBar: "hover",
    modeBarButtons: [["toImage", "zoom2d", "pan2d", "resetScale2d"]] };
  // Draws at once; what is packed must have been unpacked.
  const paint = (element, paper = 0) => {
    const { figure } = values.charts[element.dataset.chart];
    const first = !shown.has(element);
    if (first) {
      shown.set(element, { off: new Set() });
      element.textContent = "";
    }
    if (first || shown.get(element).width !== element.clientWidth) legend(element, figure);
    shown.get(element).width = element.clientWidth;
    const width = paper || element.clientWidth;
    const { data, layout } = fitted(element, figure, width, paper > 0);
    element.style.minHeight = `${layout.height}px`;
    element.classList.toggle("wide", layout.width > width);
    if (layout.width > width) element.tabIndex = 0; else element.removeAttribute("tabindex");
    const done = first ? Plotly.newPlot(element, data, layout, options)
      : Plotly.react(element, data, layout, options);
    if (first && layout.meta?.square) nameOnZoom(element, figure);
    return done;
  };
  // A matrix too large for names along its sides has them where few enough classes are in sight.
  const NAMED = 30;
  const nameOnZoom = (element, figure) => {
    if (figure.layout.xaxis.showticklabels !== false) return;
    element.on("plotly_relayout", (change) => {
      if (Object.keys(change).every((key) => /showticklabels|tick/.test(key))) return;
      const [low, high] = element.layout.xaxis.range, named = Math.abs(high - low) <= NAMED;
      if (element.layout.xaxis.showticklabels === named) return;
      const names = namesOf(element.data, "x", "x"), short = names.map((name) => shorter(name, 14));
      Plotly.relayout(element, { "xaxis.showticklabels": named, "yaxis.showticklabels": named,
        "xaxis.tickmode": "array", "xaxis.tickvals": names, "xaxis.ticktext": short,
        "yaxis.tickmode": "array", "yaxis.tickvals": names, "yaxis.ticktext": short,
        "xaxis.tickangle": -90 });
    });
  };
  const draw = async (element) => {
    if (!able || shown.has(element)) return;
    await Promise.all([pack(), plotly()]);
    // Meanwhile it may have been drawn, or its view have been left for another.
    if (shown.has(element) || element.clientWidth === 0) return;
    await paint(element);
    element.dataset.drawn = "";
  };
  const redraw = () => {
    for (const element of shown.keys()) if (element.clientWidth > 0) paint(element);
  };
  const charts = [...document.querySelectorAll(".chart")];
  for (const element of charts) element.textContent = able ? words.chart_wait : words.chart_old;
  if ("IntersectionObserver" in window) {
    const watch = new IntersectionObserver((entries) => {
      for (const entry of entries) if (entry.isIntersecting) draw(entry.target);
    }, { rootMargin: "500px" });
    charts.forEach((element) => watch.observe(element));
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  let turning = 0;
  addEventListener("resize", () => {
    cancelAnimationFrame(turning);
    turning = requestAnimationFrame(() => {
      for (const [element, state] of shown)
        if (element.clientWidth > 0 && element.clientWidth !== state.width) paint(element);
    });
  });
  // The rest one by one when there is nothing else to do. Till then the page is not loaded: an
  // image that is being read holds the load event back, so that what prints a page once it is
  // loaded prints every chart.
  const PIXEL = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAACAkQBADs=";
  let left = true;
  const hold = () => {
    const image = new Image();
    image.onload = image.onerror = () => { if (left) hold(); };
    image.src = PIXEL;
  };
  const drawRest = async () => {
    const idle = window.requestIdleCallback ?? ((then) => setTimeout(then, 1));
    for (const element of charts) {
      await new Promise((then) => { idle(then, { timeout: 50 }); });
      if (!element.closest("[hidden]")) await draw(element).catch(() => {});
    }
    left = false;
  };
  if (able && charts.length > 0) { hold(); drawRest(); }

  // The data behind a chart, as a table in the page and as a file.
  const cellOf = (value, kind) => {
    const cell = document.createElement(kind);
    if (typeof value === "number") {
      cell.className = "number";
      cell.textContent = String(value);
    } else { cell.className = "text"; cell.textContent = value ?? words.missing; }
    return cell;
  };
  for (const button of document.querySelectorAll("button[data-table]"))
    button.addEventListener("click", async () => {
      const figure = button.closest("figure");
      let box = figure.querySelector(".scroll.data");
      if (box === null) {
        const { columns, rows } = (await pack()).charts[button.dataset.table];
        const table = document.createElement("table"), shown = rows.slice(0, 1000);
        const top = document.createElement("tr");
        for (const name of columns) {
          const cell = document.createElement("th");
          cell.scope = "col";
          cell.textContent = name;
          top.append(cell);
        }
        table.createTHead().append(top);
        const body = table.createTBody();
        for (const row of shown) {
          const line = document.createElement("tr");
          line.append(...row.map((value) => cellOf(value, "td")));
          body.append(line);
        }
        table.className = "cards";
        card(table);
        box = document.createElement("div");
        box.className = "scroll tall data";
        box.tabIndex = 0;
        box.hidden = true;
        box.append(table);
        if (shown.length < rows.length) {
          const rest = document.createElement("p");
          rest.className = "muted";
          rest.textContent = words.shown_of.replace("{shown}", shown.length.toLocaleString(words.language))
            .replace("{total}", rows.length.toLocaleString(words.language));
          box.append(rest);
        }
        figure.append(box);
      }
      box.hidden = !box.hidden;
      button.setAttribute("aria-expanded", String(!box.hidden));
      button.textContent = box.hidden ? words.data_show : words.data_hide;
    });
  const quoted = (value) => {
    let text = value === null ? "" : String(value);
    // A spreadsheet would run a text that begins like a formula.
    if (typeof value === "string" && /^[=+\-@\t\r]/.test(text)) text = `'${text}`;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  for (const button of document.querySelectorAll("button[data-csv]"))
    button.addEventListener("click", async () => {
      const { columns, rows } = (await pack()).charts[button.dataset.csv];
      const text = [columns, ...rows].map((row) => row.map(quoted).join(",")).join("\n") + "\n";
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
      link.download = `${document.body.dataset.name ?? "chart"}-${button.dataset.csv}.csv`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    });

