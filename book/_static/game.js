/* The game of "What it gets right and wrong": ten pairs to judge (acp_lib/figures/game.py).

Data: rounds, a list of lists of pairs {picture, sound: numbers in the lists below; truth: whether it is true; network,
best: the probability that each gives to that, best null where nobody knows; names: what picture and music are called;
classes: of both}; pictures, sounds: data URIs; network: whose answers these are; intervals: for each number of right
answers of a round the ends of its 95 % interval, in per cent. */
"use strict";
acp.live("game", (box, {rounds, pictures, sounds, network, intervals}) => {
  const {make, percent} = acp, yes = says => says ? "together" : "apart";
  let number = 0, votes = [];
  const round = () => rounds[number];

  const place = make("h3", {tabindex: -1, class: "acp-heading"}), told = make("p", {role: "status", class: "acp-aside"});
  const picture = make("img", {width: 240, height: 240}), sound = make("audio", {controls: true, preload: "metadata"});
  const button = (label, vote) => make("button", {type: "button", class: "acp-button", onclick: () => judge(vote)}, label);
  const question = make("div", {role: "group", "aria-label": "The pair and your vote", class: "acp-question"}, picture,
    make("div", {}, sound, make("p", {}, "Do the picture and the music belong together?"),
      make("div", {class: "acp-buttons"}, button("They belong together", true), button("They do not", false))));
  const result = make("div");
  box.replaceChildren(place, told, question, result);

  function ask() {
    const k = votes.length, pair = round()[k], which = `${k + 1} of ${round().length}`;
    place.textContent = `Pair ${which}`;
    told.textContent = k ? `Noted. Now pair ${which}.` : "";
    picture.src = pictures[pair.picture];
    picture.alt = `Picture of pair ${which}`;
    sound.pause();
    sound.src = sounds[pair.sound];
    sound.setAttribute("aria-label", `Music of pair ${which}`);
    question.hidden = false;
    result.replaceChildren();
  }
  function judge(vote) {
    votes.push(vote);
    if (votes.length < round().length) return ask();
    sound.pause();
    question.hidden = true;
    told.textContent = "";
    place.textContent = "Your score";
    result.replaceChildren(...score());
    place.focus();
  }
  function score() {
    const known = round()[0].best !== null, n = round().length;
    const judges = [["You", pair => votes[round().indexOf(pair)]], ["Network", pair => pair.network > 0.5],
                    ...(known ? [["Best possible", pair => pair.best > 0.5]] : [])];
    const right = judges.map(([, says]) => round().filter(pair => says(pair) === pair.truth).length);
    const [low, high] = intervals[right[0]];
    const line = judges.map(([name], k) => `${name}: ${right[k]} of ${n}`).join(". ");
    return [
      make("p", {class: "acp-told"}, `${line}.`),
      make("p", {}, `Ten pairs tell little: whoever gets ${right[0]} of ${n} may be right in ${low.toFixed(0)} to ` +
        `${high.toFixed(0)} % of all such pairs (95 % interval). Network: ${network}.`),
      table(judges),
      make("button", {type: "button", class: "acp-button", onclick: again},
           rounds.length > 1 ? "Ten other pairs" : "The same pairs again"),
    ];
  }
  function table(judges) {
    const head = ["Pair", "Picture", "Truth", ...judges.map(([name]) => name), "Music"];
    const rows = round().map((pair, k) => make("tr", {}, make("th", {scope: "row"}, String(k + 1)),
      make("td", {}, make("img", {src: pictures[pair.picture], alt: "", width: 48, height: 48}), make("br"), pair.names[0]),
      make("td", {}, yes(pair.truth)),
      ...judges.map(([name, says]) => {
        const sure = {"Network": pair.network, "Best possible": pair.best}[name], right = says(pair) === pair.truth;
        return make("td", {class: right ? "acp-right" : "acp-wrong"}, `${right ? "✓" : "✗"} ${yes(says(pair))}`,
                    ...(sure === undefined ? [] : [make("br"), make("small", {}, percent(sure))]));
      }), make("td", {}, `${pair.names[1]} (${pair.classes[1]})`)));
    return make("div", {class: "acp-scroll", tabindex: 0, role: "region", "aria-label": "Answers, pair by pair"},
      make("table", {}, make("caption", {}, "Answers, pair by pair; in per cent the probability that the pair is true"),
        make("thead", {}, make("tr", {}, ...head.map(name => make("th", {scope: "col"}, name)))),
        make("tbody", {}, ...rows)));
  }
  function again() {
    number = (number + 1) % rounds.length;
    votes = [];
    ask();
    place.focus();
  }
  ask();
});
