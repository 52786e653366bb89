"""Live figures: what they are given, that other people's text stays text, and what a reader does in a browser."""

import base64
import json
from types import SimpleNamespace

import numpy as np
import pytest
from bs4 import BeautifulSoup
from chromium import STATIC, WIDTHS, computed, framed, problems
from conftest import picture
from scipy import stats
from test_corpus import small

from acp_lib import paper
from acp_lib.audits.ranked import Ranked
from acp_lib.audits.shortcuts import guessers
from acp_lib.emotions import CLASSES
from acp_lib.experiment.corpus import Pairs
from acp_lib.figures import explorer, game, live, ranking
from acp_lib.results import examples

HOSTILE = ["</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "'\"\\<!--<script>",
           "\x1b[31m\u202egpj", "</option></select><b>x</b>", "&lt;b&gt;"]
PAPER = [[counts[c] for c in CLASSES] for counts in (paper.IMAGES, paper.SONGS)]
TONE = "data:audio/wav;base64," + base64.b64encode(
    b"RIFF" + (36 + 800).to_bytes(4, "little") + b"WAVEfmt \x10\0\0\0\1\0\1\0" + (8000).to_bytes(4, "little") * 2
    + b"\1\0\x08\0data" + (800).to_bytes(4, "little") + bytes([128]) * 800).decode()


# what a figure is


@pytest.mark.parametrize("text", HOSTILE)
def test_text_in_the_data_ends_no_script_and_comes_back_as_it_was(text):
    page = BeautifulSoup(live.box("game", {"a": text}), "html.parser")
    script, = page.find_all("script")
    assert script["type"] == "application/json" and json.loads(script.string) == {"a": text}
    assert {tag.name for tag in page.find_all(True)} == {"div", "p", "script"} and page.p.text == live.INSTEAD


@pytest.mark.parametrize(("figure", "data", "message"), [
    ("chess", {}, "figure is 'chess'; expected one of game"), ("game", {"a": float("nan")}, "not JSON compliant"),
    ("game", [np.inf], "not JSON compliant"),
])
def test_what_no_script_could_draw_is_refused(figure, data, message):
    with pytest.raises(ValueError, match=message):
        live.box(figure, data)


def test_each_figure_has_its_script_and_scripts_write_text_alone():
    scripts = {p.stem: p.read_text("utf8") for p in STATIC.glob("*.js")}
    assert set(scripts) == {"acp", "excerpts", *live.FIGURES}
    for name, code in scripts.items():
        assert f'acp.live("{name}"' in code or name in ("acp", "excerpts")
        assert not [word for word in ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "http",
                                      "fetch(", "import ") if word in code.replace("${NAME", "")], name


def test_a_picture_in_a_page_is_a_small_jpeg(tmp_path):
    address = live.picture(picture(tmp_path / "p.png", size=(300, 200)), 64)
    kind, data = address.split(",", 1)
    assert kind == "data:image/jpeg;base64" and base64.b64decode(data, validate=True)[:2] == b"\xff\xd8"
    assert len(address) < 6000 and address == live.picture(tmp_path / "p.png", 64)


# the game


def asked(n=400, seed=0):
    """Test pairs of a corpus, what a network gives to them, and what they were drawn with."""
    corpus, rng = small(), np.random.default_rng(seed)
    pairs = corpus.draw("test", "class_balanced", n, rng)
    return corpus, pairs, np.clip(0.35 + 0.3 * pairs.truth + rng.normal(0, 0.2, n), 0, 1)


def drawn(pairs, p, seed=0, **more):
    return examples.rounds(pairs, p, pairs.image, pairs.music, np.random.default_rng(seed), **more)


