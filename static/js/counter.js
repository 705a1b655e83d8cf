// Character counters: the same rule as common/text.py on the server: code points after NFC, a line break is one.
(function () {
  "use strict";
  function count(text) {
    return Array.from(text.normalize("NFC").replace(/\r\n?/g, "\n")).length;
  }
  function show(area) {
    var output = document.getElementById(area.dataset.counter);
    if (!output) return;
    var limit = Number(area.dataset.limit), used = count(area.value);
    output.textContent = used.toLocaleString() + " / " + limit.toLocaleString();
    output.classList.toggle("over", used > limit);
  }
  document.addEventListener("input", function (event) {
    if (event.target.dataset && event.target.dataset.counter) show(event.target);
  });
  function all() {
    document.querySelectorAll("[data-counter]").forEach(show);
  }
  document.addEventListener("htmx:afterSwap", all);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", all); else all();
  var first = document.getElementById("error-summary");
  if (first) first.focus();
})();
