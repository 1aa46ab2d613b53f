// Draws every <canvas data-chart="ID"> from the JSON of the element with that id
// (funnel.operations.Chart), with the colours of the admin's theme.
"use strict";

const COLOURS = ["#2f7ed8", "#e8833a", "#3a9d5d", "#b455b6", "#c9a227", "#5b6b7a", "#d64550", "#2aa5a0"];

const COMPACT = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });

function themed(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function options(spec) {
  const lies = spec.kind === "horizontal-bar";
  const text = themed("--body-quiet-color");
  const grid = themed("--hairline-color");
  const along = {
    stacked: spec.is_stacked,
    grid: { display: false },
    ticks: { color: text, maxRotation: 0, autoSkip: !lies, autoSkipPadding: 16, font: { size: 11 } },
  };
  const up = {
    stacked: spec.is_stacked,
    beginAtZero: true,
    grid: { color: grid },
    border: { display: false },
    ticks: {
      color: text,
      maxTicksLimit: 5,
      font: { size: 11 },
      callback: (value) => COMPACT.format(value),
    },
  };
  return {
    indexAxis: lies ? "y" : "x",
    animation: false,
    maintainAspectRatio: false,
    interaction: { mode: "index", intersect: false },
    scales: lies ? { x: up, y: along } : { x: along, y: up },
    plugins: {
      legend: {
        display: Object.keys(spec.series).length > 1,
        position: "bottom",
        labels: { color: text, boxWidth: 10, boxHeight: 10, font: { size: 11 } },
      },
    },
  };
}

function draw(canvas) {
  const spec = JSON.parse(document.getElementById(canvas.dataset.chart).textContent);
  const datasets = Object.entries(spec.series).map(([label, data], index) => {
    const colour = COLOURS[index % COLOURS.length];
    return {
      label,
      data,
      borderColor: colour,
      backgroundColor: spec.kind === "line" ? colour + "22" : colour,
      borderWidth: spec.kind === "line" ? 2 : 0,
      fill: spec.kind === "line",
      pointRadius: 0,
      pointHitRadius: 8,
      tension: 0.25,
      maxBarThickness: 36,
    };
  });
  new Chart(canvas, {
    type: spec.kind === "line" ? "line" : "bar",
    data: { labels: spec.labels, datasets },
    options: options(spec),
  });
  canvas.dataset.drawn = "true";
}

document.querySelectorAll("canvas[data-chart]").forEach(draw);