@pytest.mark.parametrize("seed", range(5))
def test_a_round_is_balanced_spans_all_difficulties_and_holds_test_pairs_alone(seed):
    corpus, pairs, p = asked(seed=seed)
    rounds = drawn(pairs, p, seed)
    given = np.where(pairs.truth == 1, p, 1 - p)
    once = np.unique(np.stack([pairs.image, pairs.music]), axis=1, return_index=True)[1]
    assert [len(r) for r in rounds] == [10, 10, 10] and len(np.unique(np.concatenate(rounds))) == 30
    for some in rounds:
        assert set(corpus.image.part[pairs.image[some]]) == set(corpus.music.part[pairs.music[some]]) == {2}
        for truth in (0, 1):
            kind = np.sort(given[once[pairs.truth[once] == truth]])
            own = np.sort(given[some[pairs.truth[some] == truth]])
            ends = np.cumsum([0, *(len(part) for part in np.array_split(kind, 5))])
            assert len(own) == 5
            for value, low, high in zip(own, ends[:-1], ends[1:] - 1, strict=True):
                assert kind[low] <= value <= kind[high]


def test_rounds_are_the_same_each_time_and_others_by_another_seed():
    _, pairs, p = asked()
    one, same, other = (np.concatenate(drawn(pairs, p, seed)) for seed in (0, 0, 1))
    assert one.tolist() == same.tolist() != other.tolist()
    assert any(len(set(pairs.truth[some][:5])) == 2 for some in drawn(pairs, p)), "their place does not tell the truth"


def test_pictures_and_songs_come_once_where_there_are_enough():
    i, j = (a.ravel() for a in np.meshgrid(range(60), range(60), indexing="ij"))
    pairs = Pairs(i, j, (i % 3 == j % 3).astype(int))
    whole = np.concatenate(drawn(pairs, np.random.default_rng(0).random(3600)))
    assert len(set(pairs.image[whole])) == len(set(pairs.music[whole])) == 30


@pytest.mark.parametrize(("true", "false", "rounds"), [(5, 5, 1), (4, 30, 0), (30, 4, 0), (10, 30, 2), (60, 60, 3),
                                                      (0, 9, 0)])
def test_few_pairs_make_few_rounds(true, false, rounds):
    n = true + false
    pairs = Pairs(np.arange(n), np.zeros(n, int), (np.arange(n) < true).astype(int))
    doubled = Pairs(*(np.tile(column, 2) for column in (pairs.image, pairs.music, pairs.truth)))  # no other pairs
    assert len(drawn(pairs, np.full(n, 0.5))) == len(drawn(doubled, np.full(2 * n, 0.5))) == rounds


@pytest.mark.slow
def test_a_network_may_expect_its_accuracy_over_true_and_false_pairs():
    _, pairs, p = asked(2000)
    right = (p > 0.5) == (pairs.truth == 1)
    whole = np.mean([right[pairs.truth == t].mean() for t in (0, 1)])
    found = [right[np.concatenate(drawn(pairs, p, seed))].mean() for seed in range(60)]
    assert np.mean(found) == pytest.approx(whole, abs=0.03)


def play(best=True, rounds=None, name="A song", n=3):
    corpus, pairs, p = asked()
    rounds = drawn(pairs, p, most=n) if rounds is None else rounds
    image = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
    truth = np.where(pairs.truth == 1, 0.9, 0.2)
    data = game.data(rounds, pairs, corpus, p, truth if best else None, called="ACP-Net (main)",
                     picture=lambda i: (image, f"scene {i}"), sound=lambda j: (TONE, f"{name} {j}"))
    return SimpleNamespace(data=data, pairs=pairs, p=p, rounds=rounds, corpus=corpus)


def test_the_game_holds_the_stored_answers():
    made = play()
    assert [[(q["truth"], q["network"]) for q in some] for some in made.data["rounds"]] == [
        [(bool(made.pairs.truth[k]), float(made.p[k])) for k in some] for some in made.rounds]
    for some, numbers in zip(made.data["rounds"], made.rounds, strict=True):
        for q, k in zip(some, numbers, strict=True):
            assert q["names"] == [f"scene {made.pairs.image[k]}", f"A song {made.pairs.music[k]}"]
            assert q["classes"] == [CLASSES[made.corpus.image.label[made.pairs.image[k]]],
                                    CLASSES[made.corpus.music.label[made.pairs.music[k]]]]
            assert (q["classes"][0] == q["classes"][1]) == q["truth"] and q["best"] == (0.9 if q["truth"] else 0.2)
    whole = np.concatenate(made.rounds)
    assert len(made.data["pictures"]) == len(set(made.pairs.image[whole]))
    assert {q["best"] for some in play(best=False).data["rounds"] for q in some} == {None}


