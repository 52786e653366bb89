/* What Sphinx's search shows of a page is taken from its text: not from the buttons and lists around it, nor from code. */
"use strict";
const found = Search.htmlToText;
Search.htmlToText = (text, anchor) => {
  const page = new DOMParser().parseFromString(text, "text/html"), article = page.querySelector("article.bd-article");
  if (!article) return found(text, anchor);
  article.querySelectorAll(".cell_input, pre, summary, details.cite, details.run, .headerlink, script, style")
    .forEach(e => e.remove());
  article.querySelectorAll("h1, h2, h3, h4, dt, dd, p, li, td, th, caption, figcaption").forEach(e => e.append(" "));
  const part = anchor ? article.querySelector(anchor) : null;
  return (part ?? article).textContent.replace(/\s+/g, " ").trim();
};
