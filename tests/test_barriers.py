"""What axe-core finds in the browser: nothing on a page that anybody can read and work, and each kind of barrier."""

import chromium
import pytest

DOT = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
GOOD = f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title>
<meta name="viewport" content="width=device-width"></head><body style="background: #fff; color: #222"><main>
<h1>A page</h1> <label for="n">A number</label> <input id="n"> <button>Count</button> <img alt="a dot" src="{DOT}">
<a href="#n">up</a> HERE </main></body></html>"""
BARRIERS = {
    "faint text": ("HERE", '<p style="color: #bbb">pale</p>', "color-contrast"),
    "a picture without words": ("HERE", f'<img src="{DOT}">', "image-alt"),
    "a field without a label": ("HERE", "<input>", "label"),
    "a list to choose from without a name": ("HERE", "<select><option>1</option></select>", "select-name"),
    "a button without a name": ("HERE", "<button></button>", "button-name"),
    "a link without a name": ("HERE", '<a href="#n"></a>', "link-name"),
    "a role that is none": ("HERE", '<div role="chooser">x</div>', "aria-roles"),
    "a role that lacks its state": (
        "HERE", '<div role="slider" tabindex="0" aria-label="x"></div>', "aria-required-attr"),
    "a drawing called a picture, unnamed": ("HERE", '<svg role="img" width="9" height="9"></svg>', "svg-img-alt"),
    "an id twice, one of a label": ("HERE", '<label for="n">x</label><input id="n">', "duplicate-id-aria"),
    "a heading that skips a level": ("HERE", "<h4>deep</h4>", "heading-order"),
    "text outside of every landmark": ("</main>", "</main><p>outside</p>", "region"),
    "a scrolled box out of reach of keys": (
        "HERE", '<div style="overflow: auto; height: 20px"><p style="height: 90px">x</p></div>',
        "scrollable-region-focusable"),
    "a table whose header heads nothing": (
        "HERE", '<table><tr><th scope="sideways">x</th><td>1</td></tr></table>', "scope-attr-valid"),
    "no language": (' lang="en"', "", "html-has-lang"),
    "no title": ("<title>A page</title>", "", "document-title"),
    "no zoom": ("width=device-width", "width=device-width, user-scalable=no", "meta-viewport"),
}


@pytest.mark.slow
def test_a_page_without_barriers_passes_by_day_and_by_night(browser, tmp_path):
    (tmp_path / "page.html").write_text(GOOD)
    for dark in (False, True):
        browser.open(tmp_path / "page.html", dark=dark)
        assert browser.barriers() == []


@pytest.mark.slow
@pytest.mark.parametrize(("old", "new", "rule"), BARRIERS.values(), ids=BARRIERS)
def test_a_barrier_is_found_and_named(browser, tmp_path, old, new, rule):
    assert GOOD.count(old) == 1
    (tmp_path / "page.html").write_text(GOOD.replace(old, new))
    browser.open(tmp_path / "page.html")
    assert any(f"({rule}): <" in line for line in browser.barriers())


@pytest.mark.slow
@pytest.mark.parametrize(("style", "found"), [
    ("", []),
    ("@media (prefers-color-scheme: dark) { .now { display: inline } }", ["image-alt", "dark"]),
    ("@media (prefers-color-scheme: light) { .now { display: inline } }", ["image-alt", "light"]),
    ("@media (prefers-color-scheme: dark) { img[alt] { display: none } .now { display: inline } }",
     ["image-alt", "dark"]),
    ("@media (prefers-color-scheme: dark) { p { color: #999; background: #888 } }", ["color-contrast", "dark"]),
    ("@media (prefers-color-scheme: light) { p { color: #999; background: #888 } }", ["color-contrast", "light"]),
])
def test_what_one_theme_alone_shows_is_looked_at_in_it(browser, tmp_path, style, found):
    held = f'<style>.now {{ display: none }} {style}</style><p>A text.</p><img class="now" src="{DOT}">'
    (tmp_path / "page.html").write_text(GOOD.replace("HERE", held))
    told = chromium.problems(browser, tmp_path / "page.html", [1280])
    assert len(told) == bool(found) and all(word in line for word in found for line in told)


@pytest.mark.slow
@pytest.mark.parametrize(("style", "left", "found"), [
    ("", "if|in|if|or", []),
    (".other .k { color: #ccc }", "if|in|if|or", ["<span class=\"k\">if"]),
    (".n { color: #ccc }", "if|in|if|or", ["<span class=\"n\">in"]),
])
def test_of_words_of_code_that_look_alike_the_first_is_looked_at(browser, tmp_path, style, left, found):
    words = '<span class="k">if</span> <span class="n">in</span>'
    held = (f'<style>{style}</style><pre>{words} {words}</pre><pre class="other"><span class="k">if</span></pre>'
            '<pre><span class="k" style="color: #222">or</span></pre>')
    (tmp_path / "page.html").write_text(GOOD.replace("HERE", held))
    told = chromium.problems(browser, tmp_path / "page.html", [1280])
    assert browser.value('[...document.querySelectorAll("pre span")].map(e => e.textContent).join("|")') == left
    assert browser.value('document.querySelector("pre").textContent') == "if in if in"
    assert len({line.split(", ")[0] for line in told}) == len(found) and all(f in line for f in found for line in told)