@pytest.mark.parametrize("rounds", [[], [np.arange(10), np.arange(9)]])
def test_a_game_without_rounds_or_of_two_lengths_is_refused(rounds):
    with pytest.raises(ValueError, match="expected one or more, of one length"):
        play(rounds=rounds)


@pytest.mark.parametrize("n", [1, 10, 20])
def test_the_interval_is_that_of_clopper_and_pearson(n):
    found = game.intervals(n)
    assert len(found) == n + 1 and found[0][0] == 0 and found[n][1] == 100
    for k, (low, high) in enumerate(found):
        assert 0 <= low <= 100 * k / n <= high <= 100
        if k > 0:
            assert stats.binom.sf(k - 1, n, low / 100) == pytest.approx(0.025)
        if k < n:
            assert stats.binom.cdf(k, n, high / 100) == pytest.approx(0.025)


# the explorer of rankings


def look(name="song", heard=()):
    corpus, rng = small(), np.random.default_rng(4)
    image, music = (side.rows("test")[:n] for side, n in ((corpus.image, 14), (corpus.music, 5)))
    scores = {"ACP-Net (main)": rng.random((14, 5)), "two classifiers": rng.random((14, 5))}
    ranked = Ranked(image, music, scores)
    data = ranking.data(ranked, corpus, picture=lambda i: ("data:image/gif;base64,R0lGODlhAQABAAAAACw=", f"awe {i}"),
                        song=lambda j: f"{name} {j}", heard=heard)
    return SimpleNamespace(data=data, ranked=ranked, corpus=corpus)


@pytest.mark.slow
def test_a_page_reads_the_scores_that_were_written():
    made = look()
    for method, score in zip(made.data["methods"], made.ranked.methods.values(), strict=True):
        found = computed("ranking", f"Array.from(acp.decoded({json.dumps(method['scores'])}))")
        found = np.reshape(found, (14, 5))
        np.testing.assert_allclose(found, score, atol=0.5 / ranking.WHOLE)
    assert computed("ranking", "acp.ranked([0.2, 0.9, 0.2, 1])") == [3, 1, 0, 2]


def test_items_are_named_and_labelled_and_players_found_by_row():
    made = look(heard={made_row for made_row in [int(small().music.rows("test")[2])]})
    corpus, ranked = made.corpus, made.ranked
    assert [s["label"] for s in made.data["songs"]] == corpus.music.label[ranked.music].tolist()
    assert [p["name"] for p in made.data["pictures"]] == [f"awe {i}" for i in ranked.image]
    assert [s.get("row") for s in made.data["songs"]] == [None, None, int(ranked.music[2]), None, None]


# in a browser


def page(tmp_path, *boxes, before="", theme="light"):
    file = tmp_path / "page.html"
    file.write_text(framed(before + "".join(boxes), theme), "utf8")
    return file


def every(tmp_path, name="A song", theme="light"):
    """A page that has all figures of this file."""
    return page(tmp_path, live.box("game", play(name=name).data), live.box("ranking", look(name).data),
                live.box("guessers", explorer.data({name: PAPER, "even": ([1] * 3, [1] * 3)}, 61.67)),
                theme=theme)


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_texts_stand_out_in_the_light_and_in_the_dark(browser, tmp_path, theme):
    browser.open(every(tmp_path, theme=theme), 360, dark=theme == "dark")
    assert browser.faint() == []
    browser.value("document.querySelector('.acp-live button.acp-button').focus()")
    browser.press("Enter", 10)
    assert browser.faint() == []
    seen = browser.value("getComputedStyle(document.querySelector('.acp-told')).color")
    assert (int(seen.split("(")[1].split(",")[0]) > 128) == (theme == "dark"), "the theme is there"


