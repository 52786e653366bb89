/* What Sphinx's search shows of a page is taken from its text: not from the buttons and lists around it, nor from code. */
"use strict";
const found = Search.htmlToText;
Search.htmlToText = (text, anchor) => {
  const page = new DOMParser().parseFromString(text, "text/html"), article = page.querySelector("article.bd-article");
  if (!article) return found(text, anchor);
  article.querySelectorAll(".cell_input, pre, details.cite, .headerlink, script, style").forEach(e => e.remove());
  const part = anchor ? article.querySelector(anchor) : null;
  return (part ?? article).textContent.replace(/\s+/g, " ").trim();
};
