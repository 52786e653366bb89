/* The explorer of "Retrieval": pick a sample, see all of the other modality ranked for it (acp_lib/figures/ranking.py).

Data: pictures, a list of {name, label: class number, image: data URI}; songs, of {name, label, row: of the player on
this page that has it as data-song, if there is one}; classes, their names; methods, of {name, scores: base64 of a
little-endian uint16 for each picture with each song, song by song; 65535 stands for 1}. */
"use strict";
(() => {
  /* Numbers from 0 to 1. */
  function decoded(text) {
    const bytes = Uint8Array.from(atob(text), c => c.charCodeAt(0)), view = new DataView(bytes.buffer);
    return Float64Array.from({length: bytes.length / 2}, (_, k) => view.getUint16(2 * k, true) / 65535);
  }
  /* Numbers of the items from the highest score to the lowest; equals in the order in which they come. */
  const ranked = scores => scores.map((_, k) => k).sort((a, b) => scores[b] - scores[a] || a - b);
  Object.assign(acp, {decoded, ranked});

  const FIRST = 10;
  acp.live("ranking", (box, {pictures, songs, classes, methods}) => {
    const {make, field} = acp;
    const scores = methods.map(m => decoded(m.scores)), sides = {picture: pictures, song: songs};
    const score = (k, i, j) => scores[k][i * songs.length + j];
    let whole = false;

    const kinds = [["song", "pictures for a piece of music"], ["picture", "music for a picture"]];
    const radios = kinds.map(([kind, label]) =>
      field(label, "input", {type: "radio", name: "acp-asked", value: kind, checked: kind === "song"}));
    const [queryRow, query] = field("Asked for", "select"), [methodRow, method] = field("Ranked by", "select", {},
      ...methods.map((m, k) => make("option", {value: k}, m.name)));
    const card = make("div", {class: "acp-query"}), told = make("p", {role: "status"});
    const body = make("div", {class: "acp-scroll", tabindex: 0, role: "region", "aria-label": "The ranking"});
    const more = make("button", {type: "button", class: "acp-button", onclick: () => { whole = !whole; show(); }});
    const form = make("form", {class: "acp-form"},
      make("fieldset", {class: "acp-choice"}, make("legend", {}, "Find"), ...radios.map(([row]) => row)),
      make("div", {class: "acp-columns"}, queryRow, methodRow));
    box.replaceChildren(form, card, told, body, more);

    const kind = () => radios.find(([, r]) => r.checked)[1].value, other = () => kind() === "song" ? "picture" : "song";
    function fill() {
      query.replaceChildren(...sides[kind()].map((item, k) => make("option", {value: k}, `${k + 1}: ${item.name}`)));
    }
    function ask(of, k) {
      for (const [, radio] of radios) radio.checked = radio.value === of;
      fill();
      query.value = k;
      show();
      query.focus();
    }
    const thumb = item => item.image ? make("img", {src: item.image, alt: "", width: 64, height: 64, loading: "lazy"}) : null;
    function shown(item) {  // the query: a picture, or the player that this page has of a song
      const held = item.row === undefined ? null : document.querySelector(`audio[data-song="${Number(item.row)}"]`);
      const heard = held && make("audio", {controls: true, preload: "none", src: held.src, "aria-label": item.name});
      return [thumb(item), make("p", {}, make("b", {}, item.name), `, ${classes[item.label]}`), heard];
    }
    function show() {
      const q = Number(query.value), m = Number(method.value), asked = sides[kind()][q], items = sides[other()];
      const of = k => items.map((_, i) => kind() === "song" ? score(k, i, q) : score(k, q, i));
      const columns = [m, ...methods.map((_, k) => k).filter(k => k !== m)].map(k => [methods[k].name, of(k)]);
      const order = ranked(columns[0][1]), same = items.filter(item => item.label === asked.label).length;
      const hits = order.slice(0, FIRST).filter(k => items[k].label === asked.label).length, n = Math.min(FIRST, items.length);
      card.replaceChildren(...shown(asked).filter(part => part));
      told.textContent = `Of the same class among the first ${n}: ${hits}; by chance ` +
        `${(n * same / items.length).toFixed(1)}.`;
      const rows = (whole ? order : order.slice(0, FIRST)).map((k, at) => make("tr", {},
        make("th", {scope: "row"}, String(at + 1)),
        make("td", {}, make("button", {type: "button", class: "acp-item", onclick: () => ask(other(), k)}, thumb(items[k]),
                            items[k].name)),
        make("td", {class: items[k].label === asked.label ? "acp-right" : ""},
             `${items[k].label === asked.label ? "✓ " : ""}${classes[items[k].label]}`),
        ...columns.map(([, values]) => make("td", {class: "acp-number"}, values[k].toFixed(3)))));
      const head = ["No.", other() === "song" ? "Music" : "Picture", "Class", ...columns.map(([name]) => name)];
      body.replaceChildren(make("table", {}, make("caption", {}, "Scores from 0 to 1; click a name to see its ranking"),
        make("thead", {}, make("tr", {}, ...head.map(name => make("th", {scope: "col"}, name)))), make("tbody", {}, ...rows)));
      more.textContent = whole ? `Show the first ${FIRST}` : `Show all ${items.length}`;
      more.hidden = items.length <= FIRST;
    }
    form.addEventListener("input", event => {
      if (event.target.type === "radio") fill();
      show();
    });
    form.addEventListener("submit", event => event.preventDefault());
    fill();
    show();
  });
})();