@pytest.mark.slow
@pytest.mark.parametrize("text", ["A song", "A" * 118, *HOSTILE])
def test_pages_fit_every_window_are_silent_and_hold_no_ones_markup(browser, tmp_path, text):
    file = every(tmp_path, text)
    assert problems(browser, file) == []
    browser.value("document.querySelector('.acp-live button.acp-button').focus()")
    browser.press("Enter", 10)
    assert browser.value("document.querySelectorAll('script:not([src]):not([type]), b i, [onerror]').length") == 0
    assert [w for w in WIDTHS if browser.resize(w) or browser.wide()] == [] and browser.errors == []


@pytest.mark.slow
@pytest.mark.parametrize("way", ["click", "keyboard"])
@pytest.mark.parametrize("votes", ["1111111111", "0000000000", "1010011101"])
def test_votes_give_the_score_expected(browser, tmp_path, way, votes):
    made = play()
    browser.open(page(tmp_path, live.box("game", made.data)), 360 if way == "click" else 1280)
    for k, vote in enumerate(votes):
        assert browser.text(".acp-heading") == f"Pair {k + 1} of 10"
        if way == "click":
            browser.click(".acp-buttons button", 0 if vote == "1" else 1)
        else:  # from the player through the votes
            browser.value("document.querySelector('.acp-question audio').focus()")
            while (at := browser.value("document.activeElement.textContent")) != (
                    "They belong together" if vote == "1" else "They do not"):
                browser.press("Tab")
                assert at != "out"
            browser.press("Enter" if k % 2 else " ")
    truth, p = (made_column[made.rounds[0]] for made_column in (made.pairs.truth, made.p))
    right = int(sum(int(v) == t for v, t in zip(votes, truth, strict=True)))
    network = int(((p > 0.5) == (truth == 1)).sum())
    assert browser.text(".acp-told") == f"You: {right} of 10. Network: {network} of 10. Best possible: 10 of 10."
    low, high = game.intervals(10)[right]
    assert all(text in browser.text(".acp-told + p") for text in (f"{low:.0f} to {high:.0f} %", "ACP-Net (main)"))
    rows = browser.value("[...document.querySelectorAll('tbody tr')].map(r => [...r.cells].map(c => c.innerText))")
    for row, vote, k in zip(rows, votes, made.rounds[0], strict=True):
        true, says = bool(made.pairs.truth[k]), made.p[k] > 0.5
        words = {True: "together", False: "apart"}
        assert row[2] == words[true] and row[3] == f"{'✓' if (vote == '1') == true else '✗'} {words[vote == '1']}"
        assert row[4].split("\n")[0] == f"{'✓' if says == true else '✗'} {words[bool(says)]}"
        assert row[4].split("\n")[1] == f"{100 * made.p[k]:.0f} %"
    assert browser.value("document.activeElement.textContent") == "Your score" and browser.errors == []


@pytest.mark.slow
def test_the_game_begins_again_with_other_pairs_and_after_the_last_round_with_the_first(browser, tmp_path):
    made = play(n=2, best=False)
    browser.open(page(tmp_path, live.box("game", made.data)))
    found = []
    for _ in range(3):
        for _ in range(10):
            browser.click(".acp-buttons button", 0)
        assert "Best possible" not in browser.text(".acp-told")
        found.append(browser.value("[...document.querySelectorAll('tbody td:last-child')].map(c => c.innerText)"))
        assert browser.value("document.querySelector('.acp-question').hidden") is True
        browser.click(".acp-live > div > button")
        assert browser.text(".acp-heading") == "Pair 1 of 10"
    assert found[0] == found[2] != found[1]
    browser.open(page(tmp_path, live.box("game", play(n=1).data)))
    for _ in range(10):
        browser.click(".acp-buttons button", 1)
    assert browser.text(".acp-live > div > button") == "The same pairs again"


