// The language of a page: the one that was chosen last, else the browser's. Every text is a pair, English and Chinese.

const KEY = "zvpos-language";

function remembered() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    // A browser that keeps nothing for this page.
    return null;
  }
}

let chosen = remembered() ?? (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");

export const language = () => chosen;

export const word = (two) => two?.[chosen === "zh" ? 1 : 0];

export function otherLanguage() {
  return chosen === "zh" ? { name: "en", tag: "en", word: "English" } : { name: "zh", tag: "zh-CN", word: "中文" };
}

export function setLanguage(name) {
  chosen = name;
  try {
    localStorage.setItem(KEY, name);
  } catch {
    // It holds until the page is left.
  }
}

// The words that stand in the page itself; `t` gives the word of a key.
export function translatePage(title, t) {
  document.documentElement.lang = chosen === "zh" ? "zh-CN" : "en";
  document.title = `zvpos ${title}`;
  for (const node of document.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
  for (const node of document.querySelectorAll("[data-t-label]")) node.setAttribute("aria-label", t(node.dataset.tLabel));
  for (const node of document.querySelectorAll("[data-t-placeholder]")) node.placeholder = t(node.dataset.tPlaceholder);
}
