  // On paper: everything open, nothing wider than a sheet, in the light colours.
  const PAPER = 680;
  let undo = [];
  // Columns that a sheet has no room for stand beneath their row, each with its name. All is read
  // before anything is written: a text read behind a change has the whole page laid out anew.
  const folds = (table) => {
    const heads = [...table.tHead.rows[0].cells];
    const folded = heads.filter((head) => head.classList.contains("fold"));
    if (folded.length === 0) return null;
    const told = (cell) => cell.innerText.replaceAll(/\s+/g, " ").trim();
    const rows = [...table.tBodies[0].rows].filter((row) => !row.hidden).map((row) => {
      const cells = folded.map((head) => row.cells[head.cellIndex]);
      return { row, cells, texts: cells.map(told) };
    });
    return { table, names: folded.map((head) => head.textContent.trim()), rows,
      width: heads.length - folded.length };
  };
  const fold = ({ table, names, rows, width }) => {
    table.classList.add("folding");
    for (const { row, cells, texts } of rows) {
      const rest = document.createElement("tr"), cell = rest.insertCell();
      rest.className = "folded";
      cell.colSpan = width;
      cells.forEach((own, place) => {
        own.classList.add("fold");
        if (texts[place] === "" || texts[place] === words.missing) return;
        const part = document.createElement("span"), name = document.createElement("b");
        name.textContent = names[place];
        part.append(name, ` ${texts[place]}`);
        cell.append(part, " ");
      });
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
    const tables = [...document.querySelectorAll("table")].filter((table) => table.tHead);
    tables.map(folds).filter(Boolean).forEach(fold);
    if (values !== null && window.Plotly)
      for (const element of charts) if (!element.closest("[hidden]")) paint(element, PAPER);
  });
  addEventListener("afterprint", () => {
    for (const back of undo.splice(0).reverse()) back();
  });