@pytest.mark.slow
def test_nothing_tells_the_answer_before_the_last_vote(browser, tmp_path):
    browser.open(page(tmp_path, live.box("game", play().data)))
    for _ in range(9):
        browser.click(".acp-buttons button", 0)
    told = browser.value("document.querySelector('.acp-live').innerHTML.replace(/data:[^\"]*/g, '')")
    assert not [word for word in (*CLASSES, "A song", "scene", "✓", "apart") if word in told]


@pytest.mark.slow
def test_a_ranking_is_by_score_and_each_item_asks_for_its_own(browser, tmp_path):
    row = int(small().music.rows("test")[1])
    made = look(heard={row})
    player = f'<audio data-song="{row}" src="{TONE}"></audio>'
    browser.open(page(tmp_path, live.box("ranking", made.data), before=player), 360)
    score = list(made.ranked.methods.values())
    shown = "[...document.querySelectorAll('tbody tr')].map(r => [...r.cells].map(c => c.innerText.trim()))"

    def expect(values, other, names):
        order = np.argsort(-values, kind="stable")
        rows = browser.value(shown)
        assert [r[1] for r in rows] == [names[k] for k in order][:len(rows)]
        assert [r[3] for r in rows] == [f"{values[k]:.3f}" for k in order][:len(rows)]
        assert [r[4] for r in rows] == [f"{other[k]:.3f}" for k in order][:len(rows)]
        return order, len(rows)

    pictures, songs = ([item["name"] for item in made.data[kind]] for kind in ("pictures", "songs"))
    order, n = expect(score[0][:, 0], score[1][:, 0], pictures)
    assert n == 10 and browser.value("document.querySelectorAll('.acp-query audio').length") == 0
    labels = made.corpus.image.label[made.ranked.image]
    wanted = made.corpus.music.label[made.ranked.music[0]]
    assert browser.text("[role=status]") == (
        f"Of the same class among the first 10: {(labels[order[:10]] == wanted).sum()}; by chance "
        f"{10 * (labels == wanted).mean():.1f}.")
    browser.click(".acp-live > .acp-button")
    assert expect(score[0][:, 0], score[1][:, 0], pictures)[1] == 14
    browser.click("tbody .acp-item", 3)  # a picture asks for its music
    expect(score[0][order[3]], score[1][order[3]], songs)
    assert browser.value("document.activeElement.tagName") == "SELECT"
    browser.click("[type=radio]", 0)
    browser.value("document.querySelectorAll('select')[0].focus()")
    browser.press("ArrowDown")
    browser.value("document.querySelectorAll('select')[1].focus()")
    browser.press("ArrowDown")
    expect(score[1][:, 1], score[0][:, 1], pictures)
    assert browser.value("document.querySelector('.acp-query audio').src") == TONE
    assert browser.wide() == [] and browser.errors == []


@pytest.mark.slow
def test_the_explorer_starts_from_a_preset_and_follows_the_sliders(browser, tmp_path):
    data = explorer.data({"paper": PAPER, "even": ([1] * 3, [1] * 3)}, 61.67)
    browser.open(page(tmp_path, live.box("guessers", data)), 360)
    shown = ("Object.fromEntries([...document.querySelectorAll('dl > div')].map(d => [d.querySelector('dt').innerText, "
             "[...d.querySelectorAll('dd b')].map(b => b.innerText)]))")

    def expect(*counts):
        table = guessers(*counts)
        assert browser.value(shown) == {
            name.replace("_", " "): [f"{row[who]:.1f}" for who in ("nothing", "the picture", "the music")]
            for name, row in table.iterrows()}

    expect(*PAPER)
    browser.click("[type=radio]", 1)
    expect([1] * 3, [1] * 3)
    browser.value("document.querySelectorAll('[type=range]')[2].focus()")
    browser.press("Home")
    browser.press("ArrowRight", 190)  # 20 % positive music
    assert browser.text("fieldset:nth-of-type(2) output") == "positive 20.0, neutral 40.0, negative 40.0\u00a0%"
    assert browser.value("document.querySelectorAll('[type=radio]:checked').length") == 0
    expect([1000] * 3, [200, 400, 400])
    assert browser.value("document.querySelectorAll('[type=range]')[2].getAttribute('aria-valuetext')") == "20 %"


