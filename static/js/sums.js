// Live sums of a budget: the institution's, the year's, and whether the stated total agrees.
// Amounts are read as common/money.py reads them (full-width digits, 百万円 and the like); the server has the last word.
(function () {
  "use strict";
  var UNITS = { "兆": 1e12, "十億": 1e9, "億": 1e8, "千万": 1e7, "百万": 1e6, "十万": 1e5, "万": 1e4, "千": 1e3, "": 1 };
  var PART = /([0-9][0-9,]*(?:\.[0-9]+)?)\s*(兆|十億|億|千万|百万|十万|万|千|)\s*/y;
  function read(text) {
    var plain = text.normalize("NFKC").trim().replace(/^[¥\\]/, "").replace(/円$/, "").trim();
    if (plain === "" || plain === "-") return 0;
    var total = 0, at = 0;
    while (at < plain.length) {
      PART.lastIndex = at;
      var found = PART.exec(plain);
      if (!found) return null;
      total += Math.round(Number(found[1].replace(/,/g, "")) * UNITS[found[2]]);
      at = PART.lastIndex;
    }
    return total;
  }
  function show(row) {
    var own = 0, known = true;
    row.querySelectorAll("[data-cell]").forEach(function (input) {
      var yen = read(input.value);
      if (yen === null) known = false; else own += yen;
    });
    var sum = own + Number(row.dataset.others);
    row.querySelector("[data-own]").textContent = known ? own.toLocaleString("en") : "-";
    var together = row.querySelector("[data-sum]");
    if (together) together.textContent = known ? sum.toLocaleString("en") : "-";
    var total = row.querySelector("[data-total]");
    var stated = total ? read(total.value) : Number(row.dataset.stated);
    row.querySelector("[data-differs]").hidden = known && stated === sum;
  }
  document.addEventListener("input", function (event) {
    var row = event.target.closest("[data-sums] tr");
    if (row) show(row);
  });
})();
