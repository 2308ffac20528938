  // On paper: everything open, nothing wider than a sheet, in the light colours.
  const PAPER = 680;
  let undo = [];
  // Columns that a sheet has no room for stand beneath their row, each with its name.
  const fold = (table) => {
    const heads = [...table.tHead.rows[0].cells];
    const folded = heads.filter((head) => head.classList.contains("fold"));
    if (folded.length === 0) return;
    table.classList.add("folding");
    for (const row of [...table.tBodies[0].rows]) {
      if (row.hidden) continue;
      const rest = document.createElement("tr"), cell = rest.insertCell();
      rest.className = "folded";
      cell.colSpan = heads.length - folded.length;
      for (const head of folded) {
        const own = row.cells[head.cellIndex];
        own.classList.add("fold");
        const text = own.innerText.replaceAll(/\s+/g, " ").trim();
        if (text === "" || text === words.missing) continue;
        const part = document.createElement("span"), name = document.createElement("b");
        name.textContent = head.textContent.trim();
        part.append(name, ` ${text}`);
        cell.append(part, " ");
      }
      if (cell.childNodes.length > 0) row.after(rest);
      undo.push(() => rest.remove());
    }
    undo.push(() => table.classList.remove("folding"));
  };
  addEventListener("beforeprint", () => {
    if (undo.length > 0) return;
    undo.push(() => { dress(); redraw(); });
    root.dataset.theme = "light";
    for (const one of document.querySelectorAll("details:not([open], .columns)")) {
      one.open = true;
      undo.push(() => { one.open = false; });
    }
    if (values !== null && listTrials) listTrials();
    for (const picker of pickers) { picker.all(); undo.push(picker.fit); }
    for (const table of document.querySelectorAll("table")) if (table.tHead) fold(table);
    if (values !== null && window.Plotly)
      for (const element of charts) if (!element.closest("[hidden]")) paint(element, PAPER);
  });
  addEventListener("afterprint", () => {
    for (const back of undo.splice(0).reverse()) back();
  });
