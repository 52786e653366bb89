/* The calculator of "How many songs it takes" (acp_lib/figures/calculator.py, which writes its form).

Data: presets, a list of {component: points² or null}; names, {field: what a reader gives}; quantile and ratio, of the
normal distribution, as acp_lib/findings/power.py has them. The functions are those of that file; a test holds the two
against one another. */
"use strict";
(() => {
  function variance(c, d) {
    const part = (common, own, n) => (common + own / d.runs) * (1 / d.pairs + (1 - 1 / d.pairs) / n);
    return c.run / d.runs + part(c.picture, c.own_picture, d.pictures) + part(c.song, c.own_song, d.songs)
      + part(c.pair, c.own_pair, d.pictures * d.songs);
  }
  function below(z) {  // the normal distribution: Abramowitz and Stegun (1964), 26.2.17
    const t = 1 / (1 + 0.2316419 * Math.abs(z));
    const tail = Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI) * t * (0.319381530 + t * (-0.356563782
      + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
    return z > 0 ? 1 - tail : tail;
  }
  const reach = (c, d, quantile) => quantile * Math.sqrt(variance(c, d));
  function power(effect, c, d, quantile) {
    const errors = Math.abs(effect) / Math.sqrt(variance(c, d));
    return below(errors - quantile) + below(-errors - quantile);
  }
  function needed(effect, c, d, what, ratio) {
    const most = (effect / ratio) ** 2, rest = variance(c, {...d, [what]: Infinity});
    const each = variance(c, {...d, [what]: 1}) - rest;
    return rest < most ? Math.max(1, Math.ceil(each / (most - rest) * (1 - 1e-12))) : Infinity;
  }
  Object.assign(acp, {power, reach, needed});

  acp.live("power", (box, {presets, names, quantile, ratio}) => {
    const form = box.querySelector("form"), field = name => form.elements[name];
    const whole = n => n.toLocaleString("en-US"), points = n => n.toFixed(n < 1 ? 2 : 1);
    let c = {};
    function choose() {
      c = {};
      for (const [name, v] of Object.entries(presets[field("of").selectedIndex])) {
        c[name] = v === null ? NaN : v;
        field(name).value = v === null ? "" : Number(Math.sqrt(v).toPrecision(3));
      }
    }
    function said() {
      const d = {};
      for (const e of form.querySelectorAll("input")) {
        const least = names[e.name] && e.name !== "effect" ? 1 : 0, n = e.value === "" ? NaN : Number(e.value);
        const bad = !(n >= least) || n === Infinity || (e.name === "effect" && n === 0);
        e.setAttribute("aria-invalid", bad);
        if (bad) {
          e.closest("details")?.setAttribute("open", "");
          return `${e.labels[0].textContent}: give a number ${least ? "of 1 or more" :
            e.name === "effect" ? "above 0" : "of 0 or more"}.`;
        }
        d[e.name] = n;
      }
      const more = needed(d.effect, c, d, "songs", ratio);
      return `Power ${(100 * power(d.effect, c, d, quantile)).toFixed(0)} %. 95 % interval: ` +
        `±${points(reach(c, d, quantile))} points. ` +
        `Songs for 80 % power: ${more === Infinity ? "no number is enough" : whole(more)}.`;
    }
    function show() { form.elements.told.value = said(); }
    form.addEventListener("submit", event => event.preventDefault());
    form.addEventListener("input", event => {
      const name = event.target.name;
      if (name === "of") choose();
      else if (name in c) c[name] = event.target.value === "" ? NaN : Number(event.target.value) ** 2;
      show();
    });
    choose();
    show();
  });
})();