@pytest.mark.slow
@pytest.mark.parametrize("width", WIDTHS)
def test_no_number_of_the_explorer_covers_another_or_leaves_the_window(browser, tmp_path, width):
    presets = {"paper": PAPER, "far": ([98, 1, 1], [1, 1, 98]), "even": ([1] * 3, [1] * 3)}
    browser.open(page(tmp_path, live.box("guessers", explorer.data(presets, 61.67))), width)
    for k in range(len(presets)):
        browser.click("[type=radio]", k)
        boxes = np.array(browser.value("""[...document.querySelectorAll('dd b, dt, label, .acp-key span')].map(e => {
            const r = e.getBoundingClientRect(); return [r.left, r.top, r.right - 1, r.bottom - 1]; })"""))
        assert (boxes[:, 0] >= 0).all() and (boxes[:, 2] < width).all()
        marks = browser.value("""[...document.querySelectorAll('dd')].map(d => [Number(d.children[1].textContent),
            parseFloat(getComputedStyle(d, '::before').left) + d.getBoundingClientRect().left + 0.35 * 16])""")
        ticks = np.array(browser.value("""[...document.querySelectorAll('.acp-ticks span')].map(t => {
            const r = t.getBoundingClientRect(); return [Number(t.textContent), (r.left + r.right) / 2]; })"""))
        for value, x in marks:
            assert x == pytest.approx(np.interp(value, *ticks.T), abs=1), "a dot stands over its number on the axis"
        low, high = boxes[:, None, :2], boxes[None, :, 2:]
        assert ((low < high) & (low < high).swapaxes(0, 1)).all(2).sum() == len(boxes), "each overlaps itself alone"


@pytest.mark.slow
def test_every_field_and_player_has_a_name_and_regions_can_be_scrolled_by_keys(browser, tmp_path):
    browser.open(every(tmp_path))
    browser.value("document.querySelector('.acp-live button.acp-button').focus()")
    browser.press("Enter", 10)
    fields = "input, select, audio, button, img, [role=region]"
    unnamed = browser.value(f"""[...document.querySelectorAll('{fields}')].filter(e => !(e.labels?.length ||
        e.getAttribute('aria-label') || e.textContent.trim() || e.hasAttribute('alt'))).length""")
    assert unnamed == 0
    assert browser.value("[...document.querySelectorAll('.acp-scroll')].every(e => e.tabIndex === 0)") is True
    assert browser.value("document.querySelectorAll('[role=status]').length") == 2


# figures and tables of every page


DRAWING = ("data:image/svg+xml;base64," + base64.b64encode(
    b'<svg xmlns="http://www.w3.org/2000/svg" width="576pt" height="300pt"><path d="M0 0h9v9z"/></svg>').decode())


def figure(name="one", caption="What it shows"):
    images = "".join(f'<picture><source media="(max-width: 600px)" srcset="{DRAWING}"><img class="only-{theme}" '
                     f'src="{DRAWING}#{theme}" alt="A curve that rises"></picture>' for theme in ("light", "dark"))
    return (f'<figure id="{name}"><a class="acp-figure" href="{DRAWING}">{images}</a>'
            f'<figcaption><p><span class="caption-text">{caption}</span></p></figcaption></figure>')


SOON = "new Promise(done => setTimeout(done, 100))"
OPEN = "document.querySelectorAll('dialog[open]').length"


