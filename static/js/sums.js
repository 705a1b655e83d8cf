// Live sums: of a budget's years with the total stated, of a split with what is left, of a table's columns.
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
  function sum(inputs) {
    var total = 0;
    for (var n = 0; n < inputs.length; n++) {
      var yen = read(inputs[n].value);
      if (yen === null) return null;
      total += yen;
    }
    return total;
  }
  function put(place, yen) {
    if (place) place.textContent = yen === null ? "-" : (yen < 0 ? "△ " : "") + Math.abs(yen).toLocaleString("en");
  }
  function show(row) {
    var own = sum(row.querySelectorAll("[data-cell]"));
    put(row.querySelector("[data-own]"), own);
    if (row.dataset.others === undefined) return;
    var all = own === null ? null : own + Number(row.dataset.others);
    put(row.querySelector("[data-sum]"), all);
    var total = row.querySelector("[data-total]");
    var stated = total ? read(total.value) : Number(row.dataset.stated);
    row.querySelector("[data-differs]").hidden = all !== null && stated === all;
  }
  function showSplit(form) {
    var total = sum(form.querySelectorAll("[data-cell]"));
    var left = total === null ? null : Number(form.dataset.available) - total;
    put(form.querySelector("[data-sum]"), total);
    put(form.querySelector("[data-left]"), left);
    form.querySelector("[data-over]").hidden = left === null || left >= 0;
  }
  function showColumn(form, name) {
    put(form.querySelector('[data-sum-of="' + name + '"]'), sum(form.querySelectorAll('[data-column="' + name + '"]')));
  }
  document.addEventListener("input", function (event) {
    var row = event.target.closest("[data-sums] tr");
    if (row) show(row);
    var split = event.target.closest("[data-split]");
    if (split) showSplit(split);
    var columns = event.target.closest("[data-columns]");
    if (columns && event.target.dataset.column) showColumn(columns, event.target.dataset.column);
  });
})();
