// Sorting, filtering, the theme, the pickers, the list of all trials. Everything the page's script
// shows is set as text, never as HTML; what it needs stands packed in the page. This file and those
// beside it are one script: each goes on where the one before it ends.
  const root = document.documentElement;
  root.classList.add("script");
  const byId = (id) => document.getElementById(id);
  const words = JSON.parse(byId("words").textContent);

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

  // On a phone a row of such a table is a card, each figure beside the name of its column.
  const card = (table) => {
    const heads = [...table.tHead.rows[0].cells]
      .map((head) => (head.querySelector("button") ?? head).textContent.trim());
    for (const row of table.tBodies[0].rows)
      [...row.cells].forEach((cell, i) => { if (cell.tagName === "TD") cell.dataset.head = heads[i]; });
  };
  for (const table of document.querySelectorAll("table.cards")) card(table);

  // The theme: the system's, unless the reader chose.
  const themes = ["auto", "light", "dark"];
  const theme = byId("theme");
  const kept = (() => { try { return localStorage.getItem("suite-theme"); } catch { return null; } })();
  let now = themes.includes(kept) ? kept : "auto";
  const dress = () => {
    if (now === "auto") delete root.dataset.theme; else root.dataset.theme = now;
    if (theme) { theme.hidden = false; theme.textContent = words[`theme_${now}`]; }
  };
  dress();
  if (theme) theme.addEventListener("click", () => {
    now = themes[(themes.indexOf(now) + 1) % themes.length];
    try { localStorage.setItem("suite-theme", now); } catch { /* not kept, then */ }
    dress();
    redraw();
  });

  // What is packed: the charts' values, and Plotly. Unpacked once, when first wanted.
  const once = (make) => { let made; return () => (made ??= make()); };
  const unpack = async (id) => {
    const bytes = Uint8Array.from(atob(byId(id).textContent.trim()), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).text();
  };
  const able = "DecompressionStream" in window && byId("pack") !== null;
  let values = null;
  const pack = once(async () => { values = JSON.parse(await unpack("pack")); return values; });
  const plotly = once(async () => {
    // An inline script of the text whose hash the policy names; nothing else could run.
    const script = document.createElement("script");
    script.textContent = await unpack("plotly");
    document.head.append(script);
  });

  // One view of a group at a time: an arm's confusions, an arm's hyperparameters.
  for (const pick of document.querySelectorAll("select[data-views]")) {
    const show = () => {
      for (const view of document.querySelectorAll(`.view[data-group="${pick.dataset.views}"]`))
        view.hidden = view.id !== pick.value;
    };
    pick.addEventListener("change", show);
    show();
  }

  // Rows of a table by text and by a choice; a word about how many are left.
  for (const box of document.querySelectorAll(".filter[data-table-id]")) {
    box.hidden = false;
    const rows = [...byId(box.dataset.tableId).tBodies[0].rows];
    const text = box.querySelector("input"), choice = box.querySelector("select");
    const left = box.querySelector("[aria-live]");
    const sift = () => {
      const sought = text.value.trim().toLowerCase();
      let shown = 0;
      for (const row of rows) {
        const fits = (sought === "" || (row.dataset.find ?? row.textContent).toLowerCase().includes(sought))
          && (!choice || choice.value === "" || row.dataset.kind === choice.value);
        row.hidden = !fits;
        shown += fits;
      }
      left.textContent = words.shown_of.replace("{shown}", shown.toLocaleString(words.language))
        .replace("{total}", rows.length.toLocaleString(words.language));
    };
    text.addEventListener("input", sift);
    if (choice) choice.addEventListener("change", sift);
  }

  // What a term means, beside it while it is pointed at or has the focus; Escape takes it away. The
  // glossary, to which each leads, has the same without a script.
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  tip.setAttribute("aria-hidden", "true");
  document.body.append(tip);
  const explain = (event) => {
    const term = event.target.closest("[data-tip]");
    tip.hidden = term === null || (event.type === "focusin" && !term.matches(":focus-visible"));
    if (tip.hidden) return;
    tip.textContent = term.dataset.tip;
    const at = term.getBoundingClientRect(), own = tip.getBoundingClientRect();
    const below = at.bottom + 6 + own.height <= innerHeight;
    tip.style.left = `${Math.max(12, Math.min(at.left, innerWidth - own.width - 12))}px`;
    tip.style.top = `${below ? at.bottom + 6 : at.top - own.height - 6}px`;
  };
  const unexplain = () => { tip.hidden = true; };
  for (const name of ["mouseover", "focusin"]) document.addEventListener(name, explain);
  for (const name of ["mouseout", "focusout"]) document.addEventListener(name, unexplain);
  addEventListener("scroll", unexplain, { capture: true, passive: true });
  addEventListener("keydown", (event) => { if (event.key === "Escape") unexplain(); });

  // Commands.
  for (const copy of navigator.clipboard ? document.querySelectorAll("[data-copy]") : []) {
    copy.hidden = false;
    copy.addEventListener("click", async () => {
      await navigator.clipboard.writeText(copy.parentElement.querySelector("pre").textContent);
      copy.textContent = words.copied;
      setTimeout(() => { copy.textContent = words.copy; }, 1500);
    });
  }

  // Single errors, by who made them and by which class was taken for which.
  for (const box of document.querySelectorAll("[data-errors]")) {
    const rows = [...byId(box.dataset.errors).tBodies[0].rows];
    const by = Object.fromEntries([...box.querySelectorAll("select")].map((s) => [s.dataset.by, s]));
    const left = box.querySelector("[aria-live]");
    const sift = () => {
      const arm = by.arm.value, pair = by.pair.value;
      let shown = 0;
      for (const row of rows) {
        const wrong = row.dataset.wrong.split(" ").map((one) => one.split(":"));
        const fits = (arm !== "all" || "all" in row.dataset) && wrong.some(([who, what]) =>
          (arm === "" || arm === "all" || who === arm) && (pair === "" || what === pair));
        row.hidden = !fits;
        shown += fits;
      }
      left.textContent = words.shown_of.replace("{shown}", shown.toLocaleString(words.language))
        .replace("{total}", rows.length.toLocaleString(words.language));
    };
    for (const select of Object.values(by)) select.addEventListener("change", sift);
    sift();
  }

  // All trials: built when opened, a page at a time, so that ten thousand cost nothing before.
  const details = byId("all-trials");
  const listTrials = details && once(() => {
    const { arms, states, rows } = values.trials;
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
      card(table);
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
    return true;
  });
  if (details) details.addEventListener("toggle", async () => { await pack(); listTrials(); });
