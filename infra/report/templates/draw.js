// Draws the page's figures in the colours of its style sheet, and again when the reader turns the lights on or off.
(() => {
  "use strict";
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const options = {
    displaylogo: false,
    responsive: true,
    modeBarButtons: [["toImage", "zoom2d", "pan2d", "resetScale2d"]],
  };

  function themed(value, key, colors) {
    if (typeof value === "string") {
      const named = /color/i.test(key) && value.match(/^var\((--[a-z]+)\)$/);
      return named ? colors.getPropertyValue(named[1]).trim() : value;
    }
    if (Array.isArray(value)) return value.map((item) => themed(item, key, colors));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, themed(item, name, colors)]));
  }

  function draw() {
    const colors = getComputedStyle(document.documentElement);
    for (const [name, figure] of Object.entries(figures)) {
      const { data, layout } = themed(figure, "", colors);
      const narrow = window.innerWidth < 640;
      if (narrow) layout.dragmode = false; // a finger on a figure scrolls the page
      Plotly.react(document.getElementById(name), data, layout, { ...options, displayModeBar: narrow ? false : "hover" });
    }
  }

  draw();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
})();
