  // The way around: which section is in view, and on a narrow screen a list that opens.
  const ways = document.querySelector(".ways");
  if (ways) {
    const button = ways.querySelector("button"), links = [...ways.querySelectorAll("a")];
    const open = (on) => button.setAttribute("aria-expanded", String(on));
    button.hidden = false;
    button.addEventListener("click", () => open(button.getAttribute("aria-expanded") !== "true"));
    ways.addEventListener("click", (event) => { if (event.target.closest("a")) open(false); });
    ways.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      open(false);
      if (button.offsetParent !== null) button.focus();
    });
    document.addEventListener("click", (event) => { if (!ways.contains(event.target)) open(false); });
    const here = (id) => {
      for (const link of links) {
        const own = link.hash === `#${id}`;
        if (!own) { link.removeAttribute("aria-current"); continue; }
        link.setAttribute("aria-current", "true");
        button.querySelector("span").textContent = link.textContent;
        const list = link.parentElement;
        if (list.scrollWidth > list.clientWidth)
          list.scrollLeft = link.offsetLeft - (list.clientWidth - link.offsetWidth) / 2;
      }
    };
    const sections = links.map((link) => byId(link.hash.slice(1))).filter(Boolean);
    // The section that the upper part of the window shows.
    const look = () => {
      const line = innerHeight * 0.3;
      const last = sections.findLast((one) => one.getBoundingClientRect().top <= line);
      here((last ?? sections[0])?.id);
    };
    let waiting = 0;
    addEventListener("scroll", () => {
      cancelAnimationFrame(waiting);
      waiting = requestAnimationFrame(look);
    }, { passive: true });
    look();
  }

  // Columns: as many as fit, by how much they matter; the reader may choose others.
  const pickers = [];
  for (const box of document.querySelectorAll(".columns[data-table-id]")) {
    const table = byId(box.dataset.tableId), frame = table.closest(".scroll");
    const heads = [...table.tHead.rows[0].cells];
    const chosen = new Map(), fields = new Map();
    const set = (head, on) => {
      for (const row of table.rows) row.cells[head.cellIndex].hidden = !on;
      fields.get(head).checked = on;
    };
    // From what matters most to what matters least; 9 is shown to those who ask.
    const optional = heads.filter((head) => head.dataset.tier)
      .sort((a, b) => a.dataset.tier - b.dataset.tier);
    const count = box.querySelector("summary span"), list = box.querySelector("fieldset");
    const tell = () => {
      const on = heads.filter((head) => !head.hidden).length;
      count.textContent = words.shown_of.replace("{shown}", on).replace("{total}", heads.length);
    };
    for (const head of heads) {
      if (!head.dataset.tier) continue;
      const label = document.createElement("label"), field = document.createElement("input");
      field.type = "checkbox";
      fields.set(head, field);
      field.addEventListener("change", () => {
        chosen.set(head, field.checked);
        set(head, field.checked);
        tell();
      });
      label.append(field, ` ${head.textContent.trim()}`);
      list.append(label);
    }
    const fit = () => {
      for (const head of optional) set(head, chosen.get(head) ?? head.dataset.tier !== "9");
      for (const head of [...optional].reverse()) {
        if (frame.scrollWidth <= frame.clientWidth) break;
        if (!chosen.has(head)) set(head, false);
      }
      tell();
    };
    box.hidden = false;
    box.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !box.open) return;
      box.open = false;
      box.querySelector("summary").focus();
    });
    document.addEventListener("click", (event) => { if (!box.contains(event.target)) box.open = false; });
    addEventListener("resize", fit);
    fit();
    pickers.push({ fit, all: () => optional.forEach((head) => set(head, true)) });
  }
