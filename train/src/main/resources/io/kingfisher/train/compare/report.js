'use strict';
(() => {
  const data = JSON.parse(document.getElementById('data').textContent);
  const SVG = 'http://www.w3.org/2000/svg';
  const DASHES = ['', '7 4', '2 3'];
  const clocks = [{key: 'seconds', name: 'seconds of training'}, {key: 'epochs', name: 'epochs'}];
  const number = v => typeof v === 'number' && Number.isFinite(v) ? v : NaN;
  const style = i => ({color: `var(--c${i % 8})`, dash: DASHES[Math.floor(i / 8) % DASHES.length]});

  const make = (name, attributes, ...children) => {
    const element = document.createElementNS(SVG, name);
    Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
    children.forEach(child => element.append(child));
    return element;
  };

  // The mean over seeds at each evaluation, and the deviation around it.
  const curve = (method, clock, measure) => {
    const length = Math.max(0, ...method.runs.map(run => run.points.length));
    const points = [];
    for (let k = 0; k < length; k++) {
      const here = method.runs.map(run => run.points[k]).filter(p => p && !Number.isNaN(number(p[measure.key])));
      if (here.length === 0) continue;
      const mean = list => list.reduce((a, b) => a + b, 0) / list.length;
      const ys = here.map(p => measure.scale * p[measure.key]), y = mean(ys);
      const deviation = ys.length < 2 ? 0 : Math.sqrt(ys.reduce((a, b) => a + (b - y) ** 2, 0) / (ys.length - 1));
      points.push({x: mean(here.map(p => p[clock.key])), y, deviation});
    }
    return points;
  };

  const linearTicks = (low, high, count) => {
    const rough = (high - low) / count || 1, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map(f => f * power).find(s => s >= rough);
    const ticks = [];
    for (let t = Math.ceil(low / step - 1e-9) * step; t <= high + step * 1e-9; t += step) ticks.push(t);
    return ticks;
  };
  const logTicks = (low, high) => {
    const ticks = [];
    for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); e++) {
      for (const f of [1, 2, 5]) if (f * 10 ** e >= low * 0.999 && f * 10 ** e <= high * 1.001) ticks.push(f * 10 ** e);
    }
    return ticks.length > 1 ? ticks : linearTicks(low, high, 5);
  };
  const label = v => Math.abs(v) >= 1e5 || (v !== 0 && Math.abs(v) < 1e-3) ? v.toExponential(0) : String(+v.toPrecision(6));
  const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];

  // One chart; curves that begin far off are cut, so that the ends can be told apart.
  const chart = (measure, clock, id) => {
    const W = 560, H = 330, left = 58, right = 12, top = 12, bottom = 42;
    const curves = data.methods.map(method => curve(method, clock, measure));
    const all = curves.flat(), ys = all.map(p => p.y).sort((a, b) => a - b);
    const svg = make('svg', {viewBox: `0 0 ${W} ${H}`, role: 'img', 'aria-labelledby': `${id}-t`, class: 'chart'},
        make('title', {id: `${id}-t`}, `${measure.name} against ${clock.name}, mean over seeds with deviation, for ` +
            data.methods.map(m => m.label).join(', ')));
    if (all.length === 0) return svg;
    let low = measure.more ? quantile(ys, 0.1) : ys[0], high = measure.more ? ys[ys.length - 1] : quantile(ys, 0.92);
    const log = !measure.more && low > 0 && high / low > 4;
    if (high <= low) high = low + Math.abs(low || 1) * 0.1;
    const pad = log ? (high / low) ** 0.05 : (high - low) * 0.05;
    low = log ? low / pad : low - pad;
    high = log ? high * pad : high + pad;
    const xMax = Math.max(...all.map(p => p.x)) * 1.02;
    const x = v => left + (W - left - right) * v / xMax;
    const t = log ? Math.log : v => v;
    const y = v => top + (H - top - bottom) * (1 - (t(Math.max(v, log ? low / 1e3 : v)) - t(low)) / (t(high) - t(low)));
    const axes = make('g', {'aria-hidden': 'true'});
    for (const v of log ? logTicks(low, high) : linearTicks(low, high, 6)) {
      axes.append(make('line', {class: 'grid', x1: left, x2: W - right, y1: y(v), y2: y(v)}),
          make('text', {x: left - 6, y: y(v) + 4, 'text-anchor': 'end'}, label(v)));
    }
    for (const v of linearTicks(0, xMax, 6)) {
      axes.append(make('line', {class: 'grid', x1: x(v), x2: x(v), y1: H - bottom, y2: H - bottom + 4}),
          make('text', {x: x(v), y: H - bottom + 18, 'text-anchor': 'middle'}, label(v)));
    }
    axes.append(make('text', {x: (left + W - right) / 2, y: H - 6, 'text-anchor': 'middle'}, clock.name));
    svg.append(axes, make('clipPath', {id: `${id}-c`},
        make('rect', {x: left, y: top, width: W - left - right, height: H - top - bottom})));
    const plot = make('g', {'clip-path': `url(#${id}-c)`});
    curves.forEach((points, i) => {
      if (points.length === 0) return;
      const {color, dash} = style(i), at = (p, v) => `${x(p.x).toFixed(1)},${y(v).toFixed(1)}`;
      const group = make('g', {class: 'method', 'data-method': i},
          make('title', {}, data.methods[i].label));
      group.append(
          make('path', {class: 'band', fill: color, d: 'M' + points.map(p => at(p, p.y + p.deviation)).join('L') + 'L' +
              [...points].reverse().map(p => at(p, p.y - p.deviation)).join('L') + 'Z'}),
          make('path', {class: 'mean', stroke: color, 'stroke-dasharray': dash,
              d: 'M' + points.map(p => at(p, p.y)).join('L')}));
      points.forEach(p => group.append(make('circle', {cx: x(p.x), cy: y(p.y), r: 2.6, fill: color},
          make('title', {}, `${data.methods[i].label}: ${p.y.toFixed(measure.digits)}` +
              ` at ${p.x.toFixed(1)} ${clock.key}`))));
      plot.append(group);
    });
    svg.append(plot);
    return svg;
  };

  const charts = document.getElementById('charts');
  data.measures.forEach((measure, m) => {
    const heading = document.createElement('h2');
    heading.textContent = measure.name[0].toUpperCase() + measure.name.slice(1);
    const pair = document.createElement('div');
    pair.className = 'pair';
    clocks.forEach((clock, c) => {
      const figure = document.createElement('figure');
      figure.append(chart(measure, clock, `m${m}c${c}`));
      pair.append(figure);
    });
    charts.append(heading, pair);
  });

  const legend = document.getElementById('legend');
  data.methods.forEach((method, i) => {
    const {color, dash} = style(i);
    const button = document.createElement('button');
    button.type = 'button';
    button.setAttribute('aria-pressed', 'true');
    button.append(make('svg', {viewBox: '0 0 26 10', style: 'width:26px;height:10px', 'aria-hidden': 'true'},
        make('line', {x1: 0, x2: 26, y1: 5, y2: 5, stroke: color, 'stroke-width': 3, 'stroke-dasharray': dash})),
        method.label);
    button.addEventListener('click', () => {
      const shown = button.getAttribute('aria-pressed') !== 'true';
      button.setAttribute('aria-pressed', String(shown));
      document.querySelectorAll(`g.method[data-method="${i}"]`).forEach(g => g.classList.toggle('off', !shown));
    });
    legend.append(button);
  });
})();
