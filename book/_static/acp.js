/* What the book's live figures share.

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
  return {make, live, field, percent};
})();
