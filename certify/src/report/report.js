(function () {
  var root = document.documentElement, button = document.getElementById("language");
  function show(lang) { root.lang = lang; button.textContent = lang === "en" ? "中文" : "English"; }
  show(/^zh/.test(navigator.language) ? "zh-CN" : "en");
  button.onclick = function () { show(root.lang === "en" ? "zh-CN" : "en"); };
}());