@pytest.mark.slow
@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 1280), ("light", 360), ("dark", 360)])
@pytest.mark.parametrize("ends", ["Escape", "Close", "beside"])
def test_a_figure_opens_at_full_size_by_a_key_or_a_click_and_closes(browser, tmp_path, theme, width, ends):
    browser.open(page(tmp_path, figure("first"), figure("second", "Of the <b>second"), theme=theme), width,
                 dark=theme == "dark")
    if ends == "Escape":
        browser.value("document.querySelectorAll('.acp-figure')[1].focus()")
        browser.press("Enter")
    else:
        browser.click(f"#second img.only-{theme}")
    assert browser.value(OPEN) == 1
    shown = browser.value("""(() => { const i = document.querySelector('dialog img');
        return [i.getAttribute('src').split('#')[1], i.alt, i.getBoundingClientRect().width >= 768]; })()""")
    assert shown == [theme, "A curve that rises", True]
    assert browser.value("document.querySelector('dialog').getAttribute('aria-label')") == "Of the second"
    assert browser.text("dialog p") == "Of the second" and browser.faint() == [] and browser.wide() == []
    reached = []
    for _ in range(6):  # the keyboard stays within
        browser.press("Tab")
        reached.append(browser.value("document.activeElement === document.body || "
                                     "document.activeElement.closest('dialog') !== null"))
    assert all(reached)
    if ends == "Escape":
        browser.press("Escape")
    elif ends == "Close":
        browser.click("dialog button")
    else:
        for kind in ("mousePressed", "mouseReleased"):
            browser.send("Input.dispatchMouseEvent", type=kind, x=2, y=2, button="left", clickCount=1)
    browser.value(SOON)
    assert browser.value("document.querySelectorAll('dialog').length") == 0
    assert browser.value("document.activeElement === document.querySelectorAll('.acp-figure')[1]") is True
    assert browser.errors == []


def written_table(columns, rows=3, text="a value", head=True):
    cells = [[f"{text} {i}.{k}" for k in range(columns)] for i in range(rows)]
    top = "".join(f"<th>Column {k}</th>" for k in range(columns))
    body = "".join(f"<tr>{''.join(f'<td><p>{c}</p></td>' for c in row)}</tr>" for row in cells)
    return (f'<div class="pst-scrollable-table-container"><table class="table"><caption>What it lists</caption>'
            f"{f'<thead><tr>{top}</tr></thead>' if head else ''}<tbody>{body}</tbody></table></div>")


LONG = "what a thing is that takes many words to be told of, and a few more, " * 2
CARDS = "[...document.querySelectorAll('table')].map(t => t.classList.contains('acp-cards'))"


@pytest.mark.slow
@pytest.mark.parametrize(("table", "cards"), [
    (written_table(2), False), (written_table(3, text="7"), False), (written_table(9, text="a-long-value"), True),
    (written_table(4, text="an_identifier_that_does_not_break"), True),
    (f'<table class="table"><thead><tr>{"<th>wideword</th>" * 9}</tr></thead><tbody><tr><th>row</th>'
     f'{"<td>value</td>" * 8}</tr></tbody></table>', True),
    (f'<table class="table"><tbody><tr>{"<td>without-a-head</td>" * 9}</tr></tbody></table>', False),
    (f'<table class="table"><thead><tr>{"<th>wideword</th>" * 9}</tr></thead><tbody><tr><td colspan="9">value</td></tr>'
     '</tbody></table>', False),
    (written_table(4).replace("a value 0.1", LONG), True), (written_table(2).replace("a value 0.1", LONG), False),
    (written_table(2).replace("a value 0.0", "a name of some thirty letters").replace("a value 0.1", 4 * LONG), False),
], ids=["narrow", "of numbers", "many columns", "long words", "with row names", "without a head", "merged cells",
        "squeezed", "long, with room", "beside a long one"])
