/* What every page of the book does with its figures and tables, and what its live figures share.

A figure opens at full size in a dialog. A table that is wider than a phone becomes cards there: each row a card, each
cell under the name of its column.

A live figure is a box that the library writes (acp_lib/figures/live.py),

    <div class="acp-live" data-figure="NAME">what is shown where no script runs
    <script type="application/json">its data</script></div>

and a file NAME.js beside this one, which a page with such a box loads after it, and which calls
acp.live("NAME", (box, data) => ...). These are plain scripts: nothing builds them, and they run from a file as well,
where browsers load no modules. Texts in the data are anyone's; `make` sets them as text, and nothing else writes a page. */
"use strict";
const acp = (() => {
  /* An element with attributes (null and false leave one out), listeners ("onclick") and children: elements or texts. */
  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (typeof value === "function") element.addEventListener(name.slice(2), value);
      else if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.filter(child => child !== null));
    return element;
  }
  /* Draw each box of a figure on this page. */
  function live(name, draw) {
    if (!globalThis.document) return;
    for (const box of document.querySelectorAll(`.acp-live[data-figure="${name}"]`)) {
      draw(box, JSON.parse(box.querySelector('script[type="application/json"]').textContent));
    }
  }
  let made = 0;
  /* A labelled field, the label before it or, as of a button to choose by, after it; returns [both, the field]. */
  function field(label, tag, attributes = {}, ...children) {
    const id = `acp-field-${++made}`, element = make(tag, {id, ...attributes}, ...children);
    const named = make("label", {for: id}, label), after = attributes.type === "radio";
    return [make("div", {}, ...(after ? [element, named] : [named, element])), element];
  }
  const percent = share => `${(100 * share).toFixed(0)} %`;

  /* Show the drawing that a link holds, in the colours of the page, as wide as it was drawn or as the window is. */
  function enlarge(link, event) {
    event.preventDefault();
    const shown = [...link.querySelectorAll("img")].find(image => image.checkVisibility?.() ?? image.offsetParent);
    const caption = link.closest("figure")?.querySelector("figcaption p, figcaption")?.textContent.replace("#", "") ?? "";
    const close = make("button", {type: "button", class: "acp-button", onclick: () => dialog.close()}, "Close");
    const dialog = make("dialog", {class: "acp-dialog", "aria-label": caption.trim() || "Figure",
      onclick: pressed => pressed.target === dialog && dialog.close(), onclose: () => { dialog.remove(); link.focus(); }},
      make("div", {class: "acp-dialog-bar"}, make("p", {}, caption), close),
      make("div", {class: "acp-dialog-view", tabindex: 0, role: "region", "aria-label": "The figure at full size"},
        make("img", {src: shown.getAttribute("src"), alt: shown.alt, class: shown.className})));
    document.body.append(dialog);
    dialog.showModal();
    close.focus();
  }

  /* Name the column of each cell, and say what is what: a table that is drawn as cards is none to a screen reader. */
  function label(table) {
    const names = [...(table.tHead?.rows[table.tHead.rows.length - 1]?.cells ?? [])].map(cell => cell.textContent.trim());
    if (!names.length || table.querySelector("[colspan], [rowspan]")) return;
    const roles = [["thead, tbody", "rowgroup"], ["tr", "row"], ["td", "cell"], ["thead th", "columnheader"],
                   ["tbody th", "rowheader"]];
    table.setAttribute("role", "table");
    for (const [which, role] of roles) for (const part of table.querySelectorAll(which)) part.setAttribute("role", role);
    for (const body of table.tBodies) for (const row of body.rows) [...row.cells].forEach((cell, k) => {
      const text = cell.textContent.trim();
      cell.dataset.label = names[k] ?? "";
      cell.classList.toggle("acp-long", text.length > 24);
      cell.classList.toggle("acp-breaks", text.split(/\s+/).some(word => word.length > 20));
    });
  }
  const MANY = 20, FEW = 10;  // cards
  const phone = globalThis.matchMedia?.("(max-width: 600px)");
  const cut = table => table.getBoundingClientRect().width > table.parentElement.clientWidth + 1;
  /* Whether a long text stands a word or two to a line, in a column that is less than half as wide as the table. */
  const squeezed = table => [...table.querySelectorAll("td.acp-long")].some(cell => {
    const text = document.createRange();
    text.selectNodeContents(cell);
    const lines = text.getBoundingClientRect().height / (1.4 * Number.parseFloat(getComputedStyle(cell).fontSize));
    return cell.clientWidth < table.clientWidth / 2 && lines > 6;
  });
  /* Draw tables that the window would cut off or squeeze as cards on a phone, and elsewhere with smaller letters; if they
     are still too wide, with broken words. */
  function fit(tables) {
    for (const table of tables) {
      table.classList.remove("acp-cards", "acp-tight", "acp-broken");
      if (!(cut(table) || (phone.matches && squeezed(table))) || table.getAttribute("role") !== "table") continue;
      table.classList.add(phone.matches ? "acp-cards" : "acp-tight");
      table.classList.toggle("acp-broken", !phone.matches && cut(table));
      if (phone.matches) shorten(table);
    }
  }
  /* Of a column of very many cards the first ones, and a button for the rest; not where a link may lead to one of them. */
  function shorten(table) {
    const rows = [...table.querySelectorAll("tbody tr")], rest = rows.slice(FEW);
    if (rows.length <= MANY || "few" in table.dataset || table.matches(".acp-live *")) return;
    if (table.querySelector("tbody [id]")) return;
    table.dataset.few = "";
    for (const row of rest) row.classList.add("acp-rest");
    table.after(make("button", {type: "button", class: "acp-button acp-more", onclick: event => {
      for (const row of rest) row.classList.remove("acp-rest");
      event.currentTarget.remove();
      rest[0].tabIndex = -1;
      rest[0].focus({preventScroll: true});  // who reads on with keys goes on there
    }}, `Show all ${rows.length} rows`));
  }
  function begin() {
    for (const link of document.querySelectorAll("a.acp-figure")) {
      link.setAttribute("aria-haspopup", "dialog");
      link.addEventListener("click", event => enlarge(link, event));
    }
    const anew = within => {
      const tables = within.querySelectorAll(":is(.bd-article, .acp-live) table");
      tables.forEach(label);
      fit(tables);
    };
    anew(document);
    for (const box of document.querySelectorAll(".acp-live")) {
      new MutationObserver(() => anew(box)).observe(box, {childList: true, subtree: true});
    }
    let width = 0;
    const again = within => fit(within.querySelectorAll("table[role]"));
    const column = document.querySelector(".bd-article") ?? document.body;
    new ResizeObserver(() => {  // beside it bars come and go
      if (column.clientWidth !== width) again(document);
      width = column.clientWidth;
    }).observe(column);
    addEventListener("load", () => again(document));
    addEventListener("toggle", event => again(event.target), true);  // what was folded
  }
  if (globalThis.document) begin();
  return {make, live, field, percent};
})();
