/* The explorer of "Shortcuts": what guessers get for class proportions that a reader sets (acp_lib/figures/explorer.py).

Data: classes, their names; presets, a list of [name, counts of pictures, counts of music]; reported, an accuracy in per
cent. `oracles` is `guessers` of acp_lib/audits/shortcuts.py; a test holds the two against one another. */
"use strict";
(() => {
  const KNOWS = ["nothing", "the picture", "the music"], LOW = 45, HIGH = 100;

  function oracles(p, q) {
    const sum = x => x.reduce((a, b) => a + b, 0);
    const share = x => x.map(v => v / sum(x));
    p = share(p); q = share(q);
    const all = p.map((_, k) => k);
    const same = sum(all.map(k => p[k] * q[k]));
    const drawn = (x, y) => all.map(k => x[k] / 2 * sum(all.filter(j => j != k).map(j => y[j] / (1 - x[j]))));
    const even = all.map(_ => 1 / (2 * p.length));
    const half = x => x.map(v => v / 2);
    // for each protocol: true pairs of each class; false pairs by the picture's class; false pairs by the music's
    const tables = {
      class_balanced: [even, even, even],
      uniform: [all.map(k => p[k] * q[k]), all.map(k => p[k] * (1 - q[k])), all.map(k => q[k] * (1 - p[k]))],
      rejection: [all.map(k => p[k] * q[k] / (2 * same)), all.map(k => p[k] * (1 - q[k]) / (2 * (1 - same))),
                  all.map(k => q[k] * (1 - p[k]) / (2 * (1 - same)))],
      image_anchored: [half(p), half(p), drawn(q, p)],
      music_anchored: [half(q), drawn(p, q), half(q)],
    };
    const best = (one, other) => 100 * sum(all.map(k => Math.max(one[k], other[k])));
    return Object.fromEntries(Object.entries(tables).map(([name, [same, image, music]]) => [name, {
      "nothing": 100 * Math.max(sum(same), sum(image)), "the picture": best(same, image), "the music": best(same, music),
    }]));
  }
  acp.oracles = oracles;

  acp.live("guessers", (box, {classes, presets, reported}) => {
    const {make, field} = acp, sides = {Pictures: 1, Music: 2};
    const place = v => `${100 * (v - LOW) / (HIGH - LOW)}%`;

    // two numbers stand for three shares: the first class's, and the second's of the others
    const asked = Object.fromEntries(Object.keys(sides).map(name => {
      const [rows, inputs] = [classes[0], `${classes[1]}, of the rest`].map(label =>
        field(label, "input", {type: "range", min: 1, max: 99, step: 0.1})).reduce(
        ([all, some], [row, input]) => [[...all, row], [...some, input]], [[], []]);
      const told = make("output", {for: inputs.map(i => i.id).join(" ")});
      return [name, {inputs, told, box: make("fieldset", {}, make("legend", {}, name), ...rows, told)}];
    }));
    const radios = presets.map(([name], k) => field(name, "input", {type: "radio", name: "acp-preset", value: k}));
    const lines = Object.keys(oracles([1, 1, 1], [1, 1, 1])).map(name => [name, KNOWS.map(who => {
      const lane = make("dd", {"data-knows": who}, make("span", {class: "acp-aside"}, `knows ${who}: `), make("b"));
      return [who, lane];
    })]);

    const exact = {};  // counts of the preset that is chosen, until a slider is moved, which has no more than its steps
    function shares(name) {
      const counts = exact[name], all = counts?.reduce((a, b) => a + b, 0);
      if (counts) return counts.map(n => n / all);
      const [positive, neutral] = asked[name].inputs.map(i => Number(i.value) / 100);
      return [positive, (1 - positive) * neutral, (1 - positive) * (1 - neutral)];
    }
    function show() {
      for (const name of Object.keys(sides)) {
        const parts = shares(name).map((v, k) => `${classes[k]} ${(100 * v).toFixed(1)}`);
        asked[name].told.value = `${parts.join(", ")}\u00a0%`;
        for (const input of asked[name].inputs) input.setAttribute("aria-valuetext", `${input.value} %`);
      }
      const found = oracles(shares("Pictures"), shares("Music"));
      for (const [name, lanes] of lines) {
        for (const [who, lane] of lanes) {
          const value = found[name][who];
          lane.style.setProperty("--at", place(value));
          lane.classList.toggle("acp-far", value > 85);
          lane.querySelector("b").textContent = value.toFixed(1);
        }
      }
    }
    function choose(k) {
      for (const name of Object.keys(sides)) {
        exact[name] = presets[k][sides[name]];
        const [first, second, third] = shares(name), [one, other] = asked[name].inputs;
        one.value = 100 * first;
        other.value = 100 * second / (second + third);
      }
      show();
    }
    const form = make("form", {class: "acp-form"},
      make("fieldset", {class: "acp-choice"}, make("legend", {}, "Start from"), ...radios.map(([row]) => row)),
      make("div", {class: "acp-columns"}, ...Object.values(asked).map(a => a.box)));
    form.addEventListener("input", event => {
      if (event.target.type === "radio") return choose(Number(event.target.value));
      delete exact[Object.keys(sides).find(name => asked[name].inputs.includes(event.target))];
      for (const [, radio] of radios) radio.checked = false;
      show();
    });
    form.addEventListener("submit", event => event.preventDefault());
    const ticks = [50, 60, 70, 80, 90, 100].map(v => make("span", {style: `--at: ${place(v)}`}, String(v)));
    const chart = make("div", {class: "acp-dots", style: `--reported: ${place(reported)}`},
      make("dl", {}, ...lines.map(([name, lanes]) =>  // a list with a class would get the theme's margins
        make("div", {}, make("dt", {}, name.replaceAll("_", " ")), ...lanes.map(([, lane]) => lane)))),
      make("div", {class: "acp-ticks", "aria-hidden": "true"}, ...ticks), make("p", {class: "acp-axis"}, "accuracy, %"));
    box.replaceChildren(form,
      make("p", {class: "acp-key"}, ...KNOWS.map(who => make("span", {"data-knows": who}, `knows ${who}`)),
        make("span", {"data-knows": "paper"}, `ACP-Net in the paper, ${reported} %`)),
      chart);
    radios[0][1].checked = true;
    choose(0);
  });
})();