def test_a_table_too_wide_for_a_phone_becomes_cards_and_one_that_fits_stays(browser, tmp_path, table, cards):
    browser.open(page(tmp_path, table), 360)
    assert browser.value(CARDS) == [cards]
    if cards:
        assert browser.wide() == browser.hidden() == browser.faint() == []
        labels = browser.value("[...document.querySelectorAll('tbody tr:first-child > *')].map(c => c.dataset.label)")
        assert labels == browser.value("[...document.querySelectorAll('thead th')].map(c => c.textContent)")
        named = browser.value("[...document.querySelectorAll('tbody td')].every(c => getComputedStyle(c, '::before')"
                              ".content === JSON.stringify(c.dataset.label))")
        roles = browser.value("[...new Set([...document.querySelectorAll('table, table *')].map(e => "
                              "e.getAttribute('role')).filter(Boolean))].sort()")
        assert named and {"table", "rowgroup", "row", "cell", "columnheader"} <= set(roles)
    browser.resize(1280)
    assert browser.value(CARDS) == [False]
    browser.resize(390)
    assert browser.value(CARDS) == [cards]


SHOWN = "[...document.querySelectorAll('tbody tr')].filter(row => row.checkVisibility()).length"
MORE = "[...document.querySelectorAll('button.acp-more')].filter(button => button.checkVisibility()).length"


@pytest.mark.slow
def test_of_very_many_cards_a_button_shows_the_rest(browser, tmp_path):
    browser.open(page(tmp_path, written_table(9, rows=37, text="a-long-value")), 390)
    assert (browser.value(SHOWN), browser.text("button.acp-more")) == (10, "Show all 37 rows")
    assert browser.barriers() == browser.faint() == []
    browser.resize(1280)
    assert (browser.value(SHOWN), browser.value(MORE)) == (37, 0)
    browser.resize(390)
    assert (browser.value(SHOWN), browser.value(MORE)) == (10, 1)
    browser.value("document.querySelector('button.acp-more').focus()")
    browser.press("Enter")
    assert (browser.value(SHOWN), browser.value(MORE)) == (37, 0)
    assert browser.value("document.activeElement === document.querySelectorAll('tbody tr')[10]")
    browser.resize(360)
    assert (browser.value(SHOWN), browser.value(MORE)) == (37, 0)


@pytest.mark.slow
@pytest.mark.parametrize("table", [
    written_table(9, rows=20, text="a-long-value"),
    written_table(9, rows=37, text="a-long-value").replace("<td>", '<td id="here">', 1)], ids=["not so many", "linked"])
def test_other_cards_are_all_there(browser, tmp_path, table):
    browser.open(page(tmp_path, table), 390)
    assert browser.value(CARDS) == [True] and browser.value(MORE) == 0
    assert browser.value(SHOWN) == browser.value("document.querySelectorAll('tbody tr').length")


@pytest.mark.slow
def test_a_table_in_what_is_folded_becomes_cards_when_it_is_opened(browser, tmp_path):
    table = written_table(9, text="a-long-value")
    browser.open(page(tmp_path, f"<details><summary>More</summary>{table}</details>"), 360)
    browser.value("document.querySelector('summary').focus()")
    browser.press("Enter")
    browser.value(SOON)
    assert browser.value(CARDS) == [True] and browser.hidden() == []


@pytest.mark.slow
@pytest.mark.parametrize("width", [768, 1280])
@pytest.mark.parametrize(("columns", "text"), [
    (6, "weights_file_inception_v3_imagenet_partial.safetensors"), (14, "unbreakable"), (9, "72.0 (66.0 to 77.9)")])
def test_on_a_wide_page_words_break_rather_than_hide_a_column(browser, tmp_path, width, columns, text):
    browser.open(page(tmp_path, written_table(columns, text=text)), width)
    assert browser.hidden() == [] and browser.wide() == [] and browser.value(CARDS) == [False]


@pytest.mark.slow
@pytest.mark.parametrize("width", [360, 390, 768])
def test_the_tables_of_live_figures_hide_nothing_on_a_phone(browser, tmp_path, width):
    browser.open(every(tmp_path, "A song of a rather long name"), width)
    browser.value("document.querySelector('.acp-live button.acp-button').focus()")
    browser.press("Enter", 10)
    assert browser.value("document.querySelectorAll('.acp-live table').length") >= 2
    assert browser.hidden() == [] and browser.wide() == []
